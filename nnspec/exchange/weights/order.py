"""The order of the numbers in a row: PyTorch flattens an image by channels, rows, columns.

Here it is rows, columns, channels. A layer that reads such a row has its weights in that order there, and so has one
whose row becomes an image.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.spec_lang.check.spec import INPUT, Node
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions
from nnspec.spec_lang.vocabulary.layers.conv import Convolution
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.embedding import Symbols
from nnspec.spec_lang.vocabulary.layers.merge import Concatenate
from nnspec.spec_lang.vocabulary.layers.pool import Pool
from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.layers.upsampling import Upsample
from nnspec.spec_lang.vocabulary.shape import Shape


@dataclass(frozen=True)
class Order:
    """Where each number of a row is there: ours[i] = theirs[places[i]]; None where the orders are the same.

    `rows` is that of what a layer reads, `columns` that of what it returns; `said` names the order there.
    """

    rows: Array | None = None
    columns: Array | None = None
    said: str = ""


SAME = Order()


@dataclass
class _Seen:
    """What is known of the outputs of the nodes before: whether channels come first there, and the order of a row."""

    first: dict[str, bool] = field(default_factory=dict)
    rows: dict[str, Array | None] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


def torch_orders(nodes: Iterable[Node]) -> Mapping[str, Order]:
    """Return the orders of every layer, by name, for a network of PyTorch that computes the same."""
    nodes = tuple(nodes)
    image = bool(nodes) and len(nodes[0].input_shape) == 3
    seen = _Seen({INPUT: image}, {INPUT: None}, {INPUT: ""})
    read: dict[str, Array | None] = {}
    for node in nodes:
        read[node.name] = _read(node, seen)
        seen.first[node.name] = _channels_first(node, seen)
        seen.rows[node.name], seen.said[node.name] = _returned(node, seen, read[node.name])
    _before_images(nodes, seen, read)
    return {
        node.name: Order(read[node.name], seen.rows[node.name], seen.said[node.name] or seen.said[node.inputs[0]])
        for node in nodes
    }


def flat_order(shape: Shape) -> Array:
    """Return where each number of an image (height, width, channels), or steps (time, channels), is there."""
    *lengths, channels = shape
    places = np.arange(shape.size).reshape(channels, *lengths)
    moved: Array = np.moveaxis(places, 0, -1).ravel()
    return moved


def _read(node: Node, seen: _Seen) -> Array | None:
    """Return the order of the row that a node reads: that of the row before, or of what it flattens itself."""
    shape, before = node.input_shape, node.inputs[0]
    flattens = isinstance(node.layer, Flatten) or node.layer.flattens(shape)
    if flattens and len(shape) > 1 and min(shape[-1], shape.size // shape[-1]) > 1 and seen.first[before]:
        seen.said[node.name] = "channels, rows, columns" if len(shape) == 3 else "channels, steps"
        return flat_order(shape)
    return seen.rows[before] if len(shape) == 1 else None


def _channels_first(node: Node, seen: _Seen) -> bool:
    """Return whether the axes of a node's output are there with the channels first."""
    if isinstance(node.layer, Recurrent | Attention | Dense | Symbols | Positions | Permute):
        return False
    if isinstance(node.layer, Convolution | Pool | Upsample) or (
        isinstance(node.layer, Reshape) and len(node.output_shape) == 3
    ):
        return True
    return seen.first[node.inputs[0]]


def _returned(node: Node, seen: _Seen, read: Array | None) -> tuple[Array | None, str]:
    """Return the order of the row that a node returns, and how it is said; None, "" where it is ours."""
    said = seen.said.get(node.name) or seen.said.get(node.inputs[0], "")
    if isinstance(node.layer, Dense) or len(node.output_shape) != 1:
        return None, said if isinstance(node.layer, Dense) and read is not None else ""
    if isinstance(node.layer, Concatenate):
        return _side_by_side(node, seen), said
    keeps = node.output_shape.size == node.input_shape.size
    return (read, said) if keeps and read is not None else (None, "")


def _side_by_side(node: Node, seen: _Seen) -> Array | None:
    if all(seen.rows[name] is None for name in node.inputs):
        return None
    parts, start = [], 0
    for name, shape in zip(node.inputs, node.input_shapes, strict=True):
        rows = seen.rows[name]
        parts.append(start + (np.arange(shape.size) if rows is None else rows))
        start += shape.size
    return np.concatenate(parts)


def _before_images(nodes: tuple[Node, ...], seen: _Seen, read: dict[str, Array | None]) -> None:
    """Give the layers before a reshape to an image the order of that image, as far back as a dense layer."""
    by_name = {node.name: node for node in nodes}
    for node in nodes:
        image = node.output_shape
        if not isinstance(node.layer, Reshape) or len(image) != 3 or len(node.input_shape) != 1:
            continue
        if min(image[-1], image.size // image[-1]) == 1 or seen.rows.get(node.inputs[0]) is not None:
            continue
        order, name = flat_order(image), node.inputs[0]
        while name in by_name:
            before = by_name[name]
            seen.rows[name], seen.said[name] = order, "channels, rows, columns"
            if isinstance(before.layer, Dense) or tuple(before.input_shape) != tuple(before.output_shape):
                break
            read[name] = order
            name = before.inputs[0]
