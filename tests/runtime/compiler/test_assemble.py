"""Whole plans: that a planned network is the plain one, whatever it is made of, and that its text is a program."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.compiler.both import Both
from tests.strategies import networks


@settings(max_examples=200, deadline=None)
@given(text=networks(), size=st.integers(1, 5))
def test_a_planned_network_is_the_plain_one(text: str, size: int) -> None:
    both = Both.of(text)
    both.assert_planned_is_plain(*both.drafts(size))
