"""The schedules at times where their factors are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.runtime.schedules import PlateauState, factor
from nnspec.spec_lang.vocabulary.schedules import (
    ConstantRate,
    Cosine,
    CosineRestarts,
    Exponential,
    Linear,
    Milestones,
    OneCycle,
    Plateau,
    Schedule,
    StepDecay,
)

TIMED = [ConstantRate, Cosine, Exponential, Linear, Plateau]


def test_constant_and_plateau_leave_the_rate_to_others() -> None:
    assert factor(ConstantRate(), 7, 10) == factor(Plateau(), 7, 10) == 1


def test_step_falls_at_the_end_of_each_stretch() -> None:
    word = StepDecay(factor=0.5, every=10)
    assert [factor(word, time, 100) for time in (0, 9, 10, 19, 20, 30)] == [1, 1, 0.5, 0.5, 0.25, 0.125]


def test_step_falls_on_time_where_times_are_fractions() -> None:
    assert factor(StepDecay(factor=0.5, every=0.1), 3 / 10, 1) == 0.125  # 3 / 10 / 0.1 is 2.9999999999999996
    assert factor(StepDecay(factor=0.5, every=0.1), 0.29, 1) == 0.25


def test_the_schedule_of_the_notes() -> None:
    assert factor(StepDecay(factor=0.96, every=5000), 49_999, 50_000) == pytest.approx(0.96**9)


def test_exponential_falls_with_each_step() -> None:
    assert factor(Exponential(factor=0.5, every=2), 3, 100) == pytest.approx(0.5**1.5)


def test_cosine_falls_from_one_over_the_middle_to_the_floor() -> None:
    assert [factor(Cosine(), time, 8) for time in (0, 2, 4, 8)] == pytest.approx(
        [1, (1 + math.sqrt(0.5)) / 2, 0.5, 0], abs=1e-15
    )
    assert [factor(Cosine(floor=0.2), time, 8) for time in (0, 4, 8, 9)] == pytest.approx([1, 0.6, 0.2, 0.2])


def test_milestones_fall_each_at_its_time_and_stay() -> None:
    word = Milestones(at=(3, 6, 8), factor=0.1)
    assert [factor(word, time, 10) for time in (0, 2.9, 3, 5, 6, 7.9, 8, 100)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    )


def test_a_milestone_of_a_fraction_is_reached_on_time() -> None:
    assert factor(Milestones(at=(0.3,)), 3 * 0.1 - 1e-17, 1) == 0.1
    assert factor(Milestones(at=(0.3,)), 0.1 * 3, 1) == 0.1  # 0.30000000000000004
    assert factor(Milestones(at=(0.1 * 3,)), 0.3, 1) == 0.1


def test_cosine_restarts_at_one_and_each_fall_lasts_longer() -> None:
    word = CosineRestarts(every=2, mult=2, floor=0.5)
    assert [factor(word, time, 100) for time in (0, 1, 2, 4, 6, 10, 14)] == pytest.approx(
        [1, 0.75, 1, 0.75, 1, 0.75, 1]
    )
    assert factor(word, 2 - 1e-6, 100) == pytest.approx(0.5)
    assert factor(CosineRestarts(every=0.1), 3 / 10, 1) == 1  # 3 / 10 / 0.1 is 2.9999999999999996


def test_linear_ends_with_the_training_or_where_it_says_so_and_stays() -> None:
    assert [factor(Linear(), time, 8) for time in (0, 2, 8, 9)] == [1, 0.75, 0, 0]
    assert [factor(Linear(start_factor=0.5, end_factor=2, over=3), time, 8) for time in (0, 2, 3, 7)] == [
        0.5,
        1.5,
        2,
        2,
    ]


def test_one_cycle_rises_to_its_highest_rate_and_ends_with_the_last_step_far_below_its_first() -> None:
    word = OneCycle(max_factor=2, div_factor=4, final_div_factor=10, pct_start=0.3)
    rates = [factor(word, step / 10, 2, 0.1) for step in range(20)]
    assert rates[0] == 0.5 and rates[5] == max(rates) == 2 and rates[-1] == pytest.approx(0.05)
    assert rates[:6] == sorted(rates[:6]) and rates[5:] == sorted(rates[5:], reverse=True)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_very_few_steps_has_rates_between_its_last_and_its_highest(share: float, steps: int) -> None:
    word = OneCycle(pct_start=share)
    assert all(0 < factor(word, step, steps, 1) <= 1 for step in range(steps))


@pytest.mark.parametrize("cls", TIMED)
def test_the_warm_up_is_a_straight_line_and_the_schedule_begins_at_its_end(cls: type[Schedule]) -> None:
    word = cls(warmup=4)
    assert [factor(word, time, 20) for time in (0, 1, 2, 3, 4)] == [0, 0.25, 0.5, 0.75, 1]
    assert factor(word, 11, 20) == factor(cls(), 7, 16)


def test_a_warm_up_as_long_as_the_training_leaves_nothing_to_the_schedule() -> None:
    assert factor(Cosine(warmup=10), 9, 10) == 0.9
    assert factor(Cosine(warmup=10), 10, 10) == 0


@given(
    word=st.sampled_from(
        [cls(warmup=w) for cls in TIMED for w in (0, 3)]
        + [StepDecay(every=4), StepDecay(every=0.3, warmup=1), Milestones(at=(2, 5)), OneCycle()]
        + [CosineRestarts(every=0.3), CosineRestarts(every=1, mult=1.5, floor=0.2)]
    ),
    time=st.floats(0, 30),
)
def test_a_factor_is_never_below_zero_or_above_one(word: Schedule, time: float) -> None:
    assert 0 <= factor(word, time, 20) <= 1


def test_a_plateau_waits_patience_evaluations_and_falls_at_the_next() -> None:
    word, state = Plateau(factor=0.5, patience=2, min_delta=0.1), PlateauState()
    factors = []
    for loss in [1.0, 0.95, 0.92, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8]:
        state = state.update(word, loss)
        factors.append(state.factor)
    assert factors == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert state == PlateauState(best=0.8, wait=1, factor=0.25)


def test_a_plateau_without_patience_falls_at_once() -> None:
    state = PlateauState().update(Plateau(patience=0), 1.0).update(Plateau(patience=0), 1.0)
    assert state.factor == 0.1


def test_a_loss_that_is_no_number_is_no_improvement() -> None:
    assert PlateauState(best=1.0).update(Plateau(), math.nan) == PlateauState(best=1.0, wait=1)
