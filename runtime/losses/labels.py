"""Losses of labels: targets are 0 or 1, one for each output independently."""

import numpy as np

from nnspec.runtime.arrays import Array, sigmoid, softplus
from nnspec.runtime.losses import LossFunction, implements_loss
from nnspec.runtime.losses._mean import mean, weighted
from nnspec.runtime.targets import TargetError, as_numbers
from nnspec.spec_lang.vocabulary.losses import BinaryCrossEntropy, BinaryFocal, BinaryHinge, Loss


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
        return mean(weighted(surprise, weights)), weighted(gradient, weights)

    return apply


@implements_loss(BinaryFocal)
def binary_focal(word: BinaryFocal) -> LossFunction:
    """L = −mean a q^γ log p, p = sigmoid(x), q = 1 − p; ∂L/∂x = a q^γ (γ p log p − q) / n.

    x is z for the label 1 and −z for 0; a is alpha for 1 and 1 − alpha for 0, or 1 for both. Takes logits.
    """

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        side = _sides(targets, outputs, word)
        x = side * outputs
        logs, right, wrong = -softplus(-x), sigmoid(x), sigmoid(-x)
        factor = wrong**word.gamma
        if word.alpha is not None:
            factor = factor * np.where(side > 0, word.alpha, 1 - word.alpha).astype(outputs.dtype)
        gradient = side * factor * (word.gamma * right * logs - wrong) / outputs.size
        return mean(weighted(-factor * logs, weights)), weighted(gradient, weights)

    return apply


@implements_loss(BinaryHinge)
def binary_hinge(word: BinaryHinge) -> LossFunction:
    """L = mean m, m = max(0, margin − x), x = s for the label 1 and −s for 0, or m² if squared. Takes scores."""

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        side = _sides(targets, outputs, word)
        missing = np.maximum(word.margin - side * outputs, 0)
        terms = np.square(missing) if word.squared else missing
        slope = 2 * missing if word.squared else (missing > 0).astype(outputs.dtype)
        return mean(weighted(terms, weights)), weighted(-side * slope / outputs.size, weights)

    return apply


def _sides(targets: Array, outputs: Array, word: Loss) -> Array:
    """Return 1 for the label 1 and −1 for 0, in the outputs' shape and type. Raises TargetError for other targets."""
    truth = as_numbers(targets, outputs)
    if not ((truth == 0) | (truth == 1)).all():
        raise TargetError(f"{word.word} needs targets of 0 (no) or 1 (yes)")
    sides: Array = 2 * truth - 1
    return sides
