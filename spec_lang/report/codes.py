"""Every code of an error (E) or a warning (W): its title, its explanation, a spec with it, and the same one without it.

`nnspec explain` prints this table, and docs/errors.md is generated from it. A code never changes its meaning.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One code. Checking `bad` gives an error or a warning of this code, checking `fixed` none."""

    title: str
    explanation: str
    bad: str
    fixed: str


TABLE: dict[str, Entry] = {
    "E001": Entry(
        "the text cannot be read as a spec",
        "A spec is UTF-8 text. It can include files in its own folder or in folders below it, so that you can copy a "
        "spec with its folder. The error says which file cannot be read and why. It lists files that include each "
        "other in a cycle.",
        'include "no_such_file.nnspec"\ninput 28x28x1\ndense 10 softmax\n',
        "input 28x28x1\ndense 10 softmax\n",
    ),
    "E002": Entry(
        "the syntax of a statement is wrong",
        'A statement is a word and its arguments: values (10, 3x3, x8, relu, 75/25, "file.csv", $width) and options '
        "(stride=2), separated by spaces, without commas or parentheses. Layers are joined by ->. Branches are in "
        "parentheses with + or | between them. The parser continues with the next statement, so one such error "
        "hides no other.",
        "input 28x28x1\nConv2D(8, 3) -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> dense 10 softmax\n",
    ),
    "E003": Entry(
        "the spec is too large or too deeply nested",
        "A spec has at most 1 MiB of text, 64 levels of parentheses, braces and blocks inside each other, and "
        "10,000 layers after its repeats and blocks are expanded. A block cannot use itself. These limits keep a "
        "typing error from filling the memory. No network that trains on one machine reaches them.",
        "input 28x28x1\nrepeat 20000 (dense 16 relu) -> dense 10 softmax\n",
        "input 28x28x1\nrepeat 20 (dense 16 relu) -> dense 10 softmax\n",
    ),
    "E101": Entry(
        "a layer or statement is not known",
        "A line begins with a layer, a setting, or the name of a block. Words are in lower case. Words of other "
        "tools (Conv2D, fc, optimiser) are not accepted, but the error names the word to use.",
        "input 28x28x1\nconv 3x3 x8 -> maxpol 2 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> maxpool 2 -> dense 10 softmax\n",
    ),
    "E102": Entry(
        "an option is not known",
        "Each word has its own options. An unknown option is never ignored, since the run would silently differ from "
        "the one you asked for. The filters of a convolution and the units of a dense layer are values, not options.",
        "input 28x28x1\nconv 3x3 x8 padding=same -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 pad=same -> dense 10 softmax\n",
    ),
    "E103": Entry(
        "a name is not known here",
        "An activation, an optimizer or a named value of an option must be one of a fixed list. A $name must be that "
        "of a let above it or of a parameter of the block around it.",
        "input 28x28x1\ndense 10 softmax\noptimizer adamm lr=0.001\n",
        "input 28x28x1\ndense 10 softmax\noptimizer adam lr=0.001\n",
    ),
    "E104": Entry(
        "an argument is not accepted",
        "The word does not accept a value of this kind. Write a count as x8, a size as 3x3, and an option with its "
        "name.",
        "input 28x28x1\nconv 3x3 8 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> dense 10 softmax\n",
    ),
    "E105": Entry(
        "an argument is missing",
        "Some arguments have no sensible default, such as the number of units of a layer.",
        "input 28x28x1\nconv 3x3 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> dense 10 softmax\n",
    ),
    "E106": Entry(
        "an argument is given twice",
        "An argument can have one value. A second one is an error even if it is equal.",
        "input 28x28x1\nconv 3x3 x8 stride=1 stride=2 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 stride=2 -> dense 10 softmax\n",
    ),
    "E107": Entry(
        "a name or a statement is given twice",
        "A file has one network and one statement of each kind, such as optimizer. The names of its lets, blocks and "
        "layers are unique. The file that includes another, and a variant, can replace statements.",
        "input 28x28x1\ndense 10 softmax\noptimizer sgd\noptimizer adam\n",
        "input 28x28x1\ndense 10 softmax\noptimizer adam\n",
    ),
    "E108": Entry(
        "a key names nothing in the spec",
        "A key of --set or of a sweep must be a let, a statement, or STATEMENT.OPTION, and --variant must name a "
        "variant.",
        "let width = 16\ninput 28x28x1\ndense $width relu -> dense 10 softmax\nsweep widht = 16, 32\n",
        "let width = 16\ninput 28x28x1\ndense $width relu -> dense 10 softmax\nsweep width = 16, 32\n",
    ),
    "E201": Entry(
        "a value is not of the right kind",
        "The kind of the value does not match the argument: a name where a number is expected, or a number where a "
        "size is expected.",
        "input 28x28x1\nconv 3x3 x8 stride=fast -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 stride=2 -> dense 10 softmax\n",
    ),
    "E202": Entry(
        "a value is out of its range",
        "The value has the right kind but is not valid, such as a negative learning rate or a dropout of 1.",
        "input 28x28x1\ndropout 1.5 -> dense 10 softmax\n",
        "input 28x28x1\ndropout 0.5 -> dense 10 softmax\n",
    ),
    "E301": Entry(
        "a layer does not fit the shape before it",
        "The shape after each layer is computed before training. The error shows the shapes up to the layer that does "
        "not fit. Layers after it are not checked, since their shapes are not known.",
        "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 5x5 x16 -> dense 10 softmax\n",
    ),
    "E302": Entry(
        "the shape of a sample is not known",
        "A spec may leave the shape of a sample to the data. To build the network, give it by an input line, a data "
        "line, or --data.",
        "dense 10 softmax\n",
        "input 784\ndense 10 softmax\n",
    ),
    "E303": Entry(
        "the end of the network does not fit the loss or the data",
        "cross_entropy takes probabilities, so the last layer must be a softmax with one output for each class. "
        "binary_cross_entropy takes a sigmoid. Without a loss line the last layer determines the loss.",
        "data mnist_sample\ndense 7 softmax\n",
        "data mnist_sample\ndense 10 softmax\n",
    ),
    "E304": Entry(
        "the spec has no network",
        "Exactly one statement of a spec must be the network: its layers, joined by ->.",
        "input 28x28x1\noptimizer adam\n",
        "input 28x28x1\ndense 10 softmax\noptimizer adam\n",
    ),
    "E305": Entry(
        "a setting does not fit the samples",
        "Some settings are for one kind of samples alone: augment changes images, whose shape is height x width x "
        "channels. Tables and series are trained without it.",
        "input 13\ndense 3 softmax\naugment shift=2\n",
        "input 28x28x1\ndense 3 softmax\naugment shift=2\n",
    ),
    "E306": Entry(
        "an expectation says nothing",
        "An expectation compares a metric with a number that a good network reaches and a bad one does not. A share "
        "such as accuracy is at most 1, which is 100 %. A limit on the side of bad networks is accepted in addition to "
        "one on the side of good ones, as in accuracy >= 90 % and accuracy <= 99 %.",
        "input 4\ndense 3 softmax\nexpect accuracy >= 95\n",
        "input 4\ndense 3 softmax\nexpect accuracy >= 95 %\n",
    ),
    "E401": Entry(
        "the network is larger than this machine's memory",
        "The memory of parameters, gradients, the optimizer's arrays and the activations of one batch is computed "
        "before any is allocated. If it does not fit, training does not start.",
        "input 28x28x1\ndense 10000000000 relu -> dense 10 softmax\n",
        "input 28x28x1\ndense 1000 relu -> dense 10 softmax\n",
    ),
    "W301": Entry(
        "a shape with two axes is read as an image",
        "This is a warning: the spec is sound. Two axes can be an image with one channel or a sequence, time x "
        "features. Where nothing says which, a pool with one size and a global pool read an image. Write three axes "
        "for an image, or `sequence` after the shape, in the input line or in a reshape.",
        "input 32x3\nmaxpool 2 -> dense 5\n",
        "input 32x3 sequence\nmaxpool 2 -> dense 5\n",
    ),
    "W302": Entry(
        "a softmax cannot do what it is for",
        "This is a warning: the spec is sound. A softmax of one number is always 1, a softmax of a softmax flattens "
        "the probabilities, and a loss that compares numbers does not take the outputs for classes.",
        "input 4\ndense 3 softmax -> softmax\n",
        "input 4\ndense 3 softmax\n",
    ),
}

CODES: dict[str, str] = {code: entry.title for code, entry in TABLE.items()}
"""The title of each code."""
