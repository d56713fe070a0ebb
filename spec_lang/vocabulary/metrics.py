"""Metrics: numbers that say how good predictions are. Each is measured over a whole split, beside the loss."""

import math
from typing import ClassVar, Literal

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Metric(Word):
    """A number that measures how good predictions are."""

    kind = "metric"
    task: ClassVar[Literal["classification", "regression", "any"]] = "any"
    larger_is_better: ClassVar[bool] = True
    labels: ClassVar[bool] = False  # whether it measures several labels of a sample, each yes or no
    probabilities: ClassVar[bool] = False  # whether it needs probabilities, rather than scores of any size
    share: ClassVar[bool] = False  # whether it is a share, shown in per cent
    least: ClassVar[float] = 0.0  # the smallest value that it can have
    most: ClassVar[float] = math.inf  # the largest value that it can have

    @property
    def two_classes(self) -> bool:
        """Whether it measures the second of two classes alone."""
        return False


class Accuracy(Metric):
    """The share of samples whose most probable class is the true one; of several labels, the share of those right."""

    word = "accuracy"
    task = "classification"
    labels = True
    share = True
    most = 1.0


class BalancedAccuracy(Metric):
    """The mean over the classes of the share of its samples that are recognized: rare classes count as others."""

    word = "balanced_accuracy"
    task = "classification"
    share = True
    most = 1.0


class Best(Metric):
    """The share of samples whose true class is among the most probable ones."""

    task = "classification"
    most = 1.0
    share = True

    @property
    def best(self) -> int:
        """How many classes are the most probable ones."""
        raise NotImplementedError


class Top3(Best):
    """The share of samples whose true class is among the three most probable."""

    word = "top3"

    @property
    def best(self) -> int:
        """Three."""
        return 3


class Top5(Best):
    """The share of samples whose true class is among the five most probable."""

    word = "top5"

    @property
    def best(self) -> int:
        """Five."""
        return 5


class TopK(Best):
    """The share of samples whose true class is among the k most probable, as in `metrics topk k=10`."""

    word = "topk"
    k: int = Field(5, gt=0, description="of topk, the number of classes")

    @property
    def best(self) -> int:
        """As k says."""
        return self.k


class Averaged(Metric):
    """A metric of each class, or of each label, and the mean of these.

    `average` is scikit-learn's. A class that is neither predicted nor true is left out.
    """

    task = "classification"
    most = 1.0
    labels = True
    average: Literal["macro", "weighted", "micro", "binary"] = Field(
        "macro",
        description="macro: every class counts alike; weighted: by its samples; micro: the counts of all are added "
        "first; binary: the second of two classes alone",
    )

    @property
    def two_classes(self) -> bool:
        """Unless it is averaged."""
        return self.average == "binary"


class Precision(Averaged):
    """Of the samples that are predicted as a class, the share that are of it, averaged over the classes or labels."""

    word = "precision"


class Recall(Averaged):
    """Of the samples of a class, the share that are predicted as it, averaged over the classes or labels."""

    word = "recall"


class F1(Averaged):
    """The harmonic mean of precision and recall, averaged over the classes, or over several labels."""

    word = "f1"


class Iou(Averaged):
    """Intersection over union: of the samples predicted as a class or of it, the share that are both, averaged.

    Of images of classes the samples are pixels, as in segmentation.
    """

    word = "iou"


class Auc(Metric):
    """The area under the ROC curve: 0.5 is guessing, 1 a perfect order. Of two classes it is that of the second.

    Of several classes it is the mean of each against the rest, of several labels the mean over the labels.
    """

    word = "auc"
    task = "classification"
    labels = True
    most = 1.0


class Perplexity(Metric):
    """exp of the cross entropy: the number of equally probable classes with the same loss."""

    word = "perplexity"
    task = "classification"
    probabilities = True
    larger_is_better = False
    least = 1.0


class MaeMetric(Metric):
    """The mean absolute difference."""

    word = "mae"
    task = "regression"
    larger_is_better = False


class Mape(Metric):
    """The mean absolute difference as a share of the target. Targets of 0, or near it, make it very large."""

    word = "mape"
    task = "regression"
    larger_is_better = False
    share = True


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
