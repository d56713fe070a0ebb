"""Layers as functions of NumPy arrays, at inference: what a program calls where the plan has no code of its own.

Their source goes into the files, so they use nothing but NumPy and each other. Arrays are (batch, …, channels); an
option has the name that it has in the language. Weights have the shapes of checkpoints.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnspec.runtime.arrays import Array, erf, sigmoid, softplus
from nnspec.runtime.layers.activation import SELU_ALPHA, SELU_SCALE


def elu(x: Array, alpha: float) -> Array:
    """max(x, 0) + alpha · (exp(min(x, 0)) − 1)."""
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


def selu(x: Array) -> Array:
    """The elu whose outputs keep mean 0 and variance 1."""
    return SELU_SCALE * np.maximum(x, 0) + SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(x, 0))


def gelu(x: Array) -> Array:
    """x · Φ(x), Φ the distribution function of the normal distribution."""
    share = 0.5 * (1 + erf(x * 0.5**0.5))
    return x * share


def silu(x: Array) -> Array:
    """x / (1 + exp(−x))."""
    return x * sigmoid(x)


def mish(x: Array) -> Array:
    """x · tanh(log(1 + exp(x)))."""
    return x * np.tanh(softplus(x))


def prelu(x: Array, weight: Array) -> Array:
    """max(x, 0) + weight · min(x, 0), a weight for each channel or one for all."""
    return np.maximum(x, 0) + weight * np.minimum(x, 0)


def batchnorm(x: Array, weight: Array, bias: Array, running_mean: Array, running_var: Array, eps: float) -> Array:
    """Each channel minus its mean in training, over its deviation in training."""
    return (x - running_mean) / np.sqrt(running_var + eps) * weight + bias


def layernorm(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    """Each position minus its mean over the channels, over its deviation."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps) * weight + bias


def groupnorm(x: Array, groups: int, eps: float, weight: Array | None = None, bias: Array | None = None) -> Array:
    """Each group of channels minus its mean over all positions of a sample, over its deviation."""
    apart = x.reshape(len(x), -1, groups, x.shape[-1] // groups)  # (batch, position, group, channels / groups)
    centred = apart - apart.mean(axis=(1, 3), keepdims=True)
    deviation = np.sqrt((centred * centred).mean(axis=(1, 3), keepdims=True) + eps)
    normal = (centred / deviation).reshape(x.shape)
    return normal if weight is None else normal * weight + bias


def embed_columns(x: Array, weights: Sequence[Array], columns: Sequence[tuple[int, int]]) -> Array:
    """The other numbers of a row, then the vector of each one-hot column (start, size)."""
    rest = np.delete(x, [place for start, size in columns for place in range(start, start + size)], axis=1)
    vectors = [x[:, start : start + size] @ weight for (start, size), weight in zip(columns, weights, strict=True)]
    return np.concatenate([rest, *vectors], axis=1)


def add_positions(x: Array, weight: Array) -> Array:
    """Each step plus the vector of its place."""
    return x + weight


def sinusoids(x: Array, period: float) -> Array:
    """Each step t plus sin(t / period^(2i / C)) in the even channels and its cosine in the odd ones."""
    time, features = x.shape[1:]
    angles = np.arange(time)[:, None] / period ** (np.arange(0, features, 2) / features)
    table = np.empty((time, features))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles)[:, : features // 2]
    return x + table.astype(x.dtype)


def softmax(x: Array) -> Array:
    """exp(x) / Σ exp(x) over the channels."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def globalmaxpool(x: Array, channels: int, real: Array | None = None) -> Array:
    """The largest number of each channel; `real` says which steps of a sequence are not padding."""
    places = x.reshape(len(x), -1, channels)
    if real is not None:
        real = real | ~real.any(axis=1, keepdims=True)
        places = np.where(real[..., None], places, -np.inf)
    return places.max(axis=1)


def globalavgpool(x: Array, channels: int, real: Array | None = None) -> Array:
    """The mean of each channel, over the steps of a sequence that are not padding."""
    places = x.reshape(len(x), -1, channels)
    if real is None:
        return places.mean(axis=1)
    share = (real / np.maximum(real.sum(axis=1, keepdims=True), 1)).astype(x.dtype)
    return (places * share[..., None]).sum(axis=1)


def windows(
    x: Array,
    size: tuple[int, int],
    rows: tuple[int, int, int],
    columns: tuple[int, int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    fill: float = 0,
) -> Array:
    """Return every window of images (batch, height, width, channels), a view.

    `rows` and `columns` are the number of windows along an axis, and the padding before and after it. The result is
    (batch, height', width', window height, window width, channels).
    """
    padded = np.pad(x, ((0, 0), rows[1:], columns[1:], (0, 0)), constant_values=fill)
    reach = (dilations[0] * (size[0] - 1) + 1, dilations[1] * (size[1] - 1) + 1)
    seen = sliding_window_view(padded, reach, axis=(1, 2))  # (batch, height, width, channels, *reach)
    seen = seen[:, :: strides[0], :: strides[1], :, :: dilations[0], :: dilations[1]]
    return np.moveaxis(seen[:, : rows[0], : columns[0]], 3, 5)


def conv(
    x: Array,
    weight: Array,
    image: tuple[int, int, int],
    groups: int,
    output: tuple[int, ...],
    bias: Any = 0,
    **places: Any,
) -> Array:
    """The products of every window with a weight (…, channels / groups, filters). `places` is for `windows`.

    A sequence (batch, time, channels) is an image one pixel wide. Group k of the filters reads group k of the channels.
    """
    seen = windows(x.reshape(-1, *image), **places)
    channels, filters = weight.shape[-2], weight.shape[-1] // groups
    parts = []
    for group in range(groups):
        part = seen[..., group * channels : (group + 1) * channels]
        own = weight[..., group * filters : (group + 1) * filters].reshape(-1, filters)
        parts.append(part.reshape(-1, len(own)) @ own)
    return np.concatenate(parts, axis=1).reshape(-1, *output) + bias


def separable(x: Array, depthwise_weight: Array, pointwise_weight: Array, bias: Any = 0, **options: Any) -> Array:
    """A convolution of each channel alone, then products of all channels at each position."""
    return conv(x, depthwise_weight, **options) @ pointwise_weight + bias


def transposed(
    x: Array,
    weight: Array,
    image: tuple[int, int, int],
    groups: int,
    output: tuple[int, ...],
    size: tuple[int, int],
    plane: tuple[int, int],
    rows: tuple[int, int, int],
    columns: tuple[int, int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    bias: Any = 0,
) -> Array:
    """Each pixel times its window, added up where windows meet. `plane` is the height and width of the output."""
    pixels = x.reshape(-1, *image)
    channels, filters = image[2] // groups, weight.shape[-1]
    cells = weight.reshape(*size, image[2], filters)
    tall, wide = plane[0] + rows[1] + rows[2], plane[1] + columns[1] + columns[2]
    y = np.zeros((len(pixels), tall, wide, groups * filters), x.dtype)
    for u, v in np.ndindex(size):
        down = slice(u * dilations[0], u * dilations[0] + (image[0] - 1) * strides[0] + 1, strides[0])
        right = slice(v * dilations[1], v * dilations[1] + (image[1] - 1) * strides[1] + 1, strides[1])
        for group in range(groups):
            own = slice(group * channels, (group + 1) * channels)
            y[:, down, right, group * filters : (group + 1) * filters] += pixels[..., own] @ cells[u, v, own]
    inside = y[:, rows[1] : rows[1] + plane[0], columns[1] : columns[1] + plane[1]]
    return inside.reshape(-1, *output) + bias


def maxpool(x: Array, image: tuple[int, int, int], output: tuple[int, ...], **places: Any) -> Array:
    """The largest number of every window. `places` is for `windows`."""
    seen = windows(x.reshape(-1, *image), **places, fill=-np.inf)
    return seen.max(axis=(3, 4)).reshape(-1, *output)


def avgpool(
    x: Array, image: tuple[int, int, int], output: tuple[int, ...], counts: Sequence[Sequence[int]], **places: Any
) -> Array:
    """The mean of every window; `counts` are the cells that count, along the rows and along the columns."""
    cells = np.multiply.outer(*counts)[..., None].astype(x.dtype)  # (height', width', 1)
    sums = windows(x.reshape(-1, *image), **places).sum(axis=(3, 4))
    return (sums / cells).reshape(-1, *output)


def pad(
    x: Array, image: tuple[int, int, int], sides: Sequence[tuple[int, int]], mode: Any, output: tuple[int, ...]
) -> Array:
    """Images, or sequences one pixel wide, in a frame of zeros or of copies of their cells."""
    return np.pad(x.reshape(-1, *image), ((0, 0), *sides, (0, 0)), mode=mode).reshape(-1, *output)


def crop(x: Array, image: tuple[int, int, int], sides: Sequence[tuple[int, int]], output: tuple[int, ...]) -> Array:
    """The part of images that is inside a frame."""
    (top, bottom), (left, right) = sides
    inside = x.reshape(-1, *image)[:, top : image[0] - bottom, left : image[1] - right]
    return inside.reshape(-1, *output)


def upsample(
    x: Array,
    image: tuple[int, int, int],
    factors: tuple[int, int],
    mode: str,
    align_corners: bool,
    output: tuple[int, ...],
) -> Array:
    """Images with each pixel repeated, or with weighted means of the two nearest along each axis."""
    y = x.reshape(-1, *image)
    for axis, factor in enumerate(factors):
        length = image[axis]
        if mode == "nearest":
            y = np.repeat(y, factor, axis=axis + 1)
            continue
        outputs = np.arange(factor * length)
        corners = outputs * ((length - 1) / max(factor * length - 1, 1))
        inside = np.clip(corners if align_corners else (outputs + 0.5) / factor - 0.5, 0, length - 1)
        shares = np.maximum(1 - np.abs(inside[:, None] - np.arange(length)), 0)  # (output, input)
        y = np.moveaxis(np.tensordot(y, shares.astype(x.dtype), axes=(axis + 1, 1)), -1, axis + 1)
    return y.reshape(-1, *output)


def permute(x: Array, order: Sequence[int]) -> Array:
    """The axes of each sample in this order, counted from 1."""
    return x.transpose(0, *order)


def real_steps(padding: Array, time: int) -> Array | None:
    """Return which steps of sequences are not padding, (batch, time), from the padded steps of each; None if all."""
    if not padding.any():
        return None
    return np.arange(time) < time - padding[:, None]


def without_padding(layer: Callable[..., Array], x: Array, real: Array | None, **options: Any) -> Array:
    """Return a layer of sequences whose padded steps are zeros."""
    return layer(x if real is None else x * real[..., None], **options)


def each_by_itself(
    layer: Callable[..., Array], x: Array, real: Array | None, options: dict[int, Any], **more: Any
) -> Array:
    """Return a layer of sequences that are each computed without their padded steps.

    `options` are those of each length that the layer can compute. Outputs after those of a sequence are zeros.
    """
    whole = layer(x, **options[x.shape[1]], **more)
    if real is None:
        return whole
    lengths, y = real.sum(axis=1), np.zeros_like(whole)
    for length in set(lengths.tolist()) & set(options):
        rows = lengths == length
        part = layer(x[rows, :length], **options[length], **more)
        y[rows, : part.shape[1]] = part
    return y
