"""Losses of numbers."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.losses import LossFunction, implements_loss
from nnspec.runtime.losses._mean import mean, weighted
from nnspec.runtime.targets import as_numbers
from nnspec.spec_lang.vocabulary.losses import Huber, Mae, Mse


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
