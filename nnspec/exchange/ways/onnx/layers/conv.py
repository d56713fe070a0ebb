"""Convolutions."""

from typing import Any

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed


def windows(layer: Writing) -> dict[str, Any]:
    """Return the attributes of the windows of a layer over an image, or over the steps of a sequence."""
    word, extents = layer.word, layer.word.extents(layer.shape)
    axes = 1 if word.along_time(layer.shape) is not None else 2
    return {
        "kernel_shape": list(word.plane(layer.shape)[1][:axes]),
        "strides": list(word.strides()[:axes]),
        "dilations": list(word.dilations()[:axes]),
        "pads": [*(extent.before for extent in extents[:axes]), *(extent.after for extent in extents[:axes])],
    }


def seen(layer: Writing) -> str:
    """Return the input with channels first, its padded steps zeros."""
    if layer.word.along_time(layer.shape) is None:
        return layer.graph.tensor(layer.image(), Layout.FIRST)
    tensor = layer.tensor(Layout.FIRST)
    return tensor if layer.sequences is None else _zeros_in_padding(layer, tensor)


def _zeros_in_padding(layer: Writing, tensor: str) -> str:
    zero = layer.graph.constant("padding.zero", 0.0)
    return layer.add("Where", [layer.real(Layout.FIRST), tensor, zero], "real")


def filters_first(weight: Array) -> Array:
    """(…, in / groups, out) → (out, in / groups, …)."""
    axes = weight.ndim
    return weight.transpose(axes - 1, axes - 2, *range(axes - 2))


@writes(Conv, Depthwise)
def conv(layer: Writing) -> Value:
    """A convolution of the groups of channels."""
    word = layer.word
    groups = word.groups if isinstance(word, Conv) else word.plane(layer.shape)[0][2]
    inputs = [seen(layer), layer.array("weight", filters_first)]
    if word.bias:
        inputs.append(layer.array("bias"))
    return layer.value(layer.add("Conv", inputs, group=groups, **windows(layer)), Layout.FIRST)


@writes(Separable)
def separable(layer: Writing) -> Value:
    """Two convolutions."""
    word = layer.word
    channels = word.plane(layer.shape)[0][2]
    each = layer.array("depthwise_weight", filters_first)
    between = layer.add("Conv", [seen(layer), each], "depthwise", group=channels, **windows(layer))
    axes = len(word.sizes(layer.shape))
    pointwise = layer.array("pointwise_weight", lambda array: array.T.reshape(*array.T.shape, *[1] * axes))
    inputs = [between, pointwise, *([layer.array("bias")] if word.bias else [])]
    return layer.value(layer.add("Conv", inputs, kernel_shape=[1] * axes), Layout.FIRST)


@writes(Transposed)
def transposed(layer: Writing) -> Value:
    """The gradient of a convolution; what the padding does not cut off is added at the end."""
    word, options = layer.word, windows(layer)
    axes = len(options["kernel_shape"])
    lengths = word.plane(layer.shape)[0][:axes]
    added = []
    for axis, extent in enumerate(word.extents(layer.shape)[:axes]):
        reach = options["dilations"][axis] * (options["kernel_shape"][axis] - 1) + 1
        whole = (lengths[axis] - 1) * options["strides"][axis] + reach
        added.append(extent.places - (whole - extent.before - extent.after))

    def inputs_first(weight: Array) -> Array:
        """(…, in, out / groups) → (in, out / groups, …)."""
        return weight.transpose(weight.ndim - 2, weight.ndim - 1, *range(weight.ndim - 2))

    inputs = [seen(layer), layer.array("weight", inputs_first)]
    if word.bias:
        inputs.append(layer.array("bias"))
    more = added if any(added) else None
    y = layer.add("ConvTranspose", inputs, group=word.groups, output_padding=more, **options)
    return layer.value(y, Layout.FIRST)
