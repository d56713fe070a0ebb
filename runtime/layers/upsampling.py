"""Layers that make an image or a sequence larger: by repeating or interpolating, and by a learned convolution."""

from collections.abc import Mapping

import numpy as np

from nnspec.runtime.arrays import Array, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.layers._windows import Windows
from nnspec.runtime.layers.conv import join_groups, split_groups
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed, Upsample
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import image_or_steps


def interpolation(length: int, factor: int, align_corners: bool) -> Array:
    """Return the matrix (factor · length, length) of linear interpolation along an axis, float64.

    Output i is at the place (i + ½) / factor − ½ of the input, but not beyond its first or last cell; with
    `align_corners` at i · (length − 1) / (factor · length − 1). Each of the two nearest cells has the weight 1 − its
    distance, as in PyTorch.
    """
    outputs = np.arange(factor * length)
    corners = outputs * ((length - 1) / max(factor * length - 1, 1))
    places = corners if align_corners else (outputs + 0.5) / factor - 0.5
    inside = np.clip(places, 0, length - 1)
    matrix: Array = np.maximum(1 - np.abs(inside[:, None] - np.arange(length)), 0)
    return matrix


@implements(Upsample)
def upsample(word: Upsample, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = R · x · Cᵀ for each channel: each row of R and C has a single 1 (nearest), or the weights of two cells."""
    output = word.output_shape(shape)
    image, _ = image_or_steps(word.word, shape)
    rows, columns = (
        np.repeat(np.eye(length), factor, axis=0)
        if word.mode == "nearest"
        else interpolation(length, factor, word.align_corners)
        for length, factor in zip(image, word.factors(shape), strict=False)
    )

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        down, right = rows.astype(x.dtype), columns.astype(x.dtype)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_images = d_y.reshape(-1, len(down), len(right), image[2])
            return _on_both_axes(d_images, down.T, right.T).reshape(x.shape), {}

        return _on_both_axes(x.reshape(-1, *image), down, right).reshape(-1, *output), backward

    return forward


def _on_both_axes(images: Array, rows: Array, columns: Array) -> Array:
    """Return (batch, height, width, channels) multiplied by a matrix along the rows, and by one along the columns."""
    batch, _, width, channels = images.shape
    tall = rows @ images.reshape(batch, -1, width * channels)
    wide: Array = columns @ tall.reshape(batch * len(rows), width, channels)
    return wide.reshape(batch, len(rows), len(columns), channels)


@implements(Transposed)
def transposed(word: Transposed, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n, i·s + u·d − p, j·t + v·e − q, f] = Σ x[n,i,j,c] · w[u,v,c,f] + b[f], the gradient of a convolution.

    The strides are (s, t), the dilations (d, e), the padding (p, q). Group k of the filters is of group k of the
    channels. A sequence is an image one pixel wide; its padded steps are zeros.
    """
    output, groups = word.output_shape(shape), word.groups
    (height, width, channels), window = word.plane(shape)
    rows, columns = word.extents(shape)
    steps = word.along_time(shape) is not None
    plane = (output[0], 1 if steps else output[1], word.filters)
    inner = rows._replace(places=height), columns._replace(places=width)
    windows = Windows(plane, window, *inner, word.strides(), word.dilations())

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, height, width, in) → (batch, height', width', out), or (batch, time, in) → (batch, time', out)."""
        real = mode.real(shape[0]) if steps else None
        if real is not None:
            x = x * real[..., None]
        weight = _by_group(arrays["weight"], channels, groups)  # (group, in / groups, cells · out / groups)
        rows = split_groups(x.reshape(-1, channels), groups)  # (group, position, in / groups)
        shares = (groups, -1, height, width, *window, word.filters // groups)
        y = windows.fold(join_groups((rows @ weight).reshape(shares))).reshape(-1, *output)
        if word.bias:
            y += arrays["bias"]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            seen = split_groups(windows.unfold(d_y), groups)  # (group, batch, height, width, *window, out / groups)
            d_shares = seen.reshape(groups, -1, weight.shape[2])
            d_x = join_groups(d_shares @ weight.swapaxes(1, 2)).reshape(x.shape)
            if real is not None:
                d_x = d_x * real[..., None]
            d_weight = _from_groups(rows.swapaxes(1, 2) @ d_shares, arrays["weight"].shape)
            return d_x, {"weight": d_weight, "bias": sum_of_places(d_y)} if word.bias else {"weight": d_weight}

        return y, backward

    return forward


def _by_group(weight: Array, channels: int, groups: int) -> Array:
    """Return a weight (…, in, out / groups) as a matrix for each group, (group, in / groups, cells · out / groups)."""
    cells = weight.reshape(-1, groups, channels // groups, weight.shape[-1])
    return cells.transpose(1, 2, 0, 3).reshape(groups, channels // groups, -1)


def _from_groups(matrices: Array, shape: tuple[int, ...]) -> Array:
    """Return the weight whose matrices these are: the inverse of `_by_group`."""
    groups, inputs, _ = matrices.shape
    cells = matrices.reshape(groups, inputs, -1, shape[-1])
    return cells.transpose(2, 0, 1, 3).reshape(shape)
