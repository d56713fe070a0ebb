"""Metrics of predicted numbers."""

import numpy as np

from nnspec.runtime.metrics import implements_metric
from nnspec.runtime.metrics.answers import Answers
from nnspec.spec_lang.vocabulary.metrics import R2, MaeMetric, Mape, Rmse


@implements_metric(MaeMetric)
def mae(word: MaeMetric, answers: Answers) -> float:
    """Return mean |y − t|."""
    return float(np.mean(np.abs(answers.differences)))


@implements_metric(Mape)
def mape(word: Mape, answers: Answers) -> float:
    """Return mean |y − t| / |t|, as a fraction. A target of 0 counts as 2.2e-16, the least that float64 adds to 1."""
    sizes = np.maximum(np.abs(answers.numbers), np.finfo(np.float64).eps)
    return float(np.mean(np.abs(answers.differences) / sizes))


@implements_metric(Rmse)
def rmse(word: Rmse, answers: Answers) -> float:
    """Return √ mean (y − t)²."""
    return float(np.sqrt(np.mean(np.square(answers.differences))))


@implements_metric(R2)
def r2(word: R2, answers: Answers) -> float:
    """Return 1 − Σ (y − t)² / Σ (t − mean t)² over the samples, then the mean over the outputs.

    An output whose targets are all equal has no variance to explain: it counts 1 if it equals them exactly, else 0.
    """
    truth = answers.numbers.reshape(len(answers.outputs), -1)  # (sample, output)
    missed = np.square(answers.differences.reshape(truth.shape)).sum(axis=0)
    variance = np.square(truth - truth.mean(axis=0)).sum(axis=0)
    varies = variance > 0
    scores = np.where(varies, 1 - missed / np.where(varies, variance, 1), missed == 0)
    return float(scores.mean())
