"""What to write instead of a line that cannot be read."""

import pytest

from nnspec.spec_lang.report.syntax_help import example_of
from nnspec.spec_lang.syntax.grammar import BEFORE_PATTERNS
from nnspec.spec_lang.vocabulary.registry import layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import errors_of

SOUND = "\ninput 4\ndense 3\n"

NO_PROGRAM = "a spec is no program: a line is a word and its arguments, as in"


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("Conv2D(8, 3)", "write arguments after the word, without parentheses: conv 3x3 x8"),
        ("Dense(10)", "write arguments after the word, without parentheses: dense 10"),
        ("Linear(784, 10)", "write arguments after the word, without parentheses: dense 10"),
        ("nn.Linear(3)", "write dense 10 softmax, for example"),
        ("nn.Linear(3, activation='relu')", "write dense 10 softmax, for example"),
        ("model.fit(x, epochs=5)", f"{NO_PROGRAM} train 10 epochs batch=64 seed=7"),
        ("model.compile(loss='mse')", f"{NO_PROGRAM} optimizer sgd lr=0.01"),
        ("epochs=5", "write train 5 epochs"),
        ("steps = 500", "write train 500 iterations"),
        ("batch_size=32", "it is an option of train: write train batch=32"),
        ("learning_rate=0.1", "it is an option of optimizer: write optimizer adam lr=0.1"),
        ("optimizer.lr = 0.1", "it is an option of optimizer: write optimizer adam lr=0.1"),
        ("optimizer=adam", "write optimizer adam"),
        ("optimiser = adam", "write optimizer adam"),
        ("width = 16", "a line begins with a word; a value of your own is written let width = 16"),
        ("loss: mse", "write loss mse"),
        ("optimiser: adam lr=0.1", "write optimizer adam lr=0.1"),
        ("train: 5 epochs", "write train 5 epochs"),
        ("schedule:", "a statement has no colon: write schedule constant"),
        ("let w 16", "write let w = 16"),
        ("let w", "write let width = 16"),
        ("let w = 1, 2", "a grid of values is a sweep: write sweep KEY = a, b"),
        ("let a.b = 1", "write let width = 16"),
        ("block a = dense 3", "write block a() = …"),
        ("include base.nnspec", 'write include "base.nnspec"'),
        ("variant { train 3 epochs }", "write variant name { … }, a statement on each line between the braces"),
        ("dense 10 -> -> dense 3", "one arrow is enough"),
        ("dense 10 ->", "write a layer after the arrow, or leave the arrow out"),
        ("-> dense 10", "write a layer before the arrow, or leave it out"),
        ("dense 10 + skip", "write branches in parentheses: (conv 3x3 x8 pad=same + skip)"),
        ("(dense 3 + dense 3 | skip)", "+ and | are not mixed: give one of them parentheses of its own"),
        ("(dense 3 * dense 3 + skip)", "+ and * are not mixed: give one of them parentheses of its own"),
        ("repeat (dense 3)", "write how often: repeat 3 ( … )"),
        ("repeat 3 dense 3", "write repeat 3 (dense 3)"),
        ("(dense 3) relu", "write -> before relu"),
        ("(dense 3) bias=no", "write options after a layer, inside the parentheses"),
        ("{ dense 3 }", "braces are for variants: variant name { … }"),
        ("10 softmax", "a line begins with a word: a layer, as in conv 3x3 x8 -> maxpool 2 -> dense 10 softmax, or a "
                       "setting, as in train 5 epochs"),
        ("conv 3x3, x8", "separate arguments by spaces, not commas"),
        ("train 50,000 iterations", "write 50000 iterations"),
        ("conv 3x3 x8 stride=", "write stride=VALUE"),
        ('data csv "a" target=repeat block=3', None),
        ("data csv data/iris.csv target=y", 'write "data/iris.csv"'),
        ("data csv 'iris.csv' target=y", 'write "iris.csv"'),
        ("data csv “iris.csv” target=y", 'write "iris.csv"'),
        ('data csv "iris.csv target=y', 'write a closing "'),
        ("sweep optimizer.lr = ", "an option is part of its statement: write optimizer sgd lr=0.01"),
        ("dense 10;", "leave the ; out"),
        ("dense 10 → relu", "write ->"),
        ("conv 3×3 x8", "write 3x3"),
        ("conv 3x3 8x", "write x8"),
        ("dropout 50%", "write 0.5"),
        ("dense $", "a variable is written $name"),
        ("sweep train.seed = [1, 2]", "write sweep train.seed = 1, 2"),
        ("dense\u00a010", "write an ordinary space"),
        ("sweep w 4", "write sweep w = 4"),
        ("sweep w =", "write sweep optimizer.lr = 0.1, 0.01 or a range, sweep optimizer.lr = log 1e-4..1e-1"),
    ],
)  # fmt: skip
def test_a_line_of_another_language_is_answered_with_this_one_s(line: str, help: str | None) -> None:
    found = [error for error in errors_of(line + "\n" + SOUND) if error.span.source.place(error.span.start)[0] == 1]
    assert found[0].help == help or help is None


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("= 5", "expected a layer or a statement"),
        ("dense 3 -> = 4", "expected a layer, a group in parentheses or repeat"),
        ("dense (relu)", "expected an argument, an option such as stride=2, -> or the end of the line"),
        ("let w", "expected a name, = and a value"),
        ("(dense 3 + dense 4 | skip)", "expected ) or +"),
        ("repeat x (dense 3)", "expected a whole number, a variable such as $width or a formula such as $(2 * width)"),
        ("include 3", 'expected a text in "quotes"'),
    ],
)  # fmt: skip
def test_what_was_expected_is_told_in_words(line: str, note: str) -> None:
    assert errors_of(line + "\n" + SOUND)[0].notes == (note,)


@pytest.mark.parametrize("word", [*layers(), *statements()])
def test_an_example_of_a_word_begins_with_it_and_is_sound(word: str) -> None:
    text = example_of(word, known_words())
    assert text.split(" ")[0] == word
    known = {
        "E107",
        "E301",
        "E303",
        "E305",
    }  # where it stands beside a line of its kind, or on a shape that it does not fit
    absent = {"E103"} if word in BEFORE_PATTERNS else set()  # its example names layers that are not in the network
    assert {error.code for error in errors_of(text + SOUND)} <= known | absent
