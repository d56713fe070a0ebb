"""Layers over sequences that know no padding: what a shorter sequence becomes, where it is a part of the longer one.

The network computes each sequence without its padded steps, and has zeros after its last output. Where the outputs of a
shorter sequence are the first ones of the longer one, whose padded steps are neutral, the rest is cut off.
"""

import numpy as np

from nnspec.exchange.ways.onnx.graph import Layout
from nnspec.exchange.ways.onnx.layers import Writing
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.padding import steps_of
from nnspec.runtime.layers import same_for_any_length
from nnspec.spec_lang.vocabulary.shape import Shape


def steps_after(layer: Writing) -> Array | None:
    """Return how many steps come out of sequences of 0, 1, … steps; None where each is computed whole."""
    if layer.sequences is None or not same_for_any_length(layer.word, layer.shape):
        return None
    return np.array(steps_of(layer.word, Shape(layer.shape, sequence=True)))


def cut(layer: Writing, y: str, after: Array | None, layout: Layout = Layout.FIRST) -> str:
    """Return a sequence with zeros after the outputs of each; as it is where `after` is None."""
    if after is None or layer.sequences is None:
        return y
    lengths = layer.sequences.counted(after, layer.lengths())
    real = layer.sequences.real(lengths, layer.node.output_shape[0], layout)
    return layer.add("Where", [real, y, layer.graph.constant("padding.zero", 0.0)], "cut")
