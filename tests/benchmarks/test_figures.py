import math
from typing import Any

import pytest

from benchmarks import figures
from benchmarks.figures import Timing


def result(kind: Any = "train", goal: Any = 2.0, flops: Any = 0, **ways: Any) -> Any:
    """A workload's result: the seconds of each way, written peer__way."""
    found = [dict(zip(("peer", "way"), key.split("__"), strict=True), seconds=seconds) for key, seconds in ways.items()]
    return {"name": "W", "kind": kind, "goal": goal, "flops": flops, "gemm_flops": 1000, "ways": found}


def test_a_timing_has_the_median_and_the_fastest_of_its_rounds() -> None:
    timing = Timing("torch", "eager", (5.0, 1.0, 3.0))
    assert (timing.median, timing.fastest) == (3.0, 1.0)


def test_the_best_way_of_a_peer_is_the_one_of_the_smallest_median_not_of_the_fastest_round() -> None:
    found = result(torch__steady=[2.0, 2.0, 2.0], torch__lucky=[0.5, 9.0, 9.0], jax__jit=[1.0, 1.0, 1.0])
    assert figures.best(found, "torch").way == "steady"


def test_a_peer_that_took_no_part_has_no_best_way() -> None:
    assert figures.best(result(torch__eager=[1.0]), "jax") is None


def test_times_as_fast_compares_what_stood_in_one_round() -> None:
    slow_machine_in_the_second_round = Timing("torch", "", (4.0, 40.0, 4.0)), Timing("nnspec", "", (1.0, 10.0, 2.0))
    assert figures.times_as_fast(*slow_machine_in_the_second_round) == 4.0


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        figures.times_as_fast(Timing("torch", "", (1.0, 2.0)), Timing("nnspec", "", (1.0,)))


def test_a_goal_is_about_what_users_call_even_where_the_planned_step_is_faster() -> None:
    found = result(torch__eager=[6.0], nnspec__planned=[1.0], nnspec__train=[3.0])
    assert figures.reached(found) == 2.0
    assert figures.reached(found, figures.way(found, "nnspec", "planned")) == 6.0


def test_nothing_is_reached_without_both_peers() -> None:
    assert figures.reached(result(torch__eager=[1.0])) is None
    assert figures.reached(result(nnspec__train=[1.0])) is None


def test_the_share_of_the_peak_is_the_speed_of_a_step_by_that_of_the_product_in_the_same_round() -> None:
    found = result(flops=500, nnspec__train=[1.0, 2.0], machine__gemm=[1.0, 2.0])
    used = figures.as_used(found)
    assert used is not None and figures.share_of_peak(found, used) == 0.5


def test_there_is_no_share_of_the_peak_without_products_or_without_the_peak() -> None:
    without_products = result(nnspec__train=[1.0], machine__gemm=[1.0])
    without_peak = result(flops=500, nnspec__train=[1.0])
    for found in (without_products, without_peak):
        used = figures.as_used(found)
        assert used is not None and figures.share_of_peak(found, used) is None


def test_the_slope_of_a_power_is_its_exponent() -> None:
    sizes = [1, 2, 4, 8]
    assert figures.slope(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)
    assert figures.slope(sizes, [7.0] * 4) == pytest.approx(0.0)


def test_a_slope_of_one_point_is_refused() -> None:
    with pytest.raises(ValueError, match="two points"):
        figures.slope([1], [1.0])


def test_growing_looks_at_the_larger_half_of_the_sizes() -> None:
    seconds = [1.0, 1.0, 2.0, 4.0]
    growth = {"sizes": [1, 2, 4, 8], "results": [result(nnspec__planned=[value]) for value in seconds]}
    assert figures.growing(growth, "nnspec") == pytest.approx(1.0)
    assert figures.growing(growth, "torch") is None


def test_the_difference_of_losses_is_relative_and_small_numbers_count_as_a_thousandth() -> None:
    assert figures.difference([1.0, 2.2], [1.0, 2.0]) == pytest.approx(0.1)
    assert figures.difference([2e-6], [1e-6]) == pytest.approx(1e-3)
    assert figures.difference([], []) == 0.0


@pytest.mark.parametrize("other", [[1.0], [1.0, math.nan], [1.0, math.inf]])
def test_losses_that_cannot_be_compared_are_infinitely_far_apart(other: Any) -> None:
    assert figures.difference(other, [1.0, 2.0]) == math.inf


def test_a_rewrite_gains_what_a_step_without_it_takes_longer_in_the_same_round() -> None:
    ways = [
        {"peer": "nnspec", "way": "planned", "seconds": [1.0, 2.0, 4.0]},
        {"peer": "nnspec", "way": "without blocks", "seconds": [3.0, 4.0, 12.0]},
        {"peer": "nnspec", "way": "train", "seconds": [9.0, 9.0, 9.0]},
    ]
    assert figures.gains({"ways": ways}) == {"blocks": 3.0}
    assert figures.gains({"ways": ways[1:]}) == {}
