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
    assert mended[: fix.span.start] == text[: fix.span.start]
    assert mended[len(mended) - len(text) + fix.span.end :] == text[fix.span.end :]
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
