"""Activations."""

from collections.abc import Callable

from nnspec.exchange.ways.c.layers import in_c
from nnspec.exchange.ways.c.program import Room, Site
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


@in_c(Linear, Dropout)
def identity(word: Linear | Dropout, site: Site) -> Room:
    """Nothing is computed."""
    return site.x


def _elementwise(*classes: type[Activation]) -> None:
    """Register activations that have no options."""
    for cls in classes:
        in_c(cls)(_without_options(f"apply_{cls.word}"))


def _without_options(kernel: str) -> Callable[[Activation, Site], Room]:
    def activation(word: Activation, site: Site) -> Room:
        y = site.over()
        site.call(kernel, site.x, y, site.output.size)
        return y

    return activation


_elementwise(Relu, Gelu, Silu, Mish, Sigmoid, Tanh, Softplus)


@in_c(LeakyRelu)
def leaky_relu(word: LeakyRelu, site: Site) -> Room:
    """With its slope."""
    y = site.over()
    site.call("apply_leaky_relu", site.x, float(word.slope), y, site.output.size)
    return y


@in_c(Elu)
def elu(word: Elu, site: Site) -> Room:
    """With its alpha."""
    y = site.over()
    site.call("apply_elu", site.x, 1.0, float(word.alpha), y, site.output.size)
    return y


@in_c(Selu)
def selu(word: Selu, site: Site) -> Room:
    """An elu with its scale."""
    y = site.over()
    site.call("apply_elu", site.x, SELU_SCALE, SELU_ALPHA, y, site.output.size)
    return y


@in_c(Prelu)
def prelu(word: Prelu, site: Site) -> Room:
    """With its learned slopes."""
    y, slopes = site.over(), site.arrays["weight"]
    site.call("prelu", site.x, site.constant("weight", slopes), y, site.output.size, slopes.size)
    return y


@in_c(Softmax)
def softmax(word: Softmax, site: Site) -> Room:
    """Over the last axis."""
    y, channels = site.over(), site.shape[-1]
    site.call("apply_softmax", site.x, y, site.output.size // channels, channels)
    return y
