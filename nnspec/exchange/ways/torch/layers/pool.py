"""Pools, over windows and over everything."""

from functools import partial
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.layers._steps import refuse_texts
from nnspec.exchange.ways.torch.layers._windows import axes_of, framed, leave, numbers
from nnspec.exchange.ways.torch.writing import Inputs, Value, Writer, goes
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Pool


def _pooled(word: Pool, node: GraphNode, w: Writer, x: Value, fill: str) -> tuple[str, str, int]:
    """Return the framed input of a pool, its options, and its axes."""
    refuse_texts(word, node, w)
    shape = node.input_shapes[0]
    _, size = word.plane(shape)
    axes = axes_of(word, node)
    most = (size[0] // 2, size[1] // 2) if fill else (0, 0)
    text, padding = framed(x.first(axes), word.extents(shape), axes, most, fill)
    stride = numbers(word.strides(), axes)
    return text, f"{numbers(size, axes)}, stride={stride}{padding}", axes


@goes(MaxPool)
def _maxpool(word: MaxPool, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    text, options, axes = _pooled(word, node, w, inputs[0], ", value=-torch.inf")
    dilation = numbers(word.dilations(), axes)
    options += f", dilation={dilation}" if dilation != "1" else ""
    return leave(f"F.max_pool{axes}d({text}, {options})", node)


@goes(AvgPool)
def _avgpool(word: AvgPool, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if max(word.dilations()) > 1:
        raise ExchangeError(f"{node.name}: avgpool with a dilation has no counterpart in PyTorch")
    text, options, axes = _pooled(word, node, w, inputs[0], "")
    size = word.plane(node.input_shapes[0])[1]
    rows, columns = word.counted(node.input_shapes[0])
    mean = f"F.avg_pool{axes}d({text}, {options})"
    if {*rows} != {size[0]} or {*columns} != {size[1]}:  # some windows count fewer cells
        cells = f"torch.tensor({rows})" if axes == 1 else f"torch.tensor({rows})[:, None] * torch.tensor({columns})"
        mean = f"({mean} * {size[0] * size[1]} / {w.constant(node, 'cells', cells)})"
    return leave(mean, node)


def _global(function: str, masked: str, word: Any, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,), real, channels = inputs, w.real(node), node.output_shape[0]
    if real is not None:
        return Value(f"{w.helper(masked)}({x.text}, {real})", node.output_shape)
    if x.planes:
        return Value(f"{x.text}.{function}((2, 3))", node.output_shape)
    return Value(f"{x.text}.reshape(len({x.text}), -1, {channels}).{function}(1)", node.output_shape)


goes(GlobalAvgPool)(partial(_global, "mean", "mean_of_steps"))
goes(GlobalMaxPool)(partial(_global, "amax", "largest_of_steps"))
