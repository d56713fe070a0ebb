"""Merges of branches."""

from nnspec.exchange.ways.torch.writing import Inputs, Value, Writer, goes
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate, Multiply


def _together(inputs: Inputs) -> tuple[list[str], bool]:
    """Return the texts of branches in one layout, and whether channels are first there."""
    if all(x.planes for x in inputs):
        return [x.text for x in inputs], True
    return [x.last() for x in inputs], False


@goes(Add)
def _add(word: Add, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    texts, planes = _together(inputs)
    return Value(" + ".join(texts), node.output_shape, planes)


@goes(Concatenate)
def _concatenate(word: Concatenate, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    texts, planes = _together(inputs)
    return Value(f"torch.cat([{', '.join(texts)}], {1 if planes else -1})", node.output_shape, planes)


@goes(Multiply)
def _multiply(word: Multiply, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    texts, planes = _together([x for x in inputs if len(x.shape) == len(node.output_shape)])
    full, parts = iter(texts), []
    for x in inputs:
        if len(x.shape) == len(node.output_shape):
            parts.append(next(full))
        else:  # a row of numbers for the channels
            after = ", None" * (len(node.output_shape) - len(x.shape))
            parts.append(f"{x.text}[:, :{after}]" if planes else f"{x.text}[:{after}]")
    return Value(" * ".join(parts), node.output_shape, planes)
