"""The metrics, one family a file: how good the outputs are over a whole split of the data."""

from collections.abc import Callable
from typing import Any

from nnspec.runtime.arrays import Array
from nnspec.runtime.metrics.answers import Answers
from nnspec.runtime.registry import Registry
from nnspec.runtime.targets import TargetError
from nnspec.spec_lang.vocabulary.metrics import Metric

METRICS: Registry[Callable[[Any, Answers], float]] = Registry(__name__)
"""The function (word, answers) of every metric, by the class of its word."""

implements_metric = METRICS.implements


def measure(word: Metric, outputs: Array, targets: Array, threshold: float = 0.5) -> float:
    """Return the metric of the network's outputs (sample, …) and their targets.

    Metrics of classification take probabilities or scores (sample, classes) and the true classes (sample,), or both
    with a time axis; a single output counts as two classes, the second from `threshold` on. Some also take several
    labels of 0 or 1, (sample, labels) as the outputs. Metrics of regression take numbers.
    Raises TargetError if the targets do not fit the outputs or there are no samples.
    """
    if not len(outputs):
        raise TargetError("there is nothing to measure: this split of the data has no samples")
    return METRICS[type(word)](word, Answers(outputs, targets, threshold))


def confusion_counts(outputs: Array, targets: Array, classes: int, threshold: float = 0.5) -> Array:
    """Return how often class i (row) was predicted as class j (column), (classes, classes).

    Outputs and targets are those of a classification, as in `measure`; `classes` is 2 for a single output. Raises
    TargetError if the outputs have another number of classes, or the targets do not fit them.
    """
    answers = Answers(outputs, targets, threshold)
    if answers.scores.shape[-1] != classes:
        raise TargetError(f"the outputs are of {answers.scores.shape[-1]} classes, and {classes} were asked for")
    return answers.confusion()
