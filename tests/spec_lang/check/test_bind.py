"""A call's arguments → the fields of its word, for every word there is."""

import re

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given
from hypothesis import strategies as st

from nnspec.spec_lang.check.bind import bind, fields_filled
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.parse import parse_source
from nnspec.spec_lang.syntax.tree import Argument, Call, Pipeline
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, layers, statements
from nnspec.spec_lang.vocabulary.summary import known_words
from tests.support.spec_texts import cases, option

WORDS = [cls for named in (layers(), *statements().values()) for cls in named.values()]
OPTIONS = [(cls, slot) for cls in WORDS for slot in fields_of(cls).values() if not slot.bare]
BOUNDED = [
    (cls, slot.name, bound)
    for cls in WORDS
    for slot in fields_of(cls).values()
    for bound in cls.fields()[slot.name].metadata
    if isinstance(bound, Gt | Ge | Lt | Le)
]


def name(value: object) -> str:
    return value.word if isinstance(value, type) and issubclass(value, Word) else str(getattr(value, "name", value))


def arguments(cls: type[Word], text: str) -> tuple[Argument, ...]:
    """The arguments of a line, without the name that a section's word is chosen by."""
    (line,), found = parse_source(Source("a", text), known_words())
    assert not found and isinstance(line, Pipeline) and isinstance(line.stages[0], Call)
    given = line.stages[0].arguments
    return given[1:] if cls.kind in SECTIONS else given


def needed(cls: type[Word]) -> str:
    """A line with the least that a word needs."""
    if cls.examples:
        return cls.examples[0]
    return f"{cls.kind} {cls.word}" if cls.kind in SECTIONS else cls.word


def bound(cls: type[Word], text: str) -> Word:
    given = arguments(cls, text)
    word, found = bind(cls, given, parse_source(Source("a", text), known_words())[0][0].span)
    assert word is not None, found
    return word


def wrong(cls: type[Word], text: str) -> list[Diagnostic]:
    return bind(cls, arguments(cls, text), parse_source(Source("a", text), known_words())[0][0].span)[1]


def without(text: str, slot: str) -> str:
    return re.sub(rf' {slot}=("[^"]*"|[^\s,]+(,\s*[^\s,]+)*)', "", text)


@pytest.mark.parametrize("cls", WORDS, ids=name)
def test_the_examples_of_a_word_are_sound(cls: type[Word]) -> None:
    for text in cls.examples or (needed(cls),):
        assert isinstance(bound(cls, text), cls)


@pytest.mark.parametrize("cls", WORDS, ids=name)
def test_a_word_written_out_is_the_same_word(cls: type[Word]) -> None:
    word = bound(cls, needed(cls))
    statement = f"{cls.kind} " if cls.kind in SECTIONS else ""
    assert bound(cls, statement + written(word)) == word


def test_every_argument_says_what_it_is() -> None:
    silent = [(cls.word, slot.name) for cls in WORDS for slot in fields_of(cls).values() if not slot.meaning]
    assert silent == []


@given(st.data())
@cases(150)
def test_an_option_of_any_value_is_bound_and_written_out_again(data: st.DataObject) -> None:
    cls, slot = data.draw(st.sampled_from(OPTIONS))
    chosen = data.draw(option(cls, slot))
    word, found = bind(cls, arguments(cls, f"{without(needed(cls), slot.name)} {chosen}"), Span(Source("a", ""), 0, 0))
    if word is None:
        assert {diagnostic.code for diagnostic in found} == {"E202"}, "values that contradict each other"
        return
    statement = f"{cls.kind} " if cls.kind in SECTIONS else ""
    assert bound(cls, statement + written(word)) == word


@pytest.mark.parametrize(("cls", "slot"), OPTIONS, ids=name)
def test_an_option_given_twice_is_told_at_the_second(cls: type[Word], slot: WordField) -> None:
    value = slot.choices[0] if slot.choices else "yes" if "bool" in slot.kinds else "1"
    value = (
        "75/25" if "ratio" in slot.kinds else '"a"' if not slot.choices and slot.kinds <= {"name", "text"} else value
    )
    line = f"{without(needed(cls), slot.name)} {slot.name}={value} {slot.name}={value}"
    (error,) = (error for error in wrong(cls, line) if error.code == "E106")
    assert (error.message, error.span.start) == (f"{slot.name} is given twice", line.rindex(slot.name))


@pytest.mark.parametrize(("cls", "slot"), OPTIONS, ids=name)
def test_an_option_of_the_wrong_kind_is_told_with_the_right_one(cls: type[Word], slot: WordField) -> None:
    (error,) = wrong(cls, f"{without(needed(cls), slot.name)} {slot.name}=x8")
    assert (error.code, error.message, error.span.text) == ("E201", f"{slot.name} cannot be x8", "x8")
    assert error.help == f"write {slot.takes()}"


@pytest.mark.parametrize(("cls", "slot"), OPTIONS, ids=name)
def test_a_misspelt_option_is_told_with_its_near_name(cls: type[Word], slot: WordField) -> None:
    if len(slot.name) > 3:
        misspelt = slot.name[:-2] + slot.name[-1] + slot.name[-2] if slot.name[-1] != slot.name[-2] else slot.name + "e"
        error = wrong(cls, f"{needed(cls)} {misspelt}=1")[0]
        assert error.code == "E102" and error.help is not None
        assert "did you mean" in error.help or "here it is called" in error.help


@pytest.mark.parametrize(("cls", "slot", "edge"), BOUNDED, ids=name)
def test_a_value_beyond_its_bounds_is_told_in_words(cls: type[Word], slot: str, edge: Gt | Ge | Lt | Le) -> None:
    limit = getattr(edge, type(edge).__name__.lower())
    step = {Gt: 0, Ge: -1, Lt: 0, Le: 1}[type(edge)]
    made = fields_of(cls)[slot]
    value = f"{limit + step:.0f}"
    if made.bare and made.bare.kinds == ("count",):
        value = f"x{value}"
    line = needed(cls)
    if made.bare:
        plain = next(part for part in line.split(" ") if _kind(part) in made.bare.kinds)
        line = line.replace(f" {plain}", f" {value}", 1)
    else:
        line = f"{without(line, slot)} {slot}={value}"
    if value.startswith("x-"):
        return  # no count is written so
    (error,) = (error for error in wrong(cls, line) if error.message.startswith(slot))
    assert error.code == "E202"
    assert error.message.startswith(f"{slot} must be")


def _kind(text: str) -> str | None:
    (line,), _ = parse_source(Source("a", f"word {text}"), known_words())
    assert isinstance(line, Pipeline) and isinstance(line.stages[0], Call)
    (argument,) = line.stages[0].arguments
    return getattr(argument, "kind", None)


def test_values_without_a_name_stand_in_any_order() -> None:
    conv = layers()["conv"]
    assert bound(conv, "conv 3x3 x8 relu") == bound(conv, "conv relu x8 stride=1 3x3")


def test_a_number_may_be_a_window_and_a_yes_may_be_written_in_many_ways() -> None:
    assert bound(layers()["conv"], "conv 3 x8") == bound(layers()["conv"], "conv 3 x8 bias=yes")
    for yes, no in (("yes", "no"), ("true", "false"), ("on", "off")):
        assert bound(layers()["dense"], f"dense 3 bias={yes}") == bound(layers()["dense"], "dense 3")
        assert bound(layers()["dense"], f"dense 3 bias={no}") == bound(layers()["dense"], "dense 3 bias=no")


@pytest.mark.parametrize(
    ("line", "code", "at", "help"),
    [
        ("conv 3x3 filters=8", "E102", "filters", "write x8 in place of filters=8"),
        ("conv 3x3 out_channels=8", "E102", "out_channels", "write x8 in place of out_channels=8"),
        ("conv x8 kernel_size=3x3", "E102", "kernel_size", "write 3x3 in place of kernel_size=3x3"),
        ("dense units=10", "E102", "units", "write 10 in place of units=10"),
        ("dense 10 activation=relu", "E102", "activation", "write relu in place of activation=relu"),
        ("maxpool pool_size=2", "E102", "pool_size", "write 2 in place of pool_size=2"),
        ("dropout p=0.5", "E102", "p", "write 0.5 in place of p=0.5"),
        ("train epochs=5", "E102", "epochs", "write 5 epochs in place of epochs=5"),
        ("train steps=500", "E102", "steps", "write 500 iterations in place of steps=500"),
        ("train 5 epochs batch_size=8", "E102", "batch_size", "here it is called batch: write batch=8"),
        ("conv 3x3 x8 padding=same", "E102", "padding", "here it is called pad: write pad=same"),
        ("conv 3x3 x8 PAD=same", "E102", "PAD", "here it is called pad: write pad=same"),
        ("conv 3x3 x8 name=stem", "E102", "name", "a layer is named in front of it: NAME: conv 3x3 x8"),
        ("conv 3x3 x8 in_channels=1", "E102", "in_channels", "leave it out: it follows from the layer before"),
        ("optimizer adam learning_rate=1", "E102", "learning_rate", "here it is called lr: write lr=1"),
        ("optimizer sgd momentum=0.9", "E102", "momentum", "momentum has it: write optimizer momentum … beta=0.9"),
        ("optimizer sgd eps=1", "E102", "eps", "rmsprop has it: write optimizer rmsprop … eps=1"),
        ("dense 10 stride=2", "E102", "stride", "conv has it: write conv … stride=2"),
        ("globalavgpool foo=3", "E102", "foo", "it has no options"),
        ("relu slope=0.1", "E102", "slope", "leaky_relu has it: write leaky_relu … slope=0.1"),
        ("conv 3x3 8", "E104", "8", "a number of filters is written x8"),
        ("conv 3x3 x8 same", "E103", "same", "name the option: pad=same"),
        ("maxpool 2 same", "E104", "same", "name the option: pad=same"),
        ("maxpool 2 stride", "E104", "stride", "stride is an option: write stride=…"),
        ("linear 10", "E104", "10", "did you mean dense?"),
        ("relu 0.1", "E104", "0.1", None),
        ("dense 10 20", "E106", "20", "leave one of them out"),
        ("dense x10", "E201", "x10", "write 10"),
        ("dense 3x3", "E201", "3x3", None),
        ("dense 1e3", "E201", "1e3", None),
        ("dense 10 rellu", "E103", "rellu", "did you mean relu?"),
        ("dense 10 swish", "E103", "swish", "did you mean silu?"),
        ("dense 10 init=kaiming", "E103", "kaiming", "did you mean he?"),
        ("train 5 epoch", "E103", "epoch", "did you mean epochs?"),
        ("conv 3x3 x8 pad=full", "E103", "full", "write valid, same or a whole number"),
        ("dense 10 bias=maybe", "E201", "maybe", "write yes or no"),
        ("dense 10 l1=a", "E201", "a", "write a number"),
        ("conv 3x3 x8 stride=1,2", "E201", "stride=1,2", "write stride=1, or another single value"),
        ("dense", "E105", "dense", "write dense 10 softmax"),
        ("conv 0x3 x8", "E202", "0x3", "write a value of 1 or more, such as 3x3"),
        ("conv 3x3 x8 pad=-1", "E202", "-1", "write a value of 0 or more"),
        ("dense 99999999999999999999", "E202", "99999999999999999999", None),
        ("input 1x1x1x1x1x1x1x1x1", "E202", "1x1x1x1x1x1x1x1x1", None),
        ("metrics accuracy, acc", "E103", "acc", "did you mean accuracy?"),
        ("metrics accuracy accuracy", "E106", "accuracy", "leave one of them out"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_argument_is_told_at_its_place(line: str, code: str, at: str, help: str | None) -> None:
    first, second = [*line.split(" "), ""][:2]
    cls = layers().get(first) or statements()[first].get(first) or statements()[first][second]
    (error,) = wrong(cls, line)
    assert (error.code, error.span.text, error.help) == (code, at, help)


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ("conv 3x3 x8 rellu pad=-1 strides=2 dilation=a", "E103", "rellu"),
        ("conv 3x3 x8 pad=-1 strides=2 dilation=a", "E102", "strides"),
        ("conv 0x3 x0 pad=-1", "E202", "0x3"),
    ],
)
def test_the_first_misfit_of_a_call_is_told_and_the_rest_of_it_is_not_judged(line: str, code: str, place: str) -> None:
    (error,) = wrong(layers()["conv"], line)
    assert (error.code, error.span.text) == (code, place)


def test_it_is_known_which_field_each_argument_fills() -> None:
    line = "train batch=3 5 epochs"
    assert fields_filled(statements()["train"]["train"], arguments(statements()["train"]["train"], line)) == {
        0: "batch", 1: "length", 2: "unit"
    }  # fmt: skip
    assert fields_filled(statements()["train"]["train"], ()) == {}


@pytest.mark.parametrize(
    ("call", "help"),
    [
        ("conv 5 x4 pad=causal", "write the zeros before and after the steps, as in pad=4x0 for a window of 5"),
        ("maxpool 2 pad=blank", "write valid, same or a whole number"),
        ("lstm 4 return=all", "write last or sequence"),
    ],
)
def test_a_value_that_an_option_has_not_is_answered_with_those_that_it_has(call: str, help: str) -> None:
    (error,) = wrong(layers()[call.split()[0]], call)
    assert (error.code, error.help) == ("E103", help)
