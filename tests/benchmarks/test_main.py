import pytest

from benchmarks.__main__ import LEAST_ROUNDS, unpublished_because


def run(rounds=LEAST_ROUNDS, others=0.0, absent=(), growths=("some",)):
    return {
        "effort": {"rounds": rounds},
        "others": others,
        "absent": dict.fromkeys(absent, "missing"),
        "growths": growths,
    }


def test_a_whole_run_on_a_quiet_machine_is_published():
    assert unpublished_because(run(), failed=False, complete=True) == []


@pytest.mark.parametrize(
    ("found", "failed", "complete", "reason"),
    [
        (run(), True, True, "a peer failed"),
        (run(), False, False, "not every workload"),
        (run(absent=["jax"]), False, True, "not every workload"),
        (run(rounds=LEAST_ROUNDS - 1), False, True, "fewer than"),
        (run(growths=()), False, True, "scaling"),
        (run(others=0.5), False, True, "other processes used 50%"),
    ],
)
def test_figures_are_not_published_from_a_run_that(found, failed, complete, reason):
    (why,) = unpublished_because(found, failed, complete)
    assert reason in why
