"""Losses of classes: the target of a sample, or of each step of a sequence, is one class."""

import numpy as np

from nnspec.runtime.arrays import Array, log_softmax
from nnspec.runtime.losses import LossFunction, implements_loss
from nnspec.runtime.losses._mean import mean_of_real
from nnspec.runtime.targets import PADDING, as_classes
from nnspec.spec_lang.vocabulary.losses import CrossEntropy, Focal, Hinge


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
        return mean_of_real(-truth, gradient, classes != PADDING, weights)

    return apply


@implements_loss(Focal)
def focal(word: Focal) -> LossFunction:
    """L = −mean q^γ log p, p = softmax(z)[true class], q = 1 − p; ∂L/∂z = c (onehot − softmax(z)) / count.

    c = q^γ (γ p log p / q − 1) is the slope over log p. Shapes and padding are those of cross_entropy.
    """

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        classes = as_classes(targets, outputs)[..., None]
        logs = log_softmax(outputs)
        truth = np.take_along_axis(logs, classes, axis=-1)
        others = -np.expm1(truth)  # q, with all of its digits where p is almost 1
        power = others**word.gamma
        ratio = np.divide(truth, others, out=-np.ones_like(truth), where=others > 0)  # log p / q is −1 at p = 1
        slope = power * (word.gamma * np.exp(truth) * ratio - 1)
        gradient = -slope * np.exp(logs)
        np.put_along_axis(gradient, classes, slope * others, axis=-1)
        return mean_of_real(-power * truth, gradient, classes != PADDING, weights)

    return apply


@implements_loss(Hinge)
def hinge(word: Hinge) -> LossFunction:
    """L = mean Σ m / classes, m = max(0, margin − s[true class] + s[other class]) over the others, or m² if squared.

    Takes scores and classes, in the shapes of cross_entropy. ∂L/∂s = [m > 0] / (classes · count) of another class, and
    minus their sum of the true one.
    """

    def apply(outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        classes = as_classes(targets, outputs)[..., None]
        count = outputs.shape[-1]
        missing = np.maximum(outputs - np.take_along_axis(outputs, classes, axis=-1) + word.margin, 0)
        np.put_along_axis(missing, classes, 0, axis=-1)
        terms, gradient = _powers(missing, word.squared)
        gradient /= count
        np.put_along_axis(gradient, classes, -gradient.sum(axis=-1, keepdims=True), axis=-1)
        return mean_of_real(terms.sum(axis=-1, keepdims=True) / count, gradient, classes != PADDING, weights)

    return apply


def _powers(missing: Array, squared: bool) -> tuple[Array, Array]:
    """Return m and its slope over m, 1 where m > 0; or m² and 2 m."""
    return (np.square(missing), 2 * missing) if squared else (missing, (missing > 0).astype(missing.dtype))
