"""Attention and the positions it needs."""

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.layers._arrays import turned
from nnspec.exchange.ways.torch.layers._steps import masked
from nnspec.exchange.ways.torch.writing import Inputs, Turn, Value, Writer, goes, same
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.attention import PERIOD, Attention, Positions


@goes(Positions)
def _positions(word: Positions, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    time, features = node.input_shapes[0]
    if word.vectors == "sinusoidal":
        table = w.constant(node, "table", f"{w.helper('sinusoids')}({time}, {features}, {PERIOD})")
        return Value(f"{inputs[0].text} + {table}.to({inputs[0].text}.dtype)", node.output_shape)
    return Value(f"{inputs[0].text} + {w.parameter(node, 'weight', (time, features))}", node.output_shape)


@goes(Attention)
def _attention(word: Attention, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.ties:
        raise ExchangeError(f"{node.name}: attention with the weights of another layer does not go to PyTorch")
    shape = node.input_shapes[0]
    options = ", causal=True" if word.causal else ""
    options += f", dropout={word.dropout}" if word.dropout else ""
    options += "" if word.bias else ", bias=False"
    turns: dict[str, tuple[str, Turn]] = {
        "input_weight": ("input.weight", turned),
        "input_bias": ("input.bias", same),
        "output_weight": ("output.weight", turned),
        "output_bias": ("output.bias", same),
    }
    arrays = {name: turns[name] for name in word.parameters(shape)}
    text = f"{w.helper('Attention')}({shape[1]}, {word.width(shape)}, {word.heads}{options})"
    return Value(f"{w.module(node, text, arrays)}({inputs[0].text}{masked(node, w)})", node.output_shape)
