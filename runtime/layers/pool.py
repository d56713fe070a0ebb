"""Pools."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.layers._windows import Windows
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(MaxPool)
def maxpool(word: MaxPool, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,i,j,c] = max x[n, i·s + u, j·s + v, c]; only the first of the largest gets the gradient.

    The padding is −∞ and is never the largest. Cells are ordered by rows, as in PyTorch. Over time y[n,i,c] is the
    largest of x[n, i·s + u, c].
    """
    output = word.output_shape(shape)
    windows = Windows.of(word, shape)
    size = windows.size[0] * windows.size[1]

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        seen = windows.unfold(x, fill=-np.inf)
        candidates = seen.reshape(*seen.shape[:3], size, seen.shape[5])  # (batch, height', width', cell, channels)
        y, winner = _first_largest(candidates, axis=3)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            won = winner == np.arange(size)[:, None]  # (batch, height', width', cell, channels)
            d_windows = won * d_y.reshape(winner.shape)
            return windows.fold(d_windows.reshape(seen.shape)).reshape(x.shape), {}

        return y.reshape(len(x), *output), backward

    return forward


@implements(AvgPool)
def avgpool(word: AvgPool, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,i,j,c] = the mean of x[n, i·s + u, j·s + v, c] over the cells of the window that count, the rest is 0."""
    windows = Windows.of(word, shape)
    output = word.output_shape(shape)
    cells: Array = np.multiply.outer(*word.counted(shape))[..., None]  # (height', width', 1)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        seen = windows.unfold(x)  # (batch, height', width', window height, window width, channels)
        count = cells.astype(x.dtype)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            share = d_y.reshape(-1, *cells.shape[:2], seen.shape[5]) / count
            d_windows = np.broadcast_to(share[:, :, :, None, None], seen.shape)
            return windows.fold(d_windows).reshape(x.shape), {}

        return (seen.sum(axis=(3, 4)) / count).reshape(len(x), *output), backward

    return forward


@implements(GlobalAvgPool)
def globalavgpool(word: GlobalAvgPool, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,c] = the mean of x[n, …, c]: over the pixels of an image, or the steps of a sequence that are not padding."""
    (channels,) = word.output_shape(shape)
    count = shape.size // channels

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        places = x.reshape(-1, count, channels)
        real = mode.real(count) if shape.sequence else None
        if real is not None:
            share = (real / np.maximum(real.sum(axis=1, keepdims=True), 1)).astype(x.dtype)[..., None]
            return (places * share).sum(axis=1), lambda d_y: ((d_y[:, None] * share).reshape(x.shape), {})

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            return np.broadcast_to(d_y[:, None] / count, places.shape).reshape(x.shape), {}

        return places.mean(axis=1), backward

    return forward


@implements(GlobalMaxPool)
def globalmaxpool(word: GlobalMaxPool, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,c] = the largest of x[n, …, c]; only the first of the largest gets the gradient, padding never."""
    (channels,) = word.output_shape(shape)
    count = shape.size // channels

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, …, channels) → (batch, channels). The steps of a sequence that is all padding are treated as
        real, so that the output is finite."""
        places = x.reshape(-1, count, channels)
        real = mode.real(count) if shape.sequence else None
        if real is not None:
            eligible: Array = real | ~real.any(axis=1, keepdims=True)
            places = np.where(eligible[..., None], places, -np.inf)
        y, winner = _first_largest(places, axis=1)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            won = winner == np.arange(count)[:, None]  # (batch, place, channels)
            return (won * d_y[:, None]).reshape(x.shape), {}

        return y, backward

    return forward


def _first_largest(candidates: Array, axis: int) -> tuple[Array, Array]:
    """Return the maximum along an axis, which is removed, and the index of its first occurrence, with the axis kept."""
    winner = candidates.argmax(axis=axis, keepdims=True)
    return np.take_along_axis(candidates, winner, axis).squeeze(axis), winner
