"""Metrics of predicted classes and labels, by how often each was predicted and true."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.metrics import implements_metric
from nnspec.runtime.metrics.answers import Answers
from nnspec.spec_lang.vocabulary.metrics import F1, Accuracy, Averaged, BalancedAccuracy, Iou, Precision, Recall


@implements_metric(Accuracy)
def accuracy(word: Accuracy, answers: Answers) -> float:
    """Return the fraction of samples whose most probable class, the first of equals, is the true one.

    Of several labels, each 0 or 1, return the fraction of those that are predicted rightly.
    """
    if answers.labelled:
        said, true = answers.labels
        return float(np.mean(said == true))
    return float(np.mean(answers.predicted == answers.truth))


@implements_metric(BalancedAccuracy)
def balanced_accuracy(word: BalancedAccuracy, answers: Answers) -> float:
    """Return the mean of hits / times true over the classes that occur."""
    hits, _, true = answers.counts()
    return float(np.mean(hits[true > 0] / true[true > 0]))


@implements_metric(Precision)
def precision(word: Precision, answers: Answers) -> float:
    """Return hits / times predicted, averaged."""
    hits, said, true = answers.counts()
    return _averaged(word, answers, hits, said, true)


@implements_metric(Recall)
def recall(word: Recall, answers: Answers) -> float:
    """Return hits / times true, averaged."""
    hits, said, true = answers.counts()
    return _averaged(word, answers, hits, true, true, said)


@implements_metric(F1)
def f1(word: F1, answers: Answers) -> float:
    """Return 2 · hits / (times predicted + times true), the harmonic mean of precision and recall, averaged."""
    hits, said, true = answers.counts()
    return _averaged(word, answers, 2 * hits, said + true, true)


@implements_metric(Iou)
def iou(word: Iou, answers: Answers) -> float:
    """Return hits / (times predicted + times true − hits), intersection over union, averaged (Jaccard 1912)."""
    hits, said, true = answers.counts()
    return _averaged(word, answers, hits, said + true - hits, true)


def _averaged(
    word: Averaged, answers: Answers, parts: Array, wholes: Array, true: Array, said: Array | None = None
) -> float:
    """Return the average of part / whole, (classes,), as `average` says.

    Classes that are neither predicted nor true have no part in it; where there is no other, it is 1. A class whose
    whole is 0 otherwise has 0.
    """
    if word.average == "binary":
        answers.require_two(f"{word.word} average=binary")
        parts, wholes, true = parts[1:], wholes[1:], true[1:]
        said = said[1:] if said is not None else None
    if word.average == "micro":
        return float(parts.sum() / wholes.sum()) if wholes.sum() else float(not true.sum())
    occurs = (wholes + true + (0 if said is None else said)) > 0
    if not occurs.any():
        return 1.0
    values = np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)
    if word.average == "weighted" and true.sum():
        return float(np.average(values, weights=true))
    return float(values[occurs].mean())
