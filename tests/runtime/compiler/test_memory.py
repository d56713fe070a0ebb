"""Buffers that are alive at the same time do not share memory; others do."""

from hypothesis import given
from hypothesis import strategies as st

from nnspec.runtime.compiler.memory import Lifetime, plan_memory
from tests.support.spec_texts import cases

LIFETIMES = st.builds(
    lambda size, first, length: Lifetime(size, first, first + length),
    st.integers(1, 50),
    st.integers(0, 9),
    st.integers(0, 4),
)


@cases(200)
@given(st.lists(LIFETIMES, max_size=12))
def test_no_two_buffers_overlap_that_are_alive_at_the_same_time(buffers: list[Lifetime]) -> None:
    plan = plan_memory(buffers)
    for i, one in enumerate(buffers):
        assert plan.offsets[i] % 4 == 0 and plan.offsets[i] + one.size <= plan.size
        for j, other in enumerate(buffers[:i]):
            apart = plan.offsets[i] + one.size <= plan.offsets[j] or plan.offsets[j] + other.size <= plan.offsets[i]
            assert apart or not one.meets(other)


def test_a_chain_needs_the_memory_of_its_two_largest_neighbours() -> None:
    chain = [Lifetime(8, 0, 1), Lifetime(100, 1, 2), Lifetime(40, 2, 3), Lifetime(60, 3, 4), Lifetime(4, 4, 5)]
    assert plan_memory(chain).size == 140
    assert plan_memory([]) == ((), 0)
