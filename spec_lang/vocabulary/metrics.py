"""Metrics: numbers that say how good predictions are. Each is measured over a whole split, beside the loss."""

import math
from typing import ClassVar, Literal

from nnspec.spec_lang.vocabulary.registry import Word


class Metric(Word):
    """A number that measures how good predictions are."""

    kind = "metric"
    task: ClassVar[Literal["classification", "regression", "any"]] = "any"
    larger_is_better: ClassVar[bool] = True
    labels: ClassVar[bool] = False  # whether it measures several labels of a sample, each yes or no
    share: ClassVar[bool] = False  # whether it is a share of the samples, shown in per cent
    least: ClassVar[float] = 0.0  # the smallest value that it can have
    most: ClassVar[float] = math.inf  # the largest value that it can have


class Accuracy(Metric):
    """The share of samples whose most probable class is the true one; of several labels, the share of those right."""

    word = "accuracy"
    task = "classification"
    labels = True
    share = True
    most = 1.0


class Top3(Metric):
    """The share of samples whose true class is among the three most probable."""

    word = "top3"
    task = "classification"
    share = True
    most = 1.0


class F1(Metric):
    """The harmonic mean of precision and recall, averaged over the classes, or over several labels."""

    word = "f1"
    task = "classification"
    labels = True
    most = 1.0


class Perplexity(Metric):
    """exp of the cross entropy: the number of equally probable classes with the same loss."""

    word = "perplexity"
    task = "classification"
    larger_is_better = False
    least = 1.0


class MaeMetric(Metric):
    """The mean absolute difference."""

    word = "mae"
    task = "regression"
    larger_is_better = False


class Rmse(Metric):
    """The root of the mean squared difference."""

    word = "rmse"
    task = "regression"
    larger_is_better = False


class R2(Metric):
    """The share of the targets' variance that predictions explain."""

    word = "r2"
    task = "regression"
    least = -math.inf
    most = 1.0
