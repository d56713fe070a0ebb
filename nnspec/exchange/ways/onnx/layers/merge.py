"""Merges: the branches are brought to one layout."""

from collections.abc import Sequence

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes_merge
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate, Multiply


def _common(values: Sequence[Value]) -> Layout:
    """Return a layout for all: channels first where a convolution gave one of them."""
    found = {value.layout for value in values if value.rank > 2}
    if Layout.FIRST in found:
        return Layout.FIRST
    return Layout.STEPS if found == {Layout.STEPS} else Layout.LAST


def _chain(layer: Writing, operator: str, tensors: Sequence[str]) -> str:
    """Return the result of an operator of two over all, from the left."""
    result = tensors[0]
    for place, tensor in enumerate(tensors[1:], 1):
        result = layer.add(operator, [result, tensor], "" if place == len(tensors) - 1 else f"first{place + 1}")
    return result


@writes_merge(Add)
def add(layer: Writing) -> Value:
    """The sum."""
    layout = _common(layer.inputs)
    return layer.value(_chain(layer, "Add", [layer.graph.tensor(x, layout) for x in layer.inputs]), layout)


@writes_merge(Concatenate)
def concatenate(layer: Writing) -> Value:
    """Along the channels."""
    layout = _common(layer.inputs)
    tensors = [layer.graph.tensor(x, layout) for x in layer.inputs]
    return layer.value(layer.add("Concat", tensors, axis=layout.place(-1, layer.x.rank)), layout)


@writes_merge(Multiply)
def multiply(layer: Writing) -> Value:
    """The product; a row scales the channels at every position."""
    layout, rank = _common(layer.inputs), len(layer.node.output_shape) + 1
    tensors = []
    for place, x in enumerate(layer.inputs, 1):
        tensor = layer.graph.tensor(x, layout) if x.rank == rank else x.tensor
        if x.rank < rank:
            axes = [axis for axis in range(rank) if axis not in (layout.place(0, rank), layout.place(-1, rank))]
            tensor = layer.add("Unsqueeze", [tensor, layer.integers("positions", axes)], f"scale{place}")
        tensors.append(tensor)
    return layer.value(_chain(layer, "Mul", tensors), layout)
