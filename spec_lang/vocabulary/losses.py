"""What training makes small: the mean over the batch of one number for each sample."""

from typing import ClassVar

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Loss(Word):
    """A loss. `head` names the last activation it belongs to; None takes any."""

    kind = "loss"
    head: ClassVar[str | None] = None
    classes: ClassVar[bool] = False


class CrossEntropy(Loss):
    """−log of the probability of the true class; the network ends in softmax."""

    word = "cross_entropy"
    head = "softmax"
    classes = True


class BinaryCrossEntropy(Loss):
    """−log of the probability of the truth, each output a yes or no of its own; the network ends in sigmoid."""

    word = "binary_cross_entropy"
    head = "sigmoid"


class Mse(Loss):
    """The mean squared difference over all outputs."""

    word = "mse"


class Mae(Loss):
    """The mean absolute difference over all outputs."""

    word = "mae"


class Huber(Loss):
    """Squared below delta, linear above (Huber 1964): half the square, then delta·(|difference| − delta / 2)."""

    word = "huber"
    delta: float = Field(1.0, gt=0, description="the difference where the square becomes a line")
