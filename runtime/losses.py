"""The losses and their gradients.

Each is the mean over the batch, as in PyTorch: over samples (and steps) for cross_entropy, over all numbers for the
others. With weights the terms of each sample are multiplied by its weight before the mean. A loss with a head takes the
logits, before that activation: the two together are numerically stable, and their gradient is a difference.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from nnspec.runtime.arrays import Array, log_softmax, sigmoid
from nnspec.runtime.registry import Registry
from nnspec.runtime.targets import PADDING, TargetError, as_classes, as_numbers
from nnspec.spec_lang.vocabulary.losses import BinaryCrossEntropy, CrossEntropy, Huber, Loss, Mae, Mse


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


@implements_loss(CrossEntropy)
def cross_entropy(word: CrossEntropy) -> LossFunction:
    """L = −mean Σ t log p, p = softmax(z), t = (1 − s) onehot + s / classes; ∂L/∂z = (p − t) / count.

    Without smoothing s it is −mean log p[true class]. Takes logits (batch, classes) and classes (batch,), or
    (batch, time, classes) and (batch, time). Steps of padding have neither loss nor gradient, and the mean does not
    count them.
    """
    smoothing = word.smoothing

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        classes = as_classes(targets, outputs)[..., None]
        logs = log_softmax(outputs)
        truth = np.take_along_axis(logs, classes, axis=-1)
        gradient = np.exp(logs)
        np.put_along_axis(gradient, classes, np.expm1(truth) + smoothing, axis=-1)
        if smoothing:
            truth = (1 - smoothing) * truth + smoothing * logs.mean(axis=-1, keepdims=True)
            gradient -= smoothing / outputs.shape[-1]
        truth, gradient = _weighted(truth, weights), _weighted(gradient, weights)
        real = classes != PADDING
        if real.all():
            return -_mean(truth), gradient / classes.size
        count = max(int(np.count_nonzero(real)), 1)
        return -float((truth * real).sum(dtype=np.float64)) / count, gradient * real / count

    return apply


@implements_loss(BinaryCrossEntropy)
def binary_cross_entropy(word: BinaryCrossEntropy) -> LossFunction:
    """L = −mean (t log p + (1 − t) log (1 − p)), p = sigmoid(z); ∂L/∂z = (p − t) / n.

    A term is max(z, 0) − t z + log(1 + exp(−|z|)): its first two parts are exact for t = 0 and t = 1. Takes logits,
    and targets from 0 to 1; smoothing s turns a target t into (1 − s) t + s / 2.
    """
    smoothing = word.smoothing

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        truth = as_numbers(targets, outputs)
        if not ((truth >= 0) & (truth <= 1)).all():
            raise TargetError("binary_cross_entropy needs targets of 0 (no) or 1 (yes)")
        if smoothing:
            truth = (1 - smoothing) * truth + smoothing / 2
        surprise = np.maximum(outputs, 0) - truth * outputs + np.log1p(np.exp(-np.abs(outputs)))
        gradient = (sigmoid(outputs) - truth) / truth.size
        return _mean(_weighted(surprise, weights)), _weighted(gradient, weights)

    return apply


@implements_loss(Mse)
def mse(word: Mse) -> LossFunction:
    """L = mean d², d = y − t; ∂L/∂y = 2 d / n."""

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        difference = outputs - as_numbers(targets, outputs)
        return _mean(_weighted(np.square(difference), weights)), _weighted(difference * (2 / difference.size), weights)

    return apply


@implements_loss(Mae)
def mae(word: Mae) -> LossFunction:
    """L = mean |d|, d = y − t; ∂L/∂y = sign(d) / n."""

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        difference = outputs - as_numbers(targets, outputs)
        return _mean(_weighted(np.abs(difference), weights)), _weighted(np.sign(difference) / difference.size, weights)

    return apply


@implements_loss(Huber)
def huber(word: Huber) -> LossFunction:
    """L = mean of d² / 2 where |d| ≤ δ, δ (|d| − δ / 2) elsewhere; ∂L/∂y = d / n, clipped to ±δ / n.

    With c = d clipped to ±δ, both branches are c (d − c / 2).
    """

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        difference = outputs - as_numbers(targets, outputs)
        clipped = np.clip(difference, -word.delta, word.delta)
        terms = _weighted(clipped * (difference - 0.5 * clipped), weights)
        return _mean(terms), _weighted(clipped / clipped.size, weights)

    return apply


def _weighted(terms: Array, weights: Array | None) -> Array:
    """Return the terms (batch, …), those of each sample multiplied by its weight."""
    return terms if weights is None else terms * weights.reshape(-1, *[1] * (terms.ndim - 1)).astype(terms.dtype)


def _mean(x: Array) -> float:
    """Return the mean over all axes, summed in float64."""
    return float(x.mean(dtype=np.float64))
