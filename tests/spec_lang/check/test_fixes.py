"""Every fix that is offered mends: the error is gone, no new one has come, and nothing else has changed."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.spec_lang.report.diagnostics import Diagnostic
from tests.spec_lang.collection import Case, applied, cases
from tests.support.spec_findings import NAME, errors_of

SPECS = (
    "input 28x28x1\nconv 3x3 x8 relu -> maxpool 2 -> dense 10 softmax\noptimizer adam lr=0.1\ntrain 5 epochs\n",
    "input 8x3\nlet width = 4\nlstm $width return=sequence -> dropout 0.5 -> dense 2\nloss mse\nmetrics rmse, r2\n",
    "input 4\nblock res(w) = (dense $w relu + skip)\ndense 8 -> repeat 2 (res 8) -> dense 3 softmax\n",
    "input 6x6\n(conv 3x3 x2 pad=same | conv 1x1 x2) -> globalavgpool -> dense 1 sigmoid\nschedule step every=5\n",
)
TYPED = (
    " ", "", "=", ",", ";", ":", "->", "=>", "(", ")", "x", "10", "0.5", "relu", '"', "'", "%", "k", "-", "_",
    "maxpool 2",     "batch", "\n", "[", "]", "x8", " = ", ": ", "+", "dense",
)  # fmt: skip


@st.composite
def typing_errors(draw: st.DrawFn) -> str:
    """A sound spec with a slip of the hand or two."""
    text = draw(st.sampled_from(SPECS))
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text) - 1))
        end = start + draw(st.integers(0, 3))
        text = text[:start] + draw(st.sampled_from(TYPED)) + text[end:]
    return text


def kinds(errors: list[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter((error.code, error.message) for error in errors)


def assert_mends(text: str, error: Diagnostic) -> None:
    """The fix of an error leaves the other errors, and brings none in the text that it writes."""
    assert error.fix is not None
    mended, fix = applied(error), error.fix
    last = fix.spans[-1]
    assert mended[: fix.span.start] == text[: fix.span.start]
    assert mended[len(mended) - len(text) + last.end :] == text[last.end :]
    left = errors_of(mended)
    inside = [
        found for found in left
        if found.span.source.name == NAME and fix.span.start <= found.span.start < fix.span.start + len(fix.text)
        and found.code in ("E002", "E101", "E102", "E103", "E104", "E105", "E106", "E201")
    ]  # fmt: skip
    if error.code == "E107":  # lines that join the network are judged for the first time
        inside = []
    assert inside == [], (text, mended, [found.message for found in inside])
    assert kinds(left)[error.code, error.message] < kinds(errors_of(text))[error.code, error.message] or not left


@settings(max_examples=300, deadline=None, derandomize=True)
@given(typing_errors())
def test_a_fix_of_a_slip_of_the_hand_mends(text: str) -> None:
    for error in errors_of(text):
        if error.fix is not None:
            assert_mends(text, error)


@pytest.mark.parametrize("case", [case for case in cases() if case.fix != "none"], ids=lambda case: case.text.strip())
def test_a_fix_of_the_collection_leaves_no_error(case: Case) -> None:
    (error,) = errors_of(case.text)
    assert errors_of(applied(error)) == []


USES = "input 8x8x1\nlet width = 4\nconv 3 x$widht -> conv 3 x$widht -> flatten\n-> dense $widht -> dense 2 softmax\n"


def test_a_name_without_a_value_is_reported_once_and_its_fix_mends_every_use() -> None:
    (error,) = errors_of(USES)
    assert (error.span.text, error.span.source.place(error.span.start)) == ("x$widht", (3, 8))
    assert error.notes == ("2 more uses, in lines 3 and 4",)
    assert errors_of(applied(error)) == []
    assert applied(error) == USES.replace("widht", "width")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("input 4\ndense $a relu -> dense $a softmax\ntrain $a epochs", "2 more uses, in lines 2 and 3"),
        ("let b = $a\ninput 4\ndense $b -> dense $a\noptimizer adam lr=$a", "2 more uses, in lines 3 and 4"),
        ("block two() = (dense $a -> dense $a)\ninput 4\nrepeat 3 (two) -> two -> dense 2", "1 more use, in line 1"),
        ("input 4\ndense $a\nvariant wide {\n  dense $a -> dense $a\n}", "2 more uses, in line 4"),
        ("input 4\n" + "\n-> ".join(["dense $a"] * 9), "8 more uses, in lines 3, 4, 5, 6 and 4 others"),
        ("input 4\n" + " -> ".join(["dense $a"] * 2000), "1,999 more uses, in line 2"),
    ],
)
def test_the_other_uses_of_a_name_that_is_nowhere_are_counted(text: str, note: str) -> None:
    (error,) = errors_of(text)
    assert (error.message, error.notes) == ('nothing gives "$a" a value', (note,))
    assert error.fix is None and error.span.start == text.index("$a")


def test_uses_that_mean_different_names_are_different_mistakes() -> None:
    text = "block one(width) = dense $widht\ninput 4\none 3 -> dense $widht -> dense $widht"
    inside, outside = errors_of(text)
    assert [error.fix and error.fix.text for error in (inside, outside)] == ["$width", None]
    assert outside.notes == ("1 more use, in line 3",)
