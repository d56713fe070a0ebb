"""Sequences of symbols as arrays (batch, time): which numbers are symbols, and which steps are padding."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.targets import PADDING


def symbols(x: Array) -> Array:
    """Return the nearest whole number of each, as intp: samples are floats once they are normalized."""
    return np.rint(x).astype(np.intp)


def first_unknown(x: Array, count: int) -> tuple[int, ...] | None:
    """Return the index of the first number that is neither one of `count` symbols nor −1, the padding, else None."""
    bad = (x < PADDING) | (x >= count) | (x != np.rint(x))
    return tuple(int(axis) for axis in np.argwhere(bad)[0]) if bad.any() else None


def padding_of(x: Array) -> Array:
    """Return the number of padded steps after the last symbol of each sequence, (batch, time) → (batch,)."""
    if (x[:, -1] > -0.5).all():  # the last step of each is a symbol: there is no padding
        return np.zeros(len(x), np.intp)
    real = x > -0.5
    after: Array = real[:, ::-1].argmax(axis=1)
    return np.where(real.any(axis=1), after, real.shape[1])
