"""Activations: as the last argument of a layer, or as layers of their own where they have options."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


class Activation(Layer):
    """A function of each number alone (softmax: of each sample's numbers)."""

    kind = "activation"

    def flops(self, shape: Shape) -> int:
        """One operation for each number, however it is computed."""
        return shape.size


class Linear(Activation):
    """The identity: y = x."""

    word = "linear"

    def flops(self, shape: Shape) -> int:
        """None: nothing is computed."""
        return 0


class Relu(Activation):
    """max(x, 0) (Nair & Hinton 2010)."""

    word = "relu"


class LeakyRelu(Activation):
    """x where positive, slope·x elsewhere (Maas et al. 2013)."""

    word = "leaky_relu"
    slope: float = Field(0.01, ge=0, description="the slope where x is negative")


class Elu(Activation):
    """x where positive, alpha·(exp(x) − 1) elsewhere (Clevert et al. 2016)."""

    word = "elu"
    alpha: float = Field(1.0, gt=0, description="what large negative numbers come to, with a minus")


class Gelu(Activation):
    """x·Φ(x) with the normal distribution's Φ, exact by erf (Hendrycks & Gimpel 2016)."""

    word = "gelu"


class Silu(Activation):
    """x·sigmoid(x) (Elfwing et al. 2018)."""

    word = "silu"


class Sigmoid(Activation):
    """1 / (1 + exp(−x))."""

    word = "sigmoid"


class Tanh(Activation):
    """The hyperbolic tangent."""

    word = "tanh"


class Softplus(Activation):
    """log(1 + exp(x)), a smooth relu (Dugas et al. 2001)."""

    word = "softplus"


class Softmax(Activation):
    """exp(x) / Σ exp(x) over the last axis: positive numbers that sum to one."""

    word = "softmax"

    def output_shape(self, shape: Shape) -> Shape:
        """Unchanged; a single number has nothing to share a sum with."""
        if not shape:
            raise Misfit("softmax needs several numbers, this is one", "write sigmoid")
        return shape
