"""Layers that read symbols."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array, one_hot
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.targets import PADDING
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, OneHot
from nnspec.spec_lang.vocabulary.shape import Shape


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


@implements(OneHot)
def onehot(word: OneHot, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,t,v] = 1 where x[n,t] = v, and 0 elsewhere; padding is not a symbol and becomes a row of zeros."""
    count = word.vocabulary(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, time) → (batch, time, vocabulary)."""
        return one_hot(symbols(x), count, x.dtype), lambda d_y: (np.zeros_like(x), {})

    return forward


@implements(Embed)
def embed(word: Embed, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,t] = W[x[n,t]], and zeros for padding; the gradient of a row is the sum over all positions of its symbol."""
    count = word.vocabulary(shape)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, time) → (batch, time, units)."""
        weight = arrays["weight"]  # (vocabulary, units)
        chosen = symbols(x)
        real = ((chosen >= 0) & (chosen < count))[..., None].astype(x.dtype)
        y = np.take(weight, chosen, axis=0, mode="clip") * real

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            places = one_hot(chosen, count, x.dtype).reshape(-1, count)  # (place, vocabulary)
            return np.zeros_like(x), {"weight": places.T @ d_y.reshape(-1, word.units)}

        return y, backward

    return forward
