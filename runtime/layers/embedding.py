"""Layers that read symbols, and categories that are one-hot."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array, one_hot
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.symbol_steps import symbols
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns, OneHot
from nnspec.spec_lang.vocabulary.shape import Shape


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
