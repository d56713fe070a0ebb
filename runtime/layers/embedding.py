"""Layers that read symbols, and categories that are one-hot."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array, one_hot
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.targets import PADDING
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns, OneHot
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


@implements(EmbedColumns)
def embed_columns(word: EmbedColumns, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = (x outside the columns, x[column 1]·W₁, x[column 2]·W₂, …): of a one-hot column, the row of its category."""
    columns = [slice(start, start + size) for start, size in word.columns_in(shape)]
    kept = np.ones(shape[0], bool)
    for column in columns:
        kept[column] = False
    rest = np.flatnonzero(kept)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, features) → (batch, other numbers + columns · units)."""
        weights = [arrays[f"weight{number}"] for number in range(1, len(columns) + 1)]
        vectors = [x[:, column] @ weight for column, weight in zip(columns, weights, strict=True)]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_x = np.zeros_like(x)
            d_x[:, rest] = d_y[:, : len(rest)]
            gradients = {}
            for number, (column, weight) in enumerate(zip(columns, weights, strict=True)):
                start = len(rest) + number * word.units
                d_vector = d_y[:, start : start + word.units]
                gradients[f"weight{number + 1}"] = x[:, column].T @ d_vector
                d_x[:, column] = d_vector @ weight.T
            return d_x, gradients

        return np.concatenate([x[:, rest], *vectors], axis=1), backward

    return forward
