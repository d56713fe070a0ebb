"""Layers that only change the shape or the order of axes."""

from nnspec.exchange.ways.torch.layers._steps import refuse_texts
from nnspec.exchange.ways.torch.writing import Inputs, Value, Writer, goes
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape


@goes(Flatten, Reshape)
def _reshape(word: Flatten | Reshape, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    sizes = ", ".join(map(str, node.output_shape))
    text = inputs[0].last()
    return Value(f"{text}.reshape(-1, {sizes})" if sizes else f"{text}.reshape(-1)", node.output_shape)


@goes(Permute)
def _permute(word: Permute, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.output_shape.sequence:
        refuse_texts(word, node, w)
    return Value(f"{inputs[0].last()}.permute{(0, *word.order)}", node.output_shape)
