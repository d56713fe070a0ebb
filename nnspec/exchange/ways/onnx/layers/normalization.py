"""Normalizations."""

import numpy as np

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.exchange.ways.onnx.layers.aligned import cut, steps_after
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm


@writes(BatchNorm)
def batchnorm(layer: Writing) -> Value:
    """By the running averages."""
    arrays = [layer.array(name) for name in ("weight", "bias", "running_mean", "running_var")]
    inputs = [layer.tensor(Layout.FIRST), *arrays]
    return layer.value(layer.add("BatchNormalization", inputs, epsilon=float(layer.word.eps)), Layout.FIRST)


@writes(LayerNorm)
def layernorm(layer: Writing) -> Value:
    """Over the channels of each position."""
    layout = layer.x.layout if layer.x.layout is Layout.STEPS else Layout.LAST
    if layer.shape[-1] == 1:  # a number less its mean; ONNX Runtime 1.22 refuses it
        zeros = layer.add("Sub", [layer.tensor(layout)] * 2, "normal")
        return layer.value(layer.add("Add", [zeros, layer.array("bias")]), layout)
    inputs = [layer.tensor(layout), layer.array("weight"), layer.array("bias")]
    return layer.value(layer.add("LayerNormalization", inputs, axis=-1, epsilon=float(layer.word.eps)), layout)


@writes(GroupNorm)
def groupnorm(layer: Writing) -> Value:
    """Over the positions and the channels of a group."""
    if (after := steps_after(layer)) is not None:
        return _masked(layer, after, layer.word.groups, learned=True)
    row = len(layer.shape) == 1
    x = layer.tensor(Layout.FIRST)
    axis = layer.integers("position_axis", [2]) if row else ""
    x = layer.add("Unsqueeze", [x, axis], "position") if row else x
    inputs = [x, layer.array("weight"), layer.array("bias")]
    y = layer.add(
        "GroupNormalization", inputs, "groups" if row else "", num_groups=layer.word.groups, epsilon=layer.word.eps
    )
    return layer.value(layer.add("Squeeze", [y, axis]) if row else y, Layout.FIRST)


@writes(InstanceNorm)
def instancenorm(layer: Writing) -> Value:
    """Over the positions of each channel."""
    learned = layer.word.learned
    if (after := steps_after(layer)) is not None:
        return _masked(layer, after, layer.shape[-1], learned)
    channels = layer.shape[-1]
    weight = layer.array("weight") if learned else layer.constant("ones", np.ones(channels))
    bias = layer.array("bias") if learned else layer.constant("zeros", np.zeros(channels))
    inputs = [layer.tensor(Layout.FIRST), weight, bias]
    return layer.value(layer.add("InstanceNormalization", inputs, epsilon=layer.word.eps), Layout.FIRST)


def _masked(layer: Writing, after: Array, groups: int, learned: bool) -> Value:
    """Over the real steps of a sequence, and zeros after the steps that come out, `after` by those that go in."""
    channels = layer.shape[-1]
    zero = layer.graph.constant("padding.zero", 0.0)
    real, count = layer.real(Layout.LAST), _numbers(layer, channels // groups)
    mask = layer.add("Unsqueeze", [real, layer.integers("mask_axis", [3])], "mask")
    positions = layer.integers("positions", [1, 3])

    def mean(tensor: str, suffix: str) -> str:
        total = layer.add("ReduceSum", [tensor, positions], f"{suffix}_sum", keepdims=1)
        return layer.add("Div", [total, count], suffix)

    kept = layer.filled(layer.tensor(Layout.LAST), Layout.LAST)
    apart = layer.integers("apart", [0, layer.time, groups, channels // groups])
    x = layer.add("Reshape", [kept, apart], "groups")  # (batch, time, group, channels / groups)
    centred = layer.add("Where", [mask, layer.add("Sub", [x, mean(x, "mean")], "apart_from_mean"), zero], "centred")
    variance = mean(layer.add("Mul", [centred, centred], "squares"), "variance")
    safe = layer.add("Add", [variance, layer.constant("eps", layer.word.eps)], "safe")
    normal = layer.add("Div", [centred, layer.add("Sqrt", [safe], "deviation")], "normal")
    y = layer.reshaped(normal, [layer.time, channels], "scaled" if learned else "")
    if learned:
        y = layer.add("Mul", [y, layer.array("weight")], "weighted")
        y = cut(layer, layer.add("Add", [y, layer.array("bias")], "shifted"), after, Layout.LAST)
    return layer.value(y, Layout.LAST)


def _numbers(layer: Writing, channels: int) -> str:
    """Return how many numbers the real steps of a group of so many channels have, (batch, 1, 1, 1), at least 1."""
    count = layer.add("Mul", [layer.lengths(), layer.integers("size", channels)], "numbers")
    least = layer.add("Max", [count, layer.graph.integers("lengths.least", 1)], "count")
    divisor = layer.add("Cast", [least], "divisor", to="float32")
    return layer.add("Unsqueeze", [divisor, layer.integers("divisor_axes", [1, 2, 3])], "column")
