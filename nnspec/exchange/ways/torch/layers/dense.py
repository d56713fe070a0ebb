"""Dense layers, with weights of their own or of another layer."""

from nnspec.exchange.ways.torch.layers._arrays import arrays_of, tied_bias, turned
from nnspec.exchange.ways.torch.writing import Inputs, Value, Writer, goes
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.dense import Dense


@goes(Dense)
def _dense(word: Dense, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,), shape = inputs, node.input_shapes[0]
    text, features = x.last(), word.reads(shape)
    if not shape.sequence and len(shape) != 1:
        text = f"{text}.flatten(1)" if shape else f"{text}[:, None]"
    if node.ties:
        bias = tied_bias(node, w)
        weight = f"{w.weight_of(node, 'weight')}.T".replace(".T.T", "")
        return Value(f"F.linear({text}, {weight}, {bias})", node.output_shape)
    bias = "" if word.bias else ", bias=False"
    module = w.module(node, f"nn.Linear({features}, {word.units}{bias})", arrays_of(node, turned))
    return Value(f"{module}({text})", node.output_shape)
