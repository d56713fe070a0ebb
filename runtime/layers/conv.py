"""Convolutions: of all channels, of each channel by itself, and of each channel and then of all at one position."""

from collections.abc import Callable, Mapping

from nnspec.runtime.arrays import Array, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.layers._windows import Windows
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Convolution, Depthwise, Separable
from nnspec.spec_lang.vocabulary.shape import Shape

Products = tuple[Array, Callable[[Array], tuple[Array, Array]]]
"""The output of a convolution without a bias, and its gradient → the gradients of the input and of the weight."""


@implements(Conv)
def conv(word: Conv, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,i,j,f] = Σ x[n, i·s + u·d, j·t + v·e, c] · w[u,v,c,f] + b[f], x = 0 around the image.

    The strides are (s, t), the dilations (d, e). It is one matrix product over all windows, or one for each group:
    group k of the filters reads group k of the channels. A sequence is an image one pixel wide; its padded steps are
    zeros.
    """
    return _with_bias(word, shape, arrays, word.groups)


@implements(Depthwise)
def depthwise(word: Depthwise, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,i,j,m·M+k] = Σ x[n, i·s + u·d, j·t + v·e, m] · w[u,v,0,m·M+k] + b: a convolution of one channel a group."""
    return _with_bias(word, shape, arrays, word.plane(shape)[0][2])


@implements(Separable)
def separable(word: Separable, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = depthwise(x) · pointwise + b, nothing between the two."""
    first = depthwise(word.depthwise(), shape, {"weight": arrays["depthwise_weight"]})

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, height, width, in) → (batch, height', width', out), or the same over time."""
        between, back = first(x, mode)
        pointwise = arrays["pointwise_weight"]  # (in · multiplier, out)
        y = between @ pointwise
        if word.bias:
            y += arrays["bias"]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            rows, d_rows = (a.reshape(-1, a.shape[-1]) for a in (between, d_y))
            d_x, gradients = back(d_y @ pointwise.T)
            own = {"depthwise_weight": gradients["weight"], "pointwise_weight": rows.T @ d_rows}
            return d_x, {**own, "bias": sum_of_places(d_y)} if word.bias else own

        return y, backward

    return forward


def _with_bias(word: Convolution, shape: Shape, arrays: Mapping[str, Array], groups: int) -> Forward:
    """Return the forward of a convolution in this many groups of channels."""
    windows, output = Windows.of(word, shape), word.output_shape(shape)
    time = shape[0] if word.along_time(shape) is not None else None

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, height, width, in) → (batch, height', width', out), or (batch, time, in) → (batch, time', out)."""
        real = mode.real(time) if time is not None else None
        if real is not None:
            x = x * real[..., None]
        products, back = _products(windows, groups, x, arrays["weight"])
        y = products.reshape(-1, *output)
        if word.bias:
            y += arrays["bias"]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_images, d_weight = back(d_y)
            d_x = d_images.reshape(x.shape)
            if real is not None:
                d_x = d_x * real[..., None]
            gradients = {"weight": d_weight, "bias": sum_of_places(d_y)} if word.bias else {"weight": d_weight}
            return d_x, gradients

        return y, backward

    return forward


def _products(windows: Windows, groups: int, x: Array, kernel: Array) -> Products:
    """Return the products of all windows with a kernel (…, in / groups, out), (batch · positions, out)."""
    filters = kernel.shape[-1]
    cells = kernel.size // filters  # inputs of one output
    weight = split_groups(kernel.reshape(cells, filters), groups)  # (group, cells, out / groups)
    seen = split_groups(windows.unfold(x), groups)  # (group, batch, height', width', window height, width, in / groups)
    columns = seen.reshape(groups, -1, cells)  # (group, position, cells), the positions of all samples

    def backward(d_y: Array) -> tuple[Array, Array]:
        d_products = split_groups(d_y.reshape(-1, filters), groups)  # (group, position, out / groups)
        d_weight = join_groups(columns.swapaxes(1, 2) @ d_products).reshape(kernel.shape)
        d_columns = d_products @ weight.swapaxes(1, 2)  # (group, position, cells)
        return windows.fold(join_groups(d_columns.reshape(seen.shape))), d_weight

    return join_groups(columns @ weight), backward


def split_groups(x: Array, groups: int) -> Array:
    """Split the last axis into groups: (…, channels) → (group, …, channels / groups), a view where possible."""
    apart = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return apart.transpose(x.ndim - 1, *range(x.ndim - 1), x.ndim)


def join_groups(x: Array) -> Array:
    """Concatenate the groups: (group, …, channels / groups) → (…, channels)."""
    together = x.transpose(*range(1, x.ndim - 1), 0, x.ndim - 1)
    return together.reshape(*x.shape[1:-1], x.shape[0] * x.shape[-1])
