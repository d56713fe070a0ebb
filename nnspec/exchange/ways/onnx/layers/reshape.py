"""Layers that change the shape, or the order of the axes, and no number."""

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape


@writes(Flatten)
def flatten(layer: Writing) -> Value:
    """The numbers in a row, in the order of the samples."""
    return layer.value(layer.add("Flatten", [layer.tensor(Layout.LAST)], axis=1), Layout.LAST)


@writes(Reshape)
def reshape(layer: Writing) -> Value:
    """The numbers in another shape, in the order of the samples."""
    return layer.value(layer.reshaped(layer.tensor(Layout.LAST), layer.node.output_shape), Layout.LAST)


@writes(Permute)
def permute(layer: Writing) -> Value:
    """The axes in another order."""
    return layer.value(layer.add("Transpose", [layer.tensor(Layout.LAST)], perm=[0, *layer.word.order]), Layout.LAST)
