"""The losses and their gradients, one family a file.

Each is the mean over the batch, as in PyTorch: over samples (and steps) for losses of classes and distributions, over
all numbers for the others. With weights the terms of each sample are multiplied by its weight before the mean. A loss
with a head takes the logits, before that activation: the two together are numerically stable.
"""

from collections.abc import Callable
from typing import Any, Protocol

from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.losses import Loss


class LossFunction(Protocol):
    """Outputs (batch, …), targets and weights → the loss, and its gradient of the outputs' shape and type."""

    def __call__(self, outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        """Return the loss and its gradient. `weights` (batch,) multiply the terms of each sample; None weighs all 1."""


LOSSES: Registry[Callable[[Any], LossFunction]] = Registry(__name__)
"""The function of every loss, by the class of its word."""

implements_loss = LOSSES.implements


def build_loss(word: Loss) -> LossFunction:
    """Return the function of a loss. It raises TargetError if targets do not fit the outputs."""
    return LOSSES[type(word)](word)
