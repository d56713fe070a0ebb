"""The initializers: how weights begin."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.initializers import (
    Constant,
    He,
    HeUniform,
    Lecun,
    Normal,
    Ones,
    Orthogonal,
    Uniform,
    VeryLarge,
    Xavier,
    XavierUniform,
    Zeros,
)
from nnspec.spec_lang.vocabulary.registry import Word
from nnspec.spec_lang.vocabulary.shape import Parameter

Draw = Callable[[Any, Parameter, np.random.Generator], Array]

INITIALIZERS: Registry[Draw] = Registry(__name__)
"""Every initializer by (word, parameter, random), by its class of word."""

implements_init = INITIALIZERS.implements


def initialize(word: Word, parameter: Parameter, random: np.random.Generator, dtype: DTypeLike) -> Array:
    """First values of a parameter, of its shape, by a word of kind "init".

    They are drawn in float64 and rounded to `dtype`, so that float32 and float64 begin alike. Which word it is, the
    parameter's own `init`, the layer's or the spec's, is the caller's to know.
    """
    return INITIALIZERS[type(word)](word, parameter, random).astype(dtype, copy=False)


@implements_init(Normal, VeryLarge)
def normal(word: Normal | VeryLarge, parameter: Parameter, random: np.random.Generator) -> Array:
    """Normal with mean 0 and deviation std."""
    return random.normal(0, word.std, parameter.shape)


@implements_init(Uniform)
def uniform(word: Uniform, parameter: Parameter, random: np.random.Generator) -> Array:
    """Uniform from low to high."""
    return random.uniform(word.low, word.high, parameter.shape)


@implements_init(Zeros)
def zeros(word: Zeros, parameter: Parameter, random: np.random.Generator) -> Array:
    """All 0."""
    return np.zeros(parameter.shape)


@implements_init(Ones)
def ones(word: Ones, parameter: Parameter, random: np.random.Generator) -> Array:
    """All 1."""
    return np.ones(parameter.shape)


@implements_init(Constant)
def constant(word: Constant, parameter: Parameter, random: np.random.Generator) -> Array:
    """All the same."""
    return np.full(parameter.shape, word.value)


@implements_init(Xavier)
def xavier(word: Xavier, parameter: Parameter, random: np.random.Generator) -> Array:
    """Normal with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""
    return random.normal(0, math.sqrt(2 / (parameter.fan_in + parameter.fan_out)), parameter.shape)


@implements_init(XavierUniform)
def xavier_uniform(word: XavierUniform, parameter: Parameter, random: np.random.Generator) -> Array:
    """Uniform within ±√(6 / (fan_in + fan_out)), of the same variance as xavier."""
    bound = math.sqrt(6 / (parameter.fan_in + parameter.fan_out))
    return random.uniform(-bound, bound, parameter.shape)


@implements_init(He)
def he(word: He, parameter: Parameter, random: np.random.Generator) -> Array:
    """Normal with variance 2 / fan_in (He et al. 2015)."""
    return random.normal(0, math.sqrt(2 / parameter.fan_in), parameter.shape)


@implements_init(HeUniform)
def he_uniform(word: HeUniform, parameter: Parameter, random: np.random.Generator) -> Array:
    """Uniform within ±√(6 / fan_in), of the same variance as he."""
    bound = math.sqrt(6 / parameter.fan_in)
    return random.uniform(-bound, bound, parameter.shape)


@implements_init(Lecun)
def lecun(word: Lecun, parameter: Parameter, random: np.random.Generator) -> Array:
    """Normal with variance 1 / fan_in (LeCun et al. 1998)."""
    return random.normal(0, math.sqrt(1 / parameter.fan_in), parameter.shape)


@implements_init(Orthogonal)
def orthogonal(word: Orthogonal, parameter: Parameter, random: np.random.Generator) -> Array:
    """gain times a matrix whose columns are orthonormal, or its rows where it has more columns (Saxe et al. 2014).

    The matrix is the parameter with all axes but the last as its rows: what one output sees is a column. It is the Q of
    a normal matrix's QR, with each column's sign taken from R's diagonal: every rotation is then as probable as any
    other (Mezzadri 2007).
    """
    columns = parameter.shape[-1]
    rows = parameter.size // columns
    q, r = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.copysign(1, r.diagonal())
    return word.gain * (q if rows >= columns else q.T).reshape(parameter.shape)
