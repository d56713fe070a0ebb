"""How weights begin. Biases begin as zeros."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.registry import Word


class Init(Word):
    """A distribution of first weights."""

    kind = "init"


class Normal(Init):
    """Normal with standard deviation std; 1 as in the from-scratch notes, far too much for a wide layer."""

    word = "normal"
    std: float = Field(1.0, gt=0, description="standard deviation")


class VeryLarge(Init):
    """Normal with standard deviation std, 10 unless given: the notes' warning."""

    word = "very_large"
    std: float = Field(10.0, gt=0, description="standard deviation")


class Uniform(Init):
    """Uniform between low and high."""

    word = "uniform"
    low: float = Field(-0.05, description="the smallest value")
    high: float = Field(0.05, description="the largest value")


class Zeros(Init):
    """All zeros: every unit of a layer then learns the same."""

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
    """Normal with variance 2 / fan_in (He et al. 2015), made for relu."""

    word = "he"


class Paper(He):
    """The notes' name for `he`, after the paper they took it from."""

    word = "paper"


class HeUniform(Init):
    """Uniform within ±√(6 / fan_in) (He et al. 2015)."""

    word = "he_uniform"


class Lecun(Init):
    """Normal with variance 1 / fan_in (LeCun et al. 1998)."""

    word = "lecun"


class Orthogonal(Init):
    """Rows or columns orthonormal, scaled by gain (Saxe et al. 2014)."""

    word = "orthogonal"
    gain: float = Field(1.0, gt=0, description="what the rows or columns are scaled by")
