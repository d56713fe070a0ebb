"""Initializers: the distributions of the first weights. Biases are initialized to zeros."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Init(Word):
    """A distribution of the initial weights."""

    kind = "init"


class Normal(Init):
    """Normal with standard deviation std; the default 1, from the from-scratch notes, is too large for wide layers."""

    word = "normal"
    std: float = Field(1.0, gt=0, description="standard deviation")


class VeryLarge(Init):
    """Normal with standard deviation std, by default 10: the notes show with it how training fails."""

    word = "very_large"
    std: float = Field(10.0, gt=0, description="standard deviation")


class Uniform(Init):
    """Uniform between low and high."""

    word = "uniform"
    low: float = Field(-0.05, description="the smallest value")
    high: float = Field(0.05, description="the largest value")


class Zeros(Init):
    """All zeros. Every unit of a layer then learns the same weights."""

    word = "zeros"


class Ones(Init):
    """All ones."""

    word = "ones"


class Constant(Init):
    """All the same value."""

    word = "constant"
    value: float = Field(0.0, description="the value")


class Xavier(Init):
    """Normal with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)."""

    word = "xavier"


class XavierUniform(Init):
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""

    word = "xavier_uniform"


class He(Init):
    """Normal with variance 2 / fan_in, for relu (He et al. 2015)."""

    word = "he"


class Paper(He):
    """The name of `he` in the from-scratch notes."""

    word = "paper"


class HeUniform(Init):
    """Uniform within ±√(6 / fan_in) (He et al. 2015)."""

    word = "he_uniform"


class Lecun(Init):
    """Normal with variance 1 / fan_in (LeCun et al. 1998)."""

    word = "lecun"


class Orthogonal(Init):
    """A matrix with orthonormal rows or columns, times gain (Saxe et al. 2014)."""

    word = "orthogonal"
    gain: float = Field(1.0, gt=0, description="the factor of the orthonormal matrix")
