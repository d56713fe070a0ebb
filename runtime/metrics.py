"""The metrics: how good the outputs are over a whole split of the data."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.runtime.targets import PADDING, TargetError, as_classes, as_numbers
from nnspec.spec_lang.vocabulary.metrics import F1, R2, Accuracy, MaeMetric, Metric, Perplexity, Rmse, Top3

METRICS: Registry[Callable[[Any, Array, Array], float]] = Registry(__name__)
"""The function (word, outputs, targets) of every metric, by the class of its word."""

implements_metric = METRICS.implements


def measure(word: Metric, outputs: Array, targets: Array) -> float:
    """Return the metric of the network's outputs (sample, …) and their targets.

    Metrics of classification take probabilities (sample, classes) and the true classes (sample,), or both with a time
    axis; a single sigmoid output counts as two classes with the threshold 0.5. Accuracy and f1 also take several labels
    of 0 or 1, (sample, labels) as the outputs. Metrics of regression take numbers.
    Raises TargetError if the targets do not fit the outputs or there are no samples.
    """
    if not len(outputs):
        raise TargetError("there is nothing to measure: this split of the data has no samples")
    return METRICS[type(word)](word, outputs, targets)


@implements_metric(Accuracy)
def accuracy(word: Accuracy, outputs: Array, targets: Array) -> float:
    """Return the fraction of samples whose most probable class, the first of equals, is the true one.

    Of several labels, each 0 or 1, return the fraction of those that the threshold 0.5 gets right.
    """
    if _has_labels(outputs, targets):
        return float(np.mean((outputs >= 0.5) == (targets >= 0.5)))
    probabilities, truth = _classified(outputs, targets)
    return float(np.mean(probabilities.argmax(axis=-1) == truth))


@implements_metric(Top3)
def top3(word: Top3, outputs: Array, targets: Array) -> float:
    """Return the fraction of samples whose true class is one of the three most probable; of equals the first counts."""
    probabilities, truth = _classified(outputs, targets)
    best = np.argsort(-probabilities, axis=-1, kind="stable")[:, :3]
    return float(np.mean((best == truth[:, None]).any(axis=-1)))


@implements_metric(F1)
def f1(word: F1, outputs: Array, targets: Array) -> float:
    """Return the mean over classes of 2 · hits / (times predicted + times true), the harmonic mean of the two rates.

    Classes that are neither predicted nor true are left out. Of several labels it is the mean over those, where 1 is
    predicted from 0.5 on.
    """
    if _has_labels(outputs, targets):
        said, true = (array.reshape(-1, outputs.shape[-1]) >= 0.5 for array in (outputs, targets))
        hits, seen = (said & true).sum(axis=0), said.sum(axis=0) + true.sum(axis=0)
        return float(np.mean(2 * hits[seen > 0] / seen[seen > 0])) if seen.any() else 1.0
    probabilities, truth = _classified(outputs, targets)
    counts = _counts(probabilities.argmax(axis=-1), truth, probabilities.shape[-1])
    hits, seen = counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1)
    occurs = seen > 0
    return float(np.mean(2 * hits[occurs] / seen[occurs]))


@implements_metric(Perplexity)
def perplexity(word: Perplexity, outputs: Array, targets: Array) -> float:
    """Return exp of the mean of −log p[true class]: the number of equally probable classes as uncertain as this."""
    probabilities, truth = _classified(outputs, targets)
    found = np.take_along_axis(probabilities, truth[:, None], axis=-1).astype(np.float64)
    return float(np.exp(-np.mean(np.log(np.maximum(found, np.finfo(np.float64).tiny)))))


@implements_metric(MaeMetric)
def mae(word: MaeMetric, outputs: Array, targets: Array) -> float:
    """Return mean |y − t|."""
    return float(np.mean(np.abs(_difference(outputs, targets))))


@implements_metric(Rmse)
def rmse(word: Rmse, outputs: Array, targets: Array) -> float:
    """Return √ mean (y − t)²."""
    return float(np.sqrt(np.mean(np.square(_difference(outputs, targets)))))


@implements_metric(R2)
def r2(word: R2, outputs: Array, targets: Array) -> float:
    """Return 1 − Σ (y − t)² / Σ (t − mean t)² over the samples, then the mean over the outputs.

    An output whose targets are all equal has no variance to explain: it counts 1 if it equals them exactly, else 0.
    """
    truth = as_numbers(targets, outputs.astype(np.float64)).reshape(len(outputs), -1)  # (sample, output)
    missed = np.square(outputs.reshape(truth.shape) - truth).sum(axis=0)
    variance = np.square(truth - truth.mean(axis=0)).sum(axis=0)
    varies = variance > 0
    scores = np.where(varies, 1 - missed / np.where(varies, variance, 1), missed == 0)
    return float(scores.mean())


def confusion_counts(outputs: Array, targets: Array, classes: int) -> Array:
    """Return how often class i (row) was predicted as class j (column), (classes, classes).

    Outputs and targets are those of a classification, as in `measure`; `classes` is 2 for a single sigmoid. Raises
    TargetError if the outputs have another number of classes, or the targets do not fit them.
    """
    probabilities, truth = _classified(outputs, targets)
    if probabilities.shape[-1] != classes:
        raise TargetError(f"the outputs are of {probabilities.shape[-1]} classes, and {classes} were asked for")
    return _counts(probabilities.argmax(axis=-1), truth, classes)


def _has_labels(outputs: Array, targets: Array) -> bool:
    """Return whether targets are several labels for each output rather than one class."""
    return outputs.ndim > 1 and outputs.shape[-1] > 1 and targets.shape == outputs.shape


def _classified(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return probabilities (place, classes) and true classes (place,), with all axes merged and padding removed."""
    if outputs.ndim == targets.ndim == 1:
        outputs = outputs[:, None]
    if outputs.shape[-1] == 1:
        targets = targets.reshape(outputs.shape[:-1]) if targets.shape == outputs.shape else targets
        outputs = np.concatenate([1 - outputs, outputs], axis=-1)
    truth = as_classes(targets, outputs).reshape(-1)
    probabilities, real = outputs.reshape(-1, outputs.shape[-1]), truth != PADDING
    return (probabilities, truth) if real.all() else (probabilities[real], truth[real])


def _counts(predicted: Array, truth: Array, classes: int) -> Array:
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _difference(outputs: Array, targets: Array) -> Array:
    """Return y − t in float64."""
    outputs = outputs.astype(np.float64)
    difference: Array = outputs - as_numbers(targets, outputs)
    return difference
