"""The convolution."""

from collections.abc import Mapping

from nnspec.runtime.arrays import Array, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
from nnspec.runtime.layers._windows import Windows
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.shape import Shape


@implements(Conv)
def conv(word: Conv, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y[n,i,j,f] = Σ x[n, i·s + u·d, j·s + v·d, c] · w[u,v,c,f] + b[f], with stride s, dilation d, and x = 0 around it.

    It is one matrix product over all windows, or one for each group: group k of the filters reads group k of the
    channels. A sequence is an image one pixel wide; its padded steps are zeros.
    """
    windows = Windows.of(word, shape)
    groups = word.groups
    output = word.output_shape(shape)
    time = shape[0] if word.along_time(shape) is not None else None

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        """(batch, height, width, in) → (batch, height', width', out), or (batch, time, in) → (batch, time', out)."""
        real = mode.real(time) if time is not None else None
        if real is not None:
            x = x * real[..., None]
        kernel = arrays["weight"]  # (window height, window width, in / groups, out)
        cells = kernel.size // word.filters  # inputs of one output
        weight = _split(kernel.reshape(cells, word.filters), groups)  # (group, cells, out / groups)
        seen = _split(windows.unfold(x), groups)  # (group, batch, height', width', window height, width, in / groups)
        columns = seen.reshape(groups, -1, cells)  # (group, position, cells), the positions of all samples
        y = _join(columns @ weight).reshape(-1, *output)
        if word.bias:
            y += arrays["bias"]

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            d_products = _split(d_y.reshape(-1, word.filters), groups)  # (group, position, out / groups)
            d_weight = _join(columns.swapaxes(1, 2) @ d_products).reshape(kernel.shape)
            d_columns = d_products @ weight.swapaxes(1, 2)  # (group, position, cells)
            d_x = windows.fold(_join(d_columns.reshape(seen.shape))).reshape(x.shape)
            if real is not None:
                d_x = d_x * real[..., None]
            gradients = {"weight": d_weight, "bias": sum_of_places(d_y)} if word.bias else {"weight": d_weight}
            return d_x, gradients

        return y, backward

    return forward


def _split(x: Array, groups: int) -> Array:
    """Split the last axis into groups: (…, channels) → (group, …, channels / groups), a view where possible."""
    apart = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return apart.transpose(x.ndim - 1, *range(x.ndim - 1), x.ndim)


def _join(x: Array) -> Array:
    """Concatenate the groups: (group, …, channels / groups) → (…, channels)."""
    together = x.transpose(*range(1, x.ndim - 1), 0, x.ndim - 1)
    return together.reshape(*x.shape[1:-1], x.shape[0] * x.shape[-1])
