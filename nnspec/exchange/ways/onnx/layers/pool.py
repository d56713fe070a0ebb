"""Pools."""

from typing import Any

import numpy as np

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.exchange.ways.onnx.layers.aligned import cut, steps_after
from nnspec.exchange.ways.onnx.layers.conv import windows
from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool

LOWEST = float(np.finfo(np.float32).min)
"""What is never the largest number of a window."""


@writes(MaxPool)
def maxpool(layer: Writing) -> Value:
    """The padding is never the largest."""
    after = _after(layer)
    options = _reached(layer)
    x = layer.graph.tensor(layer.image(), Layout.FIRST)
    if after is not None:
        x = layer.filled(x, Layout.FIRST, LOWEST)
    x = _padded(layer, x, options, LOWEST)
    return layer.value(cut(layer, layer.add("MaxPool", [x], **options), after), Layout.FIRST)


def _after(layer: Writing) -> Array | None:
    """Return how many steps come out of sequences of 0, 1, … steps; None where each is computed whole."""
    after = steps_after(layer)
    if after is not None and layer.word.pad == "same" and layer.word.strides()[0] > 1:
        why = "where its windows begin depends on the length of each sequence, which may be padded with -1"
        raise layer.refused(why, "write pad=valid, or stride=1")
    return after


def _reached(layer: Writing) -> dict[str, Any]:
    """Return the attributes of the windows, with no more padding at the end than the last of them reaches.

    With ceil_mode a window that would begin in the padding is left out, of which the operator knows nothing.
    """
    options, extents = windows(layer), layer.word.extents(layer.shape)
    lengths, axes = layer.word.plane(layer.shape)[0], len(options["kernel_shape"])
    for axis in range(axes):
        span = options["dilations"][axis] * (options["kernel_shape"][axis] - 1) + 1
        last = (extents[axis].places - 1) * options["strides"][axis] + span
        reached = last - lengths[axis] - options["pads"][axis]
        options["pads"][axes + axis] = min(options["pads"][axes + axis], max(reached, 0))
    return options


def _padded(layer: Writing, x: str, options: dict[str, list[int]], value: float) -> str:
    """Return the input in its frame where the frame is too wide for an operator, which then pads nothing."""
    axes = len(options["kernel_shape"])
    if all(pad < size for pad, size in zip(options["pads"], options["kernel_shape"] * 2, strict=True)):
        return x
    before, after = options["pads"][:axes], options["pads"][axes:]
    pads = layer.integers("pads", [0, 0, *before, 0, 0, *after])
    options["pads"] = [0] * (2 * axes)
    return layer.add("Pad", [x, pads, layer.constant("frame", value)], "padded", mode="constant")


@writes(AvgPool)
def avgpool(layer: Writing) -> Value:
    """The mean of the cells that count: all of a window, those on the image, or, where it is neither, a sum of them."""
    word, options = layer.word, _reached(layer)
    after = _after(layer)
    if after is not None and (word.ceil_mode or (any(options["pads"]) and not word.count_include_pad)):
        why = "how many cells its last windows count depends on the length of a sequence, which may be padded with -1"
        raise layer.refused(why, "leave ceil_mode and count_include_pad out")
    axes = len(options["kernel_shape"])
    x = layer.graph.tensor(layer.image(), Layout.FIRST)
    if after is not None:
        x = layer.filled(x, Layout.FIRST)
    counted = np.multiply.outer(*word.counted(layer.shape)).astype(np.float64)  # (height', width')
    alone = np.multiply.outer(*word.model_copy(update={"count_include_pad": False}).counted(layer.shape))
    cells = float(np.prod(options["kernel_shape"]))
    framed = _padded(layer, x, options, 0.0)
    narrow, x = framed == x, framed
    if after is None and narrow and (counted == alone).all() and (counted != cells).any():
        y = layer.add("AveragePool", [x], count_include_pad=0, **options)
    elif (counted == cells).all():
        y = layer.add("AveragePool", [x], count_include_pad=1, **options)
    else:
        means = layer.add("AveragePool", [x], "all", count_include_pad=1, **options)
        shares = (cells / counted)[:, 0] if axes == 1 else cells / counted
        y = layer.add("Mul", [means, layer.constant("shares", shares)])
    return layer.value(cut(layer, y, after), Layout.FIRST)


@writes(GlobalAvgPool)
def globalavgpool(layer: Writing) -> Value:
    """The mean over all positions, or the steps that are not padding."""
    x = layer.image()
    axes = _positions(layer, x)
    if layer.padded is None:
        return layer.value(layer.add("ReduceMean", [x.tensor, axes], keepdims=0), Layout.LAST)
    kept = layer.filled(x.tensor, x.layout)
    total = layer.add("ReduceSum", [kept, axes], "sum", keepdims=0)
    one = layer.graph.integers("lengths.least", 1)
    count = layer.add("Max", [layer.lengths(), one], "count")
    divisor = layer.add("Cast", [count], "divisor", to="float32")
    column = layer.add("Unsqueeze", [divisor, layer.integers("column_axis", [1])], "column")
    return layer.value(layer.add("Div", [total, column]), Layout.LAST)


@writes(GlobalMaxPool)
def globalmaxpool(layer: Writing) -> Value:
    """The largest over all positions, or the steps that are not padding; all steps where all are padding."""
    x = layer.image()
    axes = _positions(layer, x)
    if layer.padded is None:
        return layer.value(layer.add("ReduceMax", [x.tensor, axes], keepdims=0), Layout.LAST)
    real = layer.real(x.layout)
    none = layer.graph.integers("lengths.none", 0)
    empty = layer.add("Equal", [layer.lengths(), none], "empty")
    others = [axis for axis in range(3) if axis != x.layout.place(0, 3)]
    empty = layer.add("Unsqueeze", [empty, layer.integers("empty_axes", others)], "all_padding")
    eligible = layer.add("Or", [real, empty], "eligible")
    kept = layer.add("Where", [eligible, x.tensor, layer.graph.constant("padding.lowest", LOWEST)], "kept")
    return layer.value(layer.add("ReduceMax", [kept, axes], keepdims=0), Layout.LAST)


def _positions(layer: Writing, x: Value) -> str:
    """Return the axes of the positions, those that are neither the batch nor the channels."""
    apart = {x.layout.place(0, x.rank), x.layout.place(-1, x.rank)}
    return layer.integers("positions", [axis for axis in range(x.rank) if axis not in apart])
