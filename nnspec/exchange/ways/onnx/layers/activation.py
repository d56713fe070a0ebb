"""Activations: an operator each, in whatever layout the numbers are."""

from collections.abc import Callable

from nnspec.exchange.ways.onnx.graph import Value
from nnspec.exchange.ways.onnx.layers import Writing, writes
from nnspec.runtime.layers.activation import SELU_ALPHA, SELU_SCALE
from nnspec.spec_lang.vocabulary.layers.activation import (
    Activation,
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
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout


@writes(Linear, Dropout)
def identity(layer: Writing) -> Value:
    """y = x: at inference nothing is dropped."""
    return layer.x


def elementwise(cls: type[Activation]) -> Callable[[Callable[[Writing, str], str]], Callable[[Writing, str], str]]:
    """Register a function (layer, tensor) → tensor as an activation, computed in the layout of its input."""

    def register(function: Callable[[Writing, str], str]) -> Callable[[Writing, str], str]:
        @writes(cls)
        def activation(layer: Writing) -> Value:
            return layer.value(function(layer, layer.x.tensor), layer.x.layout)

        return function

    return register


@elementwise(Relu)
def _relu(layer: Writing, x: str) -> str:
    return layer.add("Relu", [x])


@elementwise(LeakyRelu)
def _leaky_relu(layer: Writing, x: str) -> str:
    return layer.add("LeakyRelu", [x], alpha=float(layer.word.slope))


@elementwise(Elu)
def _elu(layer: Writing, x: str) -> str:
    return layer.add("Elu", [x], alpha=float(layer.word.alpha))


@elementwise(Gelu)
def _gelu(layer: Writing, x: str) -> str:
    return layer.add("Gelu", [x])


@elementwise(Silu)
def _silu(layer: Writing, x: str) -> str:
    return layer.add("Mul", [x, layer.add("Sigmoid", [x], "sigmoid")])


@elementwise(Selu)
def _selu(layer: Writing, x: str) -> str:
    return layer.add("Selu", [x], alpha=SELU_ALPHA, gamma=SELU_SCALE)


@elementwise(Mish)
def _mish(layer: Writing, x: str) -> str:
    return layer.add("Mish", [x])


@elementwise(Sigmoid)
def _sigmoid(layer: Writing, x: str) -> str:
    return layer.add("Sigmoid", [x])


@elementwise(Tanh)
def _tanh(layer: Writing, x: str) -> str:
    return layer.add("Tanh", [x])


@elementwise(Softplus)
def _softplus(layer: Writing, x: str) -> str:
    return layer.add("Softplus", [x])


@writes(Softmax)
def softmax(layer: Writing) -> Value:
    """Over the channels."""
    x = layer.x
    return layer.value(layer.add("Softmax", [x.tensor], axis=x.layout.place(-1, x.rank)), x.layout)


@writes(Prelu)
def prelu(layer: Writing) -> Value:
    """The slopes are broadcast to the channels."""
    x = layer.x
    shape = [1] * (x.rank - 1)
    if not layer.word.shared:
        shape[x.layout.place(-1, x.rank) - 1] = -1
    slope = layer.array("weight", lambda array: array.reshape(shape))
    return layer.value(layer.add("PRelu", [x.tensor, slope]), x.layout)
