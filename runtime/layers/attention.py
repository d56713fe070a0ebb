"""Layers of transformers: positions, and self-attention."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.spec_lang.vocabulary.layers.attention import PERIOD, Attention, Positions
from nnspec.spec_lang.vocabulary.shape import Shape

UNSEEN = -1e30
"""What the score of a step becomes that is not to be seen; exp of it is 0, and finite where no step is seen."""


def sinusoids(time: int, features: int) -> Array:
    """Return sin(t / 10000^(2i/C)) in the even columns and cos of it in the odd ones, (time, features)."""
    pairs = np.arange(0, features, 2)
    angles = np.arange(time)[:, None] / PERIOD ** (pairs / features)
    table = np.empty((time, features))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles)[:, : features // 2]
    return table


@implements(Positions)
def positions(word: Positions, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,t] = x[n,t] + P[t]; the gradient of a learned P is that of y, summed over the samples."""
    fixed = sinusoids(shape[0], shape[1]) if word.vectors == "sinusoidal" else None

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, time, features) → the same."""
        if fixed is not None:
            return x + fixed.astype(x.dtype), lambda d_y: (d_y, {})
        return x + arrays["weight"], lambda d_y: (d_y, {"weight": d_y.sum(axis=0)})

    return forward


@implements(Attention)
def attention(word: Attention, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = concat over heads of softmax(q·kᵀ/√d)·v, times output_weight; q, k, v are thirds of x·input_weight."""
    heads, width = word.heads, word.width(shape)
    size = width // heads
    scale = 1 / np.sqrt(size)

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, time, features) → the same."""
        batch, time, _ = x.shape
        thirds = x @ arrays["input_weight"]
        if word.bias:
            thirds = thirds + arrays["input_bias"]
        q, k, v = thirds.reshape(batch, time, 3, heads, size).transpose(2, 0, 3, 1, 4)  # (batch, heads, time, size)
        q = q * x.dtype.type(scale)
        scores = q @ k.swapaxes(-1, -2)  # (batch, heads, time, time)
        unseen = _unseen(word, mode, time)
        if unseen is not None:
            scores = np.where(unseen, x.dtype.type(UNSEEN), scores)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        factor = None
        if mode.drawn is not None:
            factor = (mode.drawn >= np.float32(word.dropout)).astype(x.dtype) / (1 - word.dropout)
        kept = weights if factor is None else weights * factor
        joined = (kept @ v).swapaxes(1, 2).reshape(batch, time, width)
        y = joined @ arrays["output_weight"]
        if word.bias:
            y = y + arrays["output_bias"]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_heads = (d_y @ arrays["output_weight"].T).reshape(batch, time, heads, size).swapaxes(1, 2)
            d_v = kept.swapaxes(-1, -2) @ d_heads
            d_weights = d_heads @ v.swapaxes(-1, -2)
            if factor is not None:
                d_weights = d_weights * factor
            d_scores = weights * (d_weights - (d_weights * weights).sum(axis=-1, keepdims=True))
            d_q = d_scores @ k * x.dtype.type(scale)
            d_k = d_scores.swapaxes(-1, -2) @ q
            d_thirds = np.stack([d_q, d_k, d_v]).transpose(1, 3, 0, 2, 4).reshape(batch, time, 3 * width)
            rows = d_thirds.reshape(-1, 3 * width)
            gradients = {
                "input_weight": x.reshape(-1, x.shape[-1]).T @ rows,
                "output_weight": joined.reshape(-1, width).T @ d_y.reshape(-1, d_y.shape[-1]),
            }
            if word.bias:
                gradients |= {"input_bias": sum_of_places(d_thirds), "output_bias": sum_of_places(d_y)}
            return d_thirds @ arrays["input_weight"].T, gradients

        return y, backward

    return forward


def _unseen(word: Attention, mode: Mode, time: int) -> Array | None:
    """Return which steps a step does not see, to be broadcast to (batch, heads, time, time); None if it sees all."""
    real = mode.real(time)
    padded = None if real is None else ~real[:, None, None, :]
    if not word.causal:
        return padded
    later = ~np.tri(time, dtype=bool)
    both: Array = later if padded is None else later | padded
    return both
