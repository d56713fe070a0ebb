"""Reading: what cannot be read is told once, with advice, and hides nothing else."""

import pytest

import nnspec
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.parse import parse_source, parse_value
from nnspec.spec_lang.syntax.tree import Block, Broken, Call, Group, Include, Let, Pipeline, Repeat, Sweep, Variant
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_findings import NAME, error_of, errors_of, places_of, spec_of

SOUND = "\ninput 4\ndense 3\n"


def one(text: str) -> object:
    (statement,), found = parse_source(Source(NAME, text), known_words())
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
    statements, found = parse_source(Source(NAME, text), known_words())
    assert (len(statements), found) == (1, [])
    assert [node.name for node in spec_of("input 4\n" + text).nodes] == ["dense1", "dense2"]


def test_an_error_in_one_statement_hides_no_other_one() -> None:
    text = "input 4 4\nlet w 3\nlet v = 3\ndense $w -> dense $v rellu -> dense -> dense 2\ntrain 5 epochz\nloss = mse\n"
    text += ")\nbogus\n"
    assert places_of(text) == [
        ("E106", 1, 7),
        ("E002", 2, 1),
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
        "input 4\ndense relu -> dense 3",
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
    assert [error.span.text for error in found] == ["loss =", "sgdd"]


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
    statements, _ = parse_source(Source(NAME, "let w =\nblock a( = 3\noptimizer =\nconv (\n"), known_words())
    assert [(s.kind, s.name) for s in statements if isinstance(s, Broken)] == [
        ("let", "w"), ("block", "a"), ("optimizer", None), ("network", None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *(
            "dense 3\ntrain batch 1e999999999",
            "dense 3\ntrain 1e5000 epochs",
            "dense 3\ntrain 5 epochs batch=9/1e99999999",
        ),
        *(
            f"conv 3 {'9' * 5000} relu",
            f"dense {'9' * 5000}k",
            "dense 3\ndata mnist split=1e99999999/1",
            "conv 3 ²2 relu",
        ),
    ],
    ids=lambda text: text[:30],
)
def test_a_number_too_long_to_compute_is_an_error_at_once(text: str) -> None:
    with pytest.raises(nnspec.SpecError):
        nnspec.check(f"{text}\n")
