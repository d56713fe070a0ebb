"""Targets in the form in which losses and metrics compare them with outputs."""

import numpy as np

from nnspec.runtime.arrays import Array, one_hot
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.losses import Loss


class TargetError(DataError, ValueError):
    """Targets that do not fit the outputs: the message has both shapes, or the label that is out of range."""


PADDING = -1
"""The class of a step after the end of a shorter sequence. Losses and metrics ignore it."""


ONE_HOT = "for one-hot labels give the numbers of their classes, y.argmax(axis=-1)"
"""What to give instead of a column for each class."""


def as_classes(targets: Array, outputs: Array) -> Array:
    """Return the class of each sample, or of each step of a sequence, as intp: (batch,) or (batch, time).

    `outputs` is (batch, classes) or (batch, time, classes); steps may be PADDING. Raises TargetError for targets of
    another shape, that are not whole numbers, or that are out of range.
    """
    if targets.shape != outputs.shape[:-1]:
        needed = f"outputs {outputs.shape} need classes of shape {outputs.shape[:-1]}"
        advice = f": {ONE_HOT}" if targets.shape == outputs.shape else ""
        raise TargetError(f"{needed}, and these are {targets.shape}{advice}")
    if targets.dtype.kind not in "bui":
        raise TargetError(f"classes must be whole numbers, and these are {targets.dtype}")
    count = outputs.shape[-1]
    wrong = targets[(targets < (PADDING if targets.ndim > 1 else 0)) | (targets >= count)]
    if wrong.size:
        raise TargetError(f"label {wrong[0]} is out of range: there are {count} classes, 0 to {count - 1}")
    return targets.astype(np.intp, copy=False)


def counted(targets: Array, outputs: Array) -> int:
    """Return how many targets of a batch count in the loss: the samples, or the steps that are not padding."""
    if targets.ndim == 1 or targets.shape != outputs.shape[:-1] or targets.dtype.kind not in "bui":
        return len(targets)
    return int(np.count_nonzero(targets != PADDING))


def as_numbers(targets: Array, outputs: Array) -> Array:
    """Return the target of each output, in the outputs' shape and type.

    `targets` has the outputs' shape, or lacks its last axis: then it is the number of each sample if there is one
    output, else the class, whose output is to be 1 and all others 0. Raises TargetError for any other shape and for
    classes out of range.
    """
    if targets.shape == outputs.shape or (*targets.shape, 1) == outputs.shape:
        return targets.reshape(outputs.shape).astype(outputs.dtype, copy=False)
    if targets.shape == outputs.shape[:-1] and targets.dtype.kind in "bui":
        return one_hot(as_classes(targets, outputs), outputs.shape[-1], outputs.dtype)
    raise TargetError(f"outputs {outputs.shape} need a number each, and the targets are {targets.shape}")


def middle_answers(outputs: Array, loss: Loss) -> Array:
    """Return one output (…, targets) for each number of the targets: of several quantiles that nearest the median."""
    return outputs if loss.answers == 1 else outputs[..., loss.middle :: loss.answers]


NEARLY_ONE = 0.01
"""How far the sum of a distribution may be from 1: probabilities are often written with two or three digits."""


def sum_to_one(targets: Array) -> Array:
    """Return whether each row of numbers (…, outputs) sums to 1, rounded."""
    sums: Array = np.abs(targets.sum(axis=-1, dtype=np.float64) - 1) <= NEARLY_ONE
    return sums


def as_distributions(targets: Array, outputs: Array) -> Array:
    """Return the target probability of each output, in the outputs' shape and type.

    Classes are distributions too, of which one probability is 1. Raises TargetError for another shape, for numbers
    below 0, and for distributions whose sum is not 1.
    """
    truth = as_numbers(targets, outputs)
    if (truth < 0).any():
        raise TargetError(f"distributions have no probability below 0, and the smallest target is {truth.min():g}")
    wrong = truth[~sum_to_one(truth)]
    if wrong.size:
        raise TargetError(f"the probabilities of a target sum to 1, and some sum to {wrong[0].sum():g}")
    return truth
