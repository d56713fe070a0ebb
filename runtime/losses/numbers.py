"""Losses of numbers."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.losses import LossFunction, implements_loss
from nnspec.runtime.losses._mean import mean, weighted
from nnspec.runtime.targets import as_numbers
from nnspec.spec_lang.vocabulary.losses import Huber, Mae, Mse, Quantile


@implements_loss(Mse)
def mse(word: Mse) -> LossFunction:
    """L = mean d², d = y − t; ∂L/∂y = 2 d / n."""

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        difference = outputs - as_numbers(targets, outputs)
        return mean(weighted(np.square(difference), weights)), weighted(difference * (2 / difference.size), weights)

    return apply


@implements_loss(Mae)
def mae(word: Mae) -> LossFunction:
    """L = mean |d|, d = y − t; ∂L/∂y = sign(d) / n."""

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        difference = outputs - as_numbers(targets, outputs)
        return mean(weighted(np.abs(difference), weights)), weighted(np.sign(difference) / difference.size, weights)

    return apply


@implements_loss(Huber)
def huber(word: Huber) -> LossFunction:
    """L = mean of d² / 2 where |d| ≤ δ, δ (|d| − δ / 2) elsewhere; ∂L/∂y = d / n, clipped to ±δ / n.

    With c = d clipped to ±δ, both branches are c (d − c / 2).
    """

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        difference = outputs - as_numbers(targets, outputs)
        clipped = np.clip(difference, -word.delta, word.delta)
        terms = weighted(clipped * (difference - 0.5 * clipped), weights)
        return mean(terms), weighted(clipped / clipped.size, weights)

    return apply


@implements_loss(Quantile)
def quantile(word: Quantile) -> LossFunction:
    """L = mean of q d where d = t − y > 0, (q − 1) d elsewhere; ∂L/∂y = −q / n, or (1 − q) / n, and 0 at d = 0.

    Takes outputs (…, targets · quantiles), the quantiles of a target side by side, and targets (…, targets).
    """
    count = len(word.at)

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        truth = as_numbers(targets, outputs[..., ::count])
        missing = np.repeat(truth, count, axis=-1) - outputs
        at = np.tile(np.asarray(word.at, outputs.dtype), truth.shape[-1])
        terms = np.maximum(at * missing, (at - 1) * missing)
        gradient = ((missing < 0) * (1 - at) - (missing > 0) * at) / missing.size
        return mean(weighted(terms, weights)), weighted(gradient.astype(outputs.dtype, copy=False), weights)

    return apply
