from typing import Any

import pytest

from benchmarks.__main__ import LEAST_ROUNDS, unpublished_because


def run(
    rounds: Any = LEAST_ROUNDS, others: Any = 0.0, absent: Any = (), growths: Any = ("some",), busy: Any = ("some",)
) -> Any:
    return {
        "accuracy": ("some",),
        "lanes": ("some",),
        "busy": busy,
        "effort": {"rounds": rounds},
        "others": others,
        "absent": dict.fromkeys(absent, "missing"),
        "growths": growths,
    }


def test_a_whole_run_on_a_quiet_machine_is_published() -> None:
    assert unpublished_because(run(), failed=False, complete=True) == []


@pytest.mark.parametrize(
    ("found", "failed", "complete", "reason"),
    [
        (run(), True, True, "a peer failed"),
        (run(), False, False, "not every workload"),
        (run(absent=["jax"]), False, True, "not every workload"),
        (run(rounds=LEAST_ROUNDS - 1), False, True, "fewer than"),
        (run(growths=()), False, True, "scaling"),
        (run(busy=()), False, True, "a part failed"),
        (run(others=0.5), False, True, "other processes used 50%"),
    ],
)
def test_figures_are_not_published_from_a_run_that(found: Any, failed: bool, complete: bool, reason: str) -> None:
    (why,) = unpublished_because(found, failed, complete)
    assert reason in why
