"""Losses: one number for each sample, averaged over the batch."""

from typing import ClassVar

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Loss(Word):
    """A loss. `head` is the last activation that it requires, None for any; `classes` whether targets are classes."""

    kind = "loss"
    head: ClassVar[str | None] = None
    classes: ClassVar[bool] = False
    labels: ClassVar[bool] = False
    """Whether targets are 0 or 1, a label for each output."""
    skips_padding: ClassVar[bool] = False
    """Whether padded steps have no part in it, so that the lanes of a batch weigh as many steps as they have."""

    @property
    def numbers(self) -> bool:
        """Whether targets are numbers of any size, which may be scaled."""
        return not (self.classes or self.labels)


class CrossEntropy(Loss):
    """−log of the probability of the true class. The network must end in softmax.

    With `smoothing` s the target is 1 − s for the true class, and s is divided equally between all classes
    (Szegedy et al. 2016), as PyTorch's label_smoothing. Validation and test losses have it too.
    """

    word = "cross_entropy"
    head = "softmax"
    classes = True
    skips_padding = True
    examples = ("loss cross_entropy smoothing=0.1",)
    smoothing: float = Field(0.0, ge=0, lt=1, description="the share of the target that all classes divide equally")


class BinaryCrossEntropy(Loss):
    """−log of the probability of the true label, for each output independently. The network must end in sigmoid.

    With `smoothing` s the targets 0 and 1 are s / 2 and 1 − s / 2, as Keras's label_smoothing.
    """

    word = "binary_cross_entropy"
    head = "sigmoid"
    labels = True
    examples = ("loss binary_cross_entropy smoothing=0.1",)
    smoothing: float = Field(0.0, ge=0, lt=1, description="the share of the target that yes and no divide equally")


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
