"""Every code an error can have: what it stands for, why it is told, a spec that has it, and the same spec mended.

This table is what `nnspec explain` prints and docs/errors.md is made of. A code never changes its meaning.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One code. `bad` gives an error of this code, `mended` none."""

    title: str
    explanation: str
    bad: str
    mended: str


TABLE: dict[str, Entry] = {
    "E001": Entry(
        "the text cannot be read as a spec",
        "A spec is UTF-8 text, and what it includes are files in its own folder or in folders below it, so that a "
        "spec and its folder can be given to someone else. The error tells which file cannot be read and why; files "
        "that include each other in a circle are named in order.",
        'include "no_such_file.nnspec"\ninput 28x28x1\ndense 10 softmax\n',
        "input 28x28x1\ndense 10 softmax\n",
    ),
    "E002": Entry(
        "a statement is not written as the language writes it",
        'A statement is a word and its arguments: values (10, 3x3, x8, relu, 75/25, "file.csv", $width) and options '
        "(stride=2), side by side, without commas or parentheses. Layers are joined by ->, branches stand in "
        "parentheses with + or | between them. Reading goes on with the next statement, so one such error hides "
        "nothing else.",
        "input 28x28x1\nConv2D(8, 3) -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> dense 10 softmax\n",
    ),
    "E003": Entry(
        "the spec is too large or too deeply nested",
        "A spec has at most 1 MiB of text, 64 levels of parentheses, braces and blocks inside each other, and "
        "10,000 layers once its repeats and blocks are written out. A block cannot use itself. These limits keep a "
        "slip of the pen from taking the machine's memory; no network that can be trained here comes near them.",
        "input 28x28x1\nrepeat 20000 (dense 16 relu) -> dense 10 softmax\n",
        "input 28x28x1\nrepeat 20 (dense 16 relu) -> dense 10 softmax\n",
    ),
    "E101": Entry(
        "a layer or statement is not known",
        "A line begins with a layer, a setting, or the name of a block. Words are written in lower case. Words of "
        "other tools (Conv2D, fc, optimiser) are not accepted, but the error tells what they are called here.",
        "input 28x28x1\nconv 3x3 x8 -> maxpol 2 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> maxpool 2 -> dense 10 softmax\n",
    ),
    "E102": Entry(
        "an option is not known",
        "Each word has options of its own. One that does not exist is never ignored, since the run would silently "
        "be another than the one that was asked for. What is a bare value here (the filters of a convolution, the "
        "units of a dense layer) is not written as an option.",
        "input 28x28x1\nconv 3x3 x8 padding=same -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 pad=same -> dense 10 softmax\n",
    ),
    "E103": Entry(
        "a name is not one of those that fit here",
        "Where a name is expected, as an activation, an optimizer or the value of an option, it is one of a fixed "
        "list. A $name is that of a let above it, or of a parameter of the block it stands in.",
        "input 28x28x1\ndense 10 softmax\noptimizer adamm lr=0.001\n",
        "input 28x28x1\ndense 10 softmax\noptimizer adam lr=0.001\n",
    ),
    "E104": Entry(
        "an argument has no place",
        "The word has no use for a value of this kind. A count is written x8, a size 3x3; options have names.",
        "input 28x28x1\nconv 3x3 8 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> dense 10 softmax\n",
    ),
    "E105": Entry(
        "an argument is missing",
        "Some arguments have no default that would make sense for everyone, such as the number of units of a layer.",
        "input 28x28x1\nconv 3x3 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> dense 10 softmax\n",
    ),
    "E106": Entry(
        "an argument is given twice",
        "Two values for one thing contradict each other, even where they are equal.",
        "input 28x28x1\nconv 3x3 x8 stride=1 stride=2 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 stride=2 -> dense 10 softmax\n",
    ),
    "E107": Entry(
        "a name or a statement is given twice",
        "One file says each thing once: one network, one optimizer, one let or block or layer of a name. Statements "
        "of an included file may be replaced by the file that includes it, and by a variant.",
        "input 28x28x1\ndense 10 softmax\noptimizer sgd\noptimizer adam\n",
        "input 28x28x1\ndense 10 softmax\noptimizer adam\n",
    ),
    "E108": Entry(
        "a key names nothing in the spec",
        "What is set from outside (--set, --variant) or swept must exist: a let, a statement, or STATEMENT.OPTION.",
        "let width = 16\ninput 28x28x1\ndense $width relu -> dense 10 softmax\nsweep widht = 16, 32\n",
        "let width = 16\ninput 28x28x1\ndense $width relu -> dense 10 softmax\nsweep width = 16, 32\n",
    ),
    "E201": Entry(
        "a value is not of the right kind",
        "An option that takes a number takes no name, one number is no size, and so on.",
        "input 28x28x1\nconv 3x3 x8 stride=fast -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 stride=2 -> dense 10 softmax\n",
    ),
    "E202": Entry(
        "a value is out of its range",
        "The value is of the right kind and cannot be meant: a negative learning rate, a dropout of everything.",
        "input 28x28x1\ndropout 1.5 -> dense 10 softmax\n",
        "input 28x28x1\ndropout 0.5 -> dense 10 softmax\n",
    ),
    "E301": Entry(
        "a layer does not fit the shape before it",
        "Shapes are walked through the network before anything is computed. The error shows the shape after every "
        "layer so far. Layers behind a misfit are not judged, since their shapes are not known.",
        "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 9x9 x16 -> dense 10 softmax\n",
        "input 28x28x1\nconv 3x3 x8 -> maxpool 4 -> conv 5x5 x16 -> dense 10 softmax\n",
    ),
    "E302": Entry(
        "the shape of a sample is not known",
        "A spec alone may leave the shape of a sample to the data. To build the network it must be known: from an "
        "input line, from a data line, or from --data.",
        "dense 10 softmax\n",
        "input 784\ndense 10 softmax\n",
    ),
    "E303": Entry(
        "the end of the network does not fit the loss or the data",
        "cross_entropy takes probabilities, so the last layer is a softmax with one output for each class; "
        "binary_cross_entropy takes a sigmoid. Without a loss line the loss follows from the last layer.",
        "data mnist_sample\ndense 7 softmax\n",
        "data mnist_sample\ndense 10 softmax\n",
    ),
    "E304": Entry(
        "the spec has no network",
        "Exactly one line of a spec is the network: its layers, joined by ->.",
        "input 28x28x1\noptimizer adam\n",
        "input 28x28x1\ndense 10 softmax\noptimizer adam\n",
    ),
    "E401": Entry(
        "the network is larger than this machine's memory",
        "Parameters, gradients, the optimizer's own arrays and the numbers between the layers of one batch are counted "
        "before any of them exists. Where they cannot fit, training does not begin.",
        "input 28x28x1\ndense 10000000000 relu -> dense 10 softmax\n",
        "input 28x28x1\ndense 1000 relu -> dense 10 softmax\n",
    ),
}

CODES: dict[str, str] = {code: entry.title for code, entry in TABLE.items()}
"""Every code with what it stands for."""
