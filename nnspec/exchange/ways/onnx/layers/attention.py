"""Layers of transformers: positions, and self-attention."""

import numpy as np

from nnspec.exchange.ways.onnx.graph import Layout, Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.runtime.layers.attention import UNSEEN, sinusoids
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions


@writes(Positions)
def positions(layer: Writing) -> Value:
    """A vector is added to each step."""
    fixed = layer.word.vectors == "sinusoidal"
    vectors = layer.constant("vectors", sinusoids(*layer.shape)) if fixed else layer.array("weight")
    return layer.value(layer.add("Add", [layer.tensor(Layout.LAST), vectors]), Layout.LAST)


@writes(Attention)
def attention(layer: Writing) -> Value:
    """softmax(q·kᵀ / √d)·v for each head; q, k and v are thirds of one product."""
    word, time = layer.word, layer.time
    width = word.width(layer.shape)
    size = width // word.heads

    def biased(product: str, name: str, suffix: str) -> str:
        return layer.add("Add", [product, layer.array(name)], suffix) if word.bias else product

    thirds = layer.add("MatMul", [layer.tensor(Layout.LAST), layer.array("input_weight")], "qkv_product")
    thirds = biased(thirds, "input_bias", "qkv")
    names = [layer.called(name) for name in ("q_steps", "k_steps", "v_steps")]
    layer.graph.add("Split", [thirds], names[0], names, axis=2, num_outputs=3)
    split = layer.graph.operations[-1].outputs

    def by_head(tensor: str, suffix: str, order: list[int]) -> str:
        apart = layer.reshaped(tensor, [time, word.heads, size], f"{suffix}_heads")
        return layer.add("Transpose", [apart], suffix, perm=order)

    q = by_head(split[0], "q", [0, 2, 1, 3])  # (batch, heads, time, size)
    q = layer.add("Mul", [q, layer.constant("scale", np.float32(1 / np.sqrt(size)))], "q_scaled")
    k = by_head(split[1], "k", [0, 2, 3, 1])  # (batch, heads, size, time)
    v = by_head(split[2], "v", [0, 2, 1, 3])
    scores = _seen(layer, layer.add("MatMul", [q, k], "scores"))
    weights = layer.add("Softmax", [scores], "weights", axis=3)
    heads = layer.add("Transpose", [layer.add("MatMul", [weights, v], "means")], "by_step", perm=[0, 2, 1, 3])
    joined = layer.reshaped(heads, [time, width], "joined")
    y = layer.add("MatMul", [joined, layer.array("output_weight")], "output" if word.bias else "")
    return layer.value(biased(y, "output_bias", ""), Layout.LAST)


def _seen(layer: Writing, scores: str) -> str:
    """Return the scores (batch, heads, time, time) with a very low one for each step that a step does not see."""
    unseen = layer.constant("unseen", np.float32(UNSEEN))
    if layer.word.causal:
        earlier = layer.graph.constant(layer.called("earlier"), np.tri(layer.time, dtype=bool), np.bool_)
        scores = layer.add("Where", [earlier, scores, unseen], "causal")
    if layer.sequences is not None:
        axis = layer.integers("head_axis", [1])
        real = layer.add("Unsqueeze", [layer.real(Layout.FIRST), axis], "real")  # (batch, 1, 1, time)
        scores = layer.add("Where", [real, scores, unseen], "masked")
    return scores
