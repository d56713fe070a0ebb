"""Activations: elementwise functions, and softmax."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array, erf, sigmoid, softmax, softplus, sum_of_places
from nnspec.runtime.layers import Backward, Forward, Mode, implements
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
from nnspec.spec_lang.vocabulary.shape import Shape

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
"""λ and α of selu, for which mean 0 and variance 1 are a fixed point (Klambauer et al. 2017)."""

Function = Callable[[Any, Array], tuple[Array, Callable[[Array], Array]]]


def activation(cls: type[Activation]) -> Callable[[Function], Function]:
    """Register a function (word, x) → (y, gradient of y → gradient of x) as the layer of this class of word."""

    def register(function: Function) -> Function:
        @implements(cls)
        def layer(word: Activation, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
            def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
                y, back = function(word, x)
                return y, lambda d_y: (back(d_y), {})

            return forward

        return function

    return register


@activation(Linear)
def _linear(word: Linear, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = x"""
    return x, lambda d_y: d_y


@activation(Relu)
def _relu(word: Relu, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = max(x, 0); at 0 the slope is 0, as in PyTorch."""
    return np.maximum(x, 0), lambda d_y: d_y * (x > 0)


@activation(LeakyRelu)
def _leaky_relu(word: LeakyRelu, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = max(x, 0) + slope · min(x, 0)"""
    y = np.maximum(x, 0) + word.slope * np.minimum(x, 0)
    return y, lambda d_y: d_y * (x > 0) + word.slope * d_y * (x <= 0)


@activation(Elu)
def _elu(word: Elu, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = max(x, 0) + α · (exp(min(x, 0)) − 1); y' = 1 where x > 0, α · exp(x) elsewhere"""
    below = np.minimum(x, 0)
    y = np.maximum(x, 0) + word.alpha * np.expm1(below)
    return y, lambda d_y: d_y * (x > 0) + word.alpha * d_y * np.exp(below) * (x <= 0)


@activation(Gelu)
def _gelu(word: Gelu, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = x · Φ(x), Φ(x) = (1 + erf(x / √2)) / 2; y' = Φ(x) + x · φ(x), φ(x) = exp(−x² / 2) / √(2π)"""
    share: Array = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    peak = 1 / math.sqrt(2 * math.pi)
    return x * share, lambda d_y: d_y * (share + x * peak * np.exp(-0.5 * x * x))


@activation(Silu)
def _silu(word: Silu, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = x · σ(x); y' = σ(x) · (1 + x · (1 − σ(x)))"""
    share = sigmoid(x)
    return x * share, lambda d_y: d_y * share * (1 + x * (1 - share))


@activation(Selu)
def _selu(word: Selu, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = λ · (max(x, 0) + α · (exp(min(x, 0)) − 1)); y' = λ where x > 0, λ · α · exp(x) elsewhere"""
    below = np.minimum(x, 0)
    y = SELU_SCALE * np.maximum(x, 0) + SELU_SCALE * SELU_ALPHA * np.expm1(below)
    return y, lambda d_y: d_y * np.where(x > 0, SELU_SCALE, SELU_SCALE * SELU_ALPHA * np.exp(below)).astype(x.dtype)


@activation(Mish)
def _mish(word: Mish, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = x · t, t = tanh(log(1 + exp(x))); y' = t + x · (1 − t²) · σ(x)"""
    share = np.tanh(softplus(x))
    return x * share, lambda d_y: d_y * (share + x * (1 - share * share) * sigmoid(x))


@activation(Sigmoid)
def _sigmoid(word: Sigmoid, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = σ(x) = 1 / (1 + exp(−x)); y' = y · (1 − y)"""
    y = sigmoid(x)
    return y, lambda d_y: d_y * y * (1 - y)


@activation(Tanh)
def _tanh(word: Tanh, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = tanh(x); y' = 1 − y²"""
    y = np.tanh(x)
    return y, lambda d_y: d_y * (1 - y * y)


@activation(Softplus)
def _softplus(word: Softplus, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = log(1 + exp(x)); y' = σ(x)"""
    return softplus(x), lambda d_y: d_y * sigmoid(x)


@implements(Prelu)
def prelu(word: Prelu, shape: Shape, arrays: Mapping[str, Array]) -> Forward:
    """y = max(x, 0) + a · min(x, 0); d_a = Σ d_y · min(x, 0), over all channels where they share a."""

    def forward(x: Array, mode: Mode) -> tuple[Array, Backward]:
        slope, below = arrays["weight"], np.minimum(x, 0)

        def backward(d_y: Array) -> tuple[Array, dict[str, Array]]:
            shares = d_y * below
            d_slope = sum_of_places(shares.reshape(-1, len(slope)) if shape else shares[:, None])
            return d_y * np.where(x > 0, np.ones((), x.dtype), slope), {"weight": d_slope}

        return np.maximum(x, 0) + slope * below, backward

    return forward


@activation(Softmax)
def _softmax(word: Softmax, x: Array) -> tuple[Array, Callable[[Array], Array]]:
    """y = exp(x) / Σ exp(x) over the last axis; ∂y_i/∂x_j = y_i · (δ_ij − y_j)"""
    y = softmax(x)
    return y, lambda d_y: y * (d_y - (d_y * y).sum(axis=-1, keepdims=True))
