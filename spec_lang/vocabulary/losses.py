"""Losses: one number for each sample, averaged over the batch."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from pydantic import Field, field_validator

from nnspec.spec_lang.vocabulary.markers import Numbers
from nnspec.spec_lang.vocabulary.registry import Word


class Loss(Word):
    """A loss, which says what the outputs of a network and the targets must be."""

    kind = "loss"
    head: ClassVar[str | None] = None
    """The last activation that it requires, None for any. It takes what comes before that activation."""
    scores: ClassVar[bool] = False
    """Whether outputs are scores of classes or labels, of any size, rather than probabilities."""
    classes: ClassVar[bool] = False
    """Whether the target of a sample, or of a step, is one class."""
    labels: ClassVar[bool] = False
    """Whether targets are 0 or 1, a label for each output."""
    distributions: ClassVar[bool] = False
    """Whether targets are distributions, a probability for each output."""
    skips_padding: ClassVar[bool] = False
    """Whether padded steps have no part in it, so that the lanes of a batch weigh as many steps as they have."""
    counterpart: ClassVar[str | None] = None
    """The same loss of labels where this one is of classes, and of classes where this one is of labels."""

    @property
    def numbers(self) -> bool:
        """Whether targets are numbers of any size, which may be scaled."""
        return not (self.classes or self.labels or self.distributions)

    @property
    def classifies(self) -> bool:
        """Whether the network tells classes or labels apart."""
        return self.classes or self.labels

    @property
    def threshold(self) -> float:
        """The output from which on a label is predicted."""
        return 0.0 if self.scores else 0.5

    @property
    def compares(self) -> str:
        """What the targets are, in words."""
        if self.classes:
            return "classes"
        if self.labels:
            return "labels of 0 and 1"
        return "distributions" if self.distributions else "numbers"

    @property
    def quantiles(self) -> tuple[float, ...]:
        """The quantiles of each number that the outputs are, side by side; none of other losses."""
        return ()

    @property
    def answers(self) -> int:
        """How many outputs there are for each number of a target."""
        return max(len(self.quantiles), 1)

    @property
    def middle(self) -> int:
        """Which of the answers to a number, counted from 0, is nearest to the median."""
        return min(range(self.answers), key=lambda place: abs(self.quantiles[place] - 0.5)) if self.quantiles else 0

    def outputs_for(self, classes: int) -> int:
        """Return the number of outputs that tell so many classes apart: labels of two classes are yes or no, one."""
        return 1 if self.labels and classes == 2 else classes

    def target_shape(self, output: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of one sample's target for outputs of this shape."""
        if self.classes or not output:
            return tuple(output[:-1])
        return (*output[:-1], output[-1] // self.answers)


class CrossEntropy(Loss):
    """−log of the probability of the true class. The network must end in softmax.

    With `smoothing` s the target is 1 − s for the true class, and s is divided equally between all classes
    (Szegedy et al. 2016), as PyTorch's label_smoothing. Validation and test losses have it too.
    """

    word = "cross_entropy"
    head = "softmax"
    classes = True
    skips_padding = True
    counterpart = "binary_cross_entropy"
    examples = ("loss cross_entropy smoothing=0.1",)
    smoothing: float = Field(0.0, ge=0, lt=1, description="the share of the target that all classes divide equally")


class BinaryCrossEntropy(Loss):
    """−log of the probability of the true label, for each output independently. The network must end in sigmoid.

    With `smoothing` s the targets 0 and 1 are s / 2 and 1 − s / 2, as Keras's label_smoothing.
    """

    word = "binary_cross_entropy"
    head = "sigmoid"
    labels = True
    counterpart = "cross_entropy"
    examples = ("loss binary_cross_entropy smoothing=0.1",)
    smoothing: float = Field(0.0, ge=0, lt=1, description="the share of the target that yes and no divide equally")


class Focal(Loss):
    """(1 − p)^gamma · −log p, p the probability of the true class (Lin et al. 2017). The network must end in softmax.

    Samples that the network is sure of and right about count less, the more so the larger gamma is; gamma=0 is
    cross_entropy. `weights classes=balanced` gives each class the factor that the paper calls alpha.
    """

    word = "focal"
    head = "softmax"
    classes = True
    skips_padding = True
    counterpart = "binary_focal"
    examples = ("loss focal gamma=2",)
    gamma: float = Field(2.0, ge=0, description="how much less the samples count that the network is sure of")


class BinaryFocal(Loss):
    """alpha · (1 − p)^gamma · −log p, p the probability of the true label, for each output (Lin et al. 2017).

    The network must end in sigmoid. alpha is the factor of the label 1, and 1 − alpha that of the label 0. Without it
    both count alike.
    """

    word = "binary_focal"
    head = "sigmoid"
    labels = True
    counterpart = "focal"
    examples = ("loss binary_focal gamma=2 alpha=0.25",)
    gamma: float = Field(2.0, ge=0, description="how much less the labels count that the network is sure of")
    alpha: float | None = Field(None, gt=0, lt=1, description="the factor of the label 1; default: both labels alike")


class Hinge(Loss):
    """How far the score of each other class comes within `margin` of that of the true class, summed, over the classes.

    (Weston & Watkins 1999), as PyTorch's multi_margin_loss. Outputs are scores, not probabilities: the network ends
    without softmax or sigmoid.
    """

    word = "hinge"
    scores = True
    classes = True
    skips_padding = True
    counterpart = "binary_hinge"
    examples = ("loss hinge", "loss hinge margin=0.5 squared=yes")
    margin: float = Field(1.0, gt=0, description="the difference of scores from which on there is no loss")
    squared: bool = Field(False, description="whether what is missing of the margin is squared")


class BinaryHinge(Loss):
    """What the score of each output misses of `margin` on the side of its label: above 0 for 1, below 0 for 0.

    (Cortes & Vapnik 1995.) For two classes with one output, or for several labels. Outputs are scores, not
    probabilities: the network ends without softmax or sigmoid.
    """

    word = "binary_hinge"
    scores = True
    labels = True
    counterpart = "hinge"
    examples = ("loss binary_hinge", "loss binary_hinge squared=yes")
    margin: float = Field(1.0, gt=0, description="the score from which on there is no loss")
    squared: bool = Field(False, description="whether what is missing of the margin is squared")


class Kl(Loss):
    """The Kullback–Leibler divergence Σ t log (t / p) of predicted probabilities p from target distributions t.

    The targets have a probability for each output, which sum to 1. The network must end in softmax.
    """

    word = "kl"
    head = "softmax"
    distributions = True


class Mse(Loss):
    """The mean squared difference over all outputs."""

    word = "mse"


class Mae(Loss):
    """The mean absolute difference over all outputs."""

    word = "mae"


class Huber(Loss):
    """difference² / 2 up to delta, delta·(|difference| − delta / 2) above it (Huber 1964)."""

    word = "huber"
    delta: float = Field(1.0, gt=0, description="the difference at which the loss becomes linear")


class Quantile(Loss):
    """q · d where the target is above the output, by d, and (1 − q) · d where it is below, over all outputs.

    The pinball loss (Koenker & Bassett 1978): least where the output is the quantile q, above a share q of the
    targets. With several quantiles, `at=0.1, 0.5, 0.9`, the network ends in an output for each, those of the first
    target before those of the second. Metrics, and forecasts, are of the quantile nearest to the median.
    """

    word = "quantile"
    examples = ("loss quantile at=0.1, 0.5, 0.9", "loss quantile at=0.9")
    at: Numbers = Field((0.5,), description="the quantile, or several in rising order")

    @field_validator("at")
    @classmethod
    def _rising(cls, at: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < q < 1 for q in at) or any(later <= earlier for earlier, later in pairwise(at)):
            raise ValueError("needs quantiles between 0 and 1 in rising order, as in at=0.1, 0.5, 0.9")
        return at

    @property
    def quantiles(self) -> tuple[float, ...]:
        """As `at` says."""
        return self.at
