"""The initializers: the first values of the parameters."""

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

Draw = Callable[[Any, Parameter, "np.random.Generator"], Array]

INITIALIZERS: Registry[Draw] = Registry(__name__)
"""The function (word, parameter, random) of every initializer, by the class of its word."""

implements_init = INITIALIZERS.implements


def initialize(word: Word, parameter: Parameter, random: "np.random.Generator", dtype: DTypeLike) -> Array:
    """Return the first values of a parameter, in its shape, by a word of kind "init".

    They are drawn in float64 and rounded to `dtype`, so that float32 and float64 start alike. The caller chooses the
    word: the parameter's own `init`, its layer's or the spec's.
    """
    return INITIALIZERS[type(word)](word, parameter, random).astype(dtype, copy=False)


@implements_init(Normal, VeryLarge)
def normal(word: Normal | VeryLarge, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw from a normal distribution with mean 0 and standard deviation std."""
    return random.normal(0, word.std, parameter.shape)


@implements_init(Uniform)
def uniform(word: Uniform, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw uniformly from low to high."""
    return random.uniform(word.low, word.high, parameter.shape)


@implements_init(Zeros)
def zeros(word: Zeros, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Return zeros."""
    return np.zeros(parameter.shape)


@implements_init(Ones)
def ones(word: Ones, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Return ones."""
    return np.ones(parameter.shape)


@implements_init(Constant)
def constant(word: Constant, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Return an array filled with `value`."""
    return np.full(parameter.shape, word.value)


@implements_init(Xavier)
def xavier(word: Xavier, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw from a normal distribution with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""
    return random.normal(0, math.sqrt(2 / (parameter.fan_in + parameter.fan_out)), parameter.shape)


@implements_init(XavierUniform)
def xavier_uniform(word: XavierUniform, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw uniformly within ±√(6 / (fan_in + fan_out)), with the variance of xavier."""
    bound = math.sqrt(6 / (parameter.fan_in + parameter.fan_out))
    return random.uniform(-bound, bound, parameter.shape)


@implements_init(He)
def he(word: He, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw from a normal distribution with variance 2 / fan_in (He et al. 2015)."""
    return random.normal(0, math.sqrt(2 / parameter.fan_in), parameter.shape)


@implements_init(HeUniform)
def he_uniform(word: HeUniform, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw uniformly within ±√(6 / fan_in), with the variance of he."""
    bound = math.sqrt(6 / parameter.fan_in)
    return random.uniform(-bound, bound, parameter.shape)


@implements_init(Lecun)
def lecun(word: Lecun, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Draw from a normal distribution with variance 1 / fan_in (LeCun et al. 1998)."""
    return random.normal(0, math.sqrt(1 / parameter.fan_in), parameter.shape)


@implements_init(Orthogonal)
def orthogonal(word: Orthogonal, parameter: Parameter, random: "np.random.Generator") -> Array:
    """Return gain times a matrix with orthonormal columns, or rows if it has more columns (Saxe et al. 2014).

    The matrix is the parameter with all axes but the last merged into rows: a column has the weights of one output. It
    is the Q of the QR decomposition of a normal matrix. Each column takes its sign from the diagonal of R, so that all
    rotations are equally probable (Mezzadri 2007).
    """
    columns = parameter.shape[-1]
    rows = parameter.size // columns
    q, r = np.linalg.qr(random.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.copysign(1, r.diagonal())
    return word.gain * (q if rows >= columns else q.T).reshape(parameter.shape)
