"""Reading: what cannot be read is told once, with advice, and hides nothing else."""

import pytest

from spec_lang.lines import DEEPEST
from spec_lang.parse import parse, parse_value
from spec_lang.source import Source
from spec_lang.syntax import Block, Broken, Call, Group, Include, Let, Pipeline, Repeat, Sweep, Variant
from tests.spec_lang.said import NAME, codes_of, error_of, errors_of, places_of, spec_of

SOUND = "\ninput 4\ndense 3\n"


def one(text: str) -> object:
    (statement,), found = parse(Source(NAME, text))
    assert not found
    return statement


def test_each_kind_of_statement_is_read() -> None:
    assert isinstance(one("let w = 16"), Let)
    assert isinstance(one("block res(w) = dense $w"), Block)
    assert isinstance(one('include "a.nnspec"'), Include)
    assert isinstance(one("variant a { dense 3 }"), Variant)
    assert isinstance(one("sweep a.b = 1, 2"), Sweep)
    assert isinstance(one("optimizer adam"), Pipeline)


def test_a_pipeline_is_read_with_its_groups_repeats_and_names() -> None:
    line = one("a: conv 3x3 x8 -> (b + (c | skip) -> d) -> e: repeat $n (f)")
    assert isinstance(line, Pipeline)
    conv, group, repeat = line.stages
    assert isinstance(conv, Call) and conv.label == "a" and conv.word == "conv" and len(conv.arguments) == 2
    assert isinstance(group, Group) and group.join == "+" and [len(b.stages) for b in group.branches] == [1, 2]
    assert isinstance(repeat, Repeat) and repeat.label == "e" and repeat.count.value == "n"


@pytest.mark.parametrize(
    "text",
    [
        "dense 3 ->\ndense 4",
        "dense 3\n-> dense 4",
        "dense 3\n\n# between\n\n  -> dense 4",
        "dense 3 -> # why\n# and\ndense 4",
        "(dense 3\n\n->dense 4\n)",
        "(\n dense\n 3 -> # c\n dense 4)",
        "dense 3 -> dense 4 # end",
        "\r\n dense 3\r\n\t-> dense 4\r\n",
    ],
)  # fmt: skip
def test_a_line_goes_on_at_arrows_and_inside_parentheses(text: str) -> None:
    statements, found = parse(Source(NAME, text))
    assert (len(statements), found) == (1, [])
    assert [node.name for node in spec_of("input 4\n" + text).nodes] == ["dense1", "dense2"]


def test_an_error_in_one_statement_hides_no_other_one() -> None:
    text = "input 4 4\nlet w 3\nlet v = 3\ndense $w -> dense $v rellu -> dense\ntrain 5 epochz\nloss = mse\n)\nbogus\n"
    assert places_of(text) == [
        ("E106", 1, 9),
        ("E002", 2, 5),
        ("E103", 4, 22),
        ("E105", 4, 31),
        ("E103", 5, 9),
        ("E002", 6, 1),
        ("E002", 7, 1),
        ("E101", 8, 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "let w =\ninput 4\ndense $w -> conv 3x3 x$w",  # what uses a let that could not be read
        "block a(w) = dense $w -> -> relu\ninput 4\na 3 -> a -> dense 3",  # or a block
        "input 4 -> -> dense 3",  # no second error that the network is missing
        "loss = mse\ninput 4\ndense 3 softmax",  # or that the loss does not fit
        "input 4\nconv 3x3 x8 -> conv 99x99 x8 -> maxpool 50",  # what stands behind a misfit
        "input 4\ndense relu",
        "input 4\nconv 3x3 x8 ; dense 3",
        "input 4\ndense 3\nvariant a {\n  optimizer adam lr\u00d7=3\n}\n",
        "input 28x28\nrepeat 3 (conv 3x3 x8 pad=sam) -> dense 3",  # a mistake that is repeated
        "block a(w) = dense $w rellu\ninput 4\na 3 -> a 4 -> repeat 3 (a 5)",
        "include \"missing.nnspec\"\ntrain 3 epochs\n",
        "input 4\n(dense 3",
        "input 4\ndense 3 -> (dense 4\noptimizer adam\n",
        "input 4\ndense 3\nvariant a {\n  train 3 epochs\nvariant b {\n  train 4 epochs\n}\n",
        "input 4\ndense 3\nvariant a {\n variant b {\n  dense 3\n }\n}",
        "block conv(w) = dense $w\ninput 4\nconv 3",
    ],
)  # fmt: skip
def test_one_mistake_is_told_once(text: str) -> None:
    assert len(errors_of(text)) == 1


def test_a_bracket_left_open_ends_where_a_statement_begins() -> None:
    found = errors_of("input 4\n(dense 3 + dense 4\noptimizer sgd lr=-1\n")
    assert [error.message for error in found] == ['this "(" is never closed', "lr must be more than 0"]
    found = errors_of("input 4\ndense 3\nvariant a {\n  (dense 3\n  optimizer sgdd\n}\ntrain 0 epochs\n")
    assert [(error.code, error.span.text) for error in found] == [("E002", "("), ("E103", "sgdd"), ("E202", "0")]


def test_every_statement_of_a_variant_is_read_for_itself() -> None:
    found = errors_of("input 4\ndense 3\nvariant a {\n  loss = mse\n  optimizer sgdd\n}")
    assert [error.span.text for error in found] == ["loss = mse", "sgdd"]


def test_brackets_may_be_nested_sixty_four_levels_deep_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return "input 4\n" + "(" * depth + "dense 3" + ")" * depth

    assert codes_of(nested(DEEPEST)) == []
    error = error_of(nested(DEEPEST + 1))
    assert (error.code, error.message) == ("E003", "nested more than 64 levels deep")
    assert codes_of("(" * 100_000) == ["E003"]
    assert codes_of(")" * 1000 + SOUND) == ["E002"]


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("Conv2D(8, 3)", "arguments stand after the word, without parentheses: conv 3x3 x8 relu"),
        ("Dense(10)", "arguments stand after the word, without parentheses: dense 10 softmax"),
        ("Linear(784, 10)", "arguments stand after the word, without parentheses: dense 10 softmax"),
        ("nn.Linear(3)", "did you mean dense?"),
        ("epochs=5", "write train 5 epochs"),
        ("steps = 500", "write train 500 iterations"),
        ("batch_size=32", "it is an option of train: write train 10 epochs batch=32"),
        ("learning_rate=0.1", "it is an option of optimizer: write optimizer sgd lr=0.1"),
        ("optimizer.lr = 0.1", "it is an option of optimizer: write optimizer sgd lr=0.1"),
        ("optimizer=adam", "a statement has no equals sign: write optimizer adam"),
        ("optimiser = adam", "a statement has no equals sign: write optimizer adam"),
        ("width = 16", "a line begins with a word; a value of your own is written let width = 16"),
        ("loss: mse", "write loss mse"),
        ("optimiser: adam lr=0.1", "write optimizer adam lr=0.1"),
        ("train: 5 epochs", "a statement has no colon: write train 5 epochs"),
        ("let w 16", "write let w = 16"),
        ("let w", "write let width = 16"),
        ("let w = 1, 2", "a grid of values is a sweep: write sweep KEY = a, b"),
        ("let a.b = 1", "write let width = 16"),
        ("block a = dense 3", "write block name(width) = conv 3x3 x$width -> relu"),
        ("include base.nnspec", 'a path stands in quotes: "base.nnspec"'),
        ("variant { train 3 epochs }", "write variant name { … }, a statement on each line between the braces"),
        ("dense 10 -> -> dense 3", "one arrow is enough"),
        ("dense 10 ->", "write a layer after the arrow"),
        ("-> dense 10", "write a layer before the arrow"),
        ("dense 10 + skip", "branches stand in parentheses: (conv 3x3 x8 pad=same + skip)"),
        ("(dense 3 + dense 3 | skip)", "+ and | are not mixed: give one of them parentheses of its own"),
        ("repeat (dense 3)", "write how often: repeat 3 ( … )"),
        ("repeat 3 dense 3", "write repeat 3 ( … ), the part that is repeated in parentheses"),
        ("(dense 3) relu", "write -> before the next layer"),
        ("(dense 3) bias=no", "options stand with a layer, inside the parentheses"),
        ("{ dense 3 }", "braces are for variants: variant name { … }"),
        ("10 softmax", "a line begins with a word: a layer, as in conv 3x3 x8 -> maxpool 2 -> dense 10 softmax, or a "
                       "setting, as in train 5 epochs"),
        ("conv 3x3, x8", "arguments stand side by side, without commas"),
        ("train 50,000 iterations", "write 50000, without the comma"),
        ("conv 3x3 x8 stride=", "write stride=VALUE"),
        ('data csv "a" target=repeat block=3', None),
        ("data csv data/iris.csv target=y", 'a path stands in quotes: "data/iris.csv"'),
        ("data csv 'iris.csv' target=y", 'write "iris.csv"'),
        ("data csv “iris.csv” target=y", 'write "iris.csv"'),
        ('data csv "iris.csv target=y', 'write a closing "'),
        ("sweep optimizer.lr = ", "options stand in the statement: write optimizer sgd lr=0.01"),
        ("dense 10;", "a line's end ends a statement; no ; is needed"),
        ("dense 10 → relu", "an arrow is written ->"),
        ("conv 3×3 x8", "a size is written with the letter x: 3x3"),
        ("conv 3x3 8x", "a count is written x8, a size 3x3, a number 0.5; names do not begin with a digit"),
        ("dropout 50%", "a share is written as a number: 0.5"),
        ("dense $", "a variable is written $name"),
        ("sweep train.seed = [1, 2]", "several values are written a, b, c"),
        ("dense\u00a010", "write an ordinary space"),
    ],
)  # fmt: skip
def test_a_line_of_another_language_is_answered_with_this_one_s(line: str, help: str | None) -> None:
    found = [error for error in errors_of(line + "\n" + SOUND) if error.span.source.place(error.span.start)[0] == 1]
    assert found[0].help == help or help is None


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("epochs=5", "expected a layer or a statement"),
        ("dense 3 ->", "expected a layer, a group in parentheses or repeat"),
        ("dense (3)", "expected an argument, an option such as stride=2, -> or the end of the line"),
        ("let w", "expected a name, = and a value"),
        ("(dense 3 + dense 4 | skip)", "expected ) or +"),
        ("repeat x (dense 3)", "expected a whole number or a variable such as $width"),
        ("include 3", 'expected a text in "quotes"'),
    ],
)  # fmt: skip
def test_what_was_expected_is_told_in_words(line: str, note: str) -> None:
    assert errors_of(line + "\n" + SOUND)[0].notes == (note,)


def test_strange_characters_are_named() -> None:
    error = error_of("dense 3\u200b" + SOUND)
    assert error.message == "the character U+200B, zero width space, has no place in a spec"
    assert (
        error_of("dense 3 \x07" + SOUND).message == "the character U+0007, a control character, has no place in a spec"
    )


def test_a_value_from_outside_is_read_as_in_a_spec_or_as_a_text() -> None:
    assert parse_value("0.1", "--set").kind == "number"
    assert parse_value("relu", "--set").kind == "name"
    for text in ("2024-01-01", "a b", "data/x.csv", ""):
        assert parse_value(text, "--set")[:2] == ("text", text)


def test_a_broken_statement_says_what_it_was_to_be() -> None:
    statements, _ = parse(Source(NAME, "let w =\nblock a( = 3\noptimizer =\nconv (\n"))
    assert [(s.kind, s.name) for s in statements if isinstance(s, Broken)] == [
        ("let", "w"), ("block", "a"), ("optimizer", None), ("network", None)
    ]  # fmt: skip
