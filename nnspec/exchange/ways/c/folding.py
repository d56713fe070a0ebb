"""Batch normalization as part of the layer before it: its scale in the weights, its shift in the bias."""

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm

WEIGHTS = {Dense: "weight", Conv: "weight", Depthwise: "weight", Separable: "pointwise_weight"}
"""The array whose last axis is the outputs, of each layer that a normalization can be part of."""


def scale_and_shift(word: BatchNorm, arrays: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return scale and shift in float64 such that the normalization is x · scale + shift at inference."""
    exact = {name: array.astype(np.float64) for name, array in arrays.items()}
    scale: Array = exact["weight"] / np.sqrt(exact["running_var"] + word.eps)
    return scale, exact["bias"] - exact["running_mean"] * scale


def folded(
    nodes: Sequence[GraphNode], arrays: Mapping[str, Mapping[str, Array]]
) -> tuple[dict[str, Mapping[str, Array]], frozenset[str]]:
    """Return the arrays of each node with normalizations folded in, and the names of those that thus do nothing.

    One is folded where it alone reads a dense layer or a convolution, which has no activation of its own.
    """
    changed, gone = dict(arrays), set()
    by_name = {node.name: node for node in nodes}
    readers = [name for node in nodes for name in node.inputs]
    for node in nodes:
        before = by_name.get(node.inputs[0])
        if not isinstance(node.layer, BatchNorm) or before is None or readers.count(before.name) > 1:
            continue
        weight = WEIGHTS.get(type(before.layer))
        if weight is None:
            continue
        scale, shift = scale_and_shift(node.layer, arrays[node.name])
        own = dict(arrays[before.name])
        bias = own.get("bias", np.zeros(1)) * scale + shift
        changed[before.name] = {**own, weight: own[weight] * scale, "bias": bias}
        gone.add(node.name)
    return changed, frozenset(gone)
