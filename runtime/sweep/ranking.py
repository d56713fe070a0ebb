"""What the trials of a sweep say together: the mean and the deviation of a metric over the seeds, best first."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nnspec.runtime.data import Data
from nnspec.runtime.sweep.trial import TrialResult
from nnspec.runtime.train.monitor import Monitor
from nnspec.spec_lang.check.fit import TRAINING, VALIDATION
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.metrics import Metric
from nnspec.spec_lang.vocabulary.registry import words

TEST = "test_"


@dataclass(frozen=True)
class Rank:
    """The trials with the same settings, over their seeds.

    `mean` and `deviation` (of the sample, n − 1) are those of the metric over the trials that have it, None where there
    are too few. `seeds` are the seeds of these trials, and `others` the states of the other ones.
    """

    name: str
    mean: float | None
    deviation: float | None
    seeds: tuple[int, ...]
    others: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the rank as an object of `sweep.json`."""
        return {"name": self.name, "mean": self.mean, "deviation": self.deviation, "seeds": list(self.seeds)}


def default_metric(spec: Spec, data: Data) -> str:
    """Return the metric that ranks the trials of a spec: what early_stop watches, else the first metric, else the loss.

    It is that of the validation split, which no trial has learnt from and which leaves the test split unseen; without
    one that of the test split, without both the training loss.
    """
    if spec.early_stop is not None:
        return Monitor.of(spec, data).name
    first = spec.metrics[0].word if spec.metrics else "loss"
    if data.validation is not None:
        return f"{VALIDATION}{first}"
    return f"{TEST}{first}" if data.test is not None else "loss"


def larger_is_better(metric: str) -> bool:
    """Return whether more of a metric is better. It is named with its split, such as validation_accuracy."""
    for split in (VALIDATION, TRAINING, TEST):
        metric = metric.removeprefix(split)
    found = words("metric").get(metric)
    return found is not None and issubclass(found, Metric) and found.larger_is_better


def ranking(results: Iterable[TrialResult], metric: str) -> list[Rank]:
    """Return the groups of trials, the best mean first; groups without a finished trial last, in their own order.

    Only trials at their end count: one that was pruned or interrupted has seen less of its training.
    """
    groups: dict[str, list[TrialResult]] = {}
    for result in results:
        groups.setdefault(result.trial.group, []).append(result)
    ranks = [_rank(name, trials, metric) for name, trials in groups.items()]
    sign = -1 if larger_is_better(metric) else 1
    return sorted(ranks, key=lambda rank: math.inf if rank.mean is None else sign * rank.mean)


def _rank(name: str, trials: Sequence[TrialResult], metric: str) -> Rank:
    found = [
        (trial.seed, trial.metrics[metric]) for trial in trials if trial.state == "done" and metric in trial.metrics
    ]
    others = tuple(trial.state for trial in trials if trial.state != "done")
    seeds, values = tuple(seed for seed, _ in found), [value for _, value in found]
    mean = statistics.fmean(values) if values else None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Rank(name, mean, deviation, seeds, others)
