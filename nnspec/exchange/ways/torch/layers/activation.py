"""Activations: functions of torch, and the slopes of prelu."""

from collections.abc import Callable
from typing import Any

from nnspec.exchange.ways.torch.writing import Inputs, Value, Writer, goes
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.activation import (
    Elu,
    Gelu,
    LeakyRelu,
    Linear,
    Mish,
    Prelu,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)


def _function(text: str) -> Callable[[Any, GraphNode, Writer, Inputs], Value]:
    """Return how an elementwise function goes out: its text with {x}, and with the fields of its word."""

    def function(word: Any, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
        (x,) = inputs
        return Value(text.format(x=x.text, **word.model_dump()), x.shape, x.planes)

    return function


for _word, _text in {
    Linear: "{x}",
    Relu: "F.relu({x})",
    LeakyRelu: "F.leaky_relu({x}, {slope})",
    Elu: "F.elu({x}, {alpha})",
    Gelu: "F.gelu({x})",
    Silu: "F.silu({x})",
    Selu: "F.selu({x})",
    Mish: "F.mish({x})",
    Sigmoid: "{x}.sigmoid()",
    Tanh: "{x}.tanh()",
    Softplus: "F.softplus({x})",
}.items():
    goes(_word)(_function(_text))


@goes(Softmax)
def _softmax(word: Softmax, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,) = inputs
    return Value(f"{x.text}.softmax({1 if x.planes else -1})", x.shape, x.planes)


@goes(Prelu)
def _prelu(word: Prelu, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    text = inputs[0].last()
    slope = w.parameter(node, "weight", node.layer.parameters(node.input_shapes[0])["weight"].shape)
    return Value(f"{text}.clamp(min=0) + {slope} * {text}.clamp(max=0)", node.output_shape)
