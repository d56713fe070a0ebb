"""What the trials of a sweep say together."""

from pathlib import Path

import pytest

from nnspec.runtime.sweep.ranking import larger_is_better, ranking
from nnspec.runtime.sweep.trial import Outcome, State, Trial, TrialResult


def result(group: str, seed: int, value: float | None, state: State = "done") -> TrialResult:
    metrics = {} if value is None else {"validation_accuracy": value, "validation_loss": value}
    return TrialResult(Trial(group, None, {}, seed, "x"), Outcome(state, metrics), Path(group))


def test_the_best_mean_comes_first_with_the_deviation_of_the_sample() -> None:
    trials = [result("a", 1, 0.5), result("a", 2, 0.7), result("b", 1, 0.9), result("c", 1, None, "failed")]
    first, second, last = ranking(trials, "validation_accuracy")
    assert (first.name, first.mean, first.deviation, first.seeds) == ("b", 0.9, None, (1,))
    assert (second.name, second.mean, second.seeds) == ("a", pytest.approx(0.6), (1, 2))
    assert second.deviation == pytest.approx(0.1414213562)
    assert (last.name, last.mean, last.others) == ("c", None, ("failed",))
    assert [rank.name for rank in ranking(trials, "validation_loss")] == ["a", "b", "c"]


def test_a_trial_that_did_not_come_to_its_end_does_not_count() -> None:
    trials = [result("a", 1, 0.5), result("a", 2, 0.9, "pruned"), result("a", 3, 0.9, "interrupted")]
    (rank,) = ranking(trials, "validation_accuracy")
    assert (rank.mean, rank.seeds, rank.others) == (0.5, (1,), ("pruned", "interrupted"))


@pytest.mark.parametrize(
    ("metric", "larger"), [("validation_accuracy", True), ("loss", False), ("test_rmse", False), ("training_r2", True)]
)
def test_each_metric_has_its_direction(metric: str, larger: bool) -> None:
    assert larger_is_better(metric) is larger
