"""Activations: written as the last value of a layer, or as a layer, which can have options."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape


class Activation(Layer):
    """A function of each value; softmax is one of the values along the last axis."""

    kind = "activation"
    mixes_samples = False
    mixes_steps = False
    elementwise = True

    def flops(self, shape: Shape) -> int:
        """Return one operation for each value, however it is computed."""
        return shape.size


class Linear(Activation):
    """The identity: y = x."""

    word = "linear"

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def flops(self, shape: Shape) -> int:
        """Return 0."""
        return 0


class Relu(Activation):
    """max(x, 0) (Nair & Hinton 2010)."""

    word = "relu"
    monotone = True


class LeakyRelu(Activation):
    """x if x > 0, else slope·x (Maas et al. 2013)."""

    word = "leaky_relu"
    monotone = True
    slope: float = Field(0.01, ge=0, description="the slope for negative x")


class Elu(Activation):
    """x if x > 0, else alpha·(exp(x) − 1) (Clevert et al. 2016)."""

    word = "elu"
    alpha: float = Field(1.0, gt=0, description="minus the limit for large negative x")


class Gelu(Activation):
    """x·Φ(x), Φ the distribution function of the normal distribution, computed by erf (Hendrycks & Gimpel 2016)."""

    word = "gelu"


class Silu(Activation):
    """x·sigmoid(x) (Elfwing et al. 2018)."""

    word = "silu"


class Selu(Activation):
    """λ·x if x > 0, else λ·α·(exp(x) − 1), with λ = 1.0507 and α = 1.6733 (Klambauer et al. 2017).

    Layers of it keep their outputs near mean 0 and variance 1 where weights begin with `init lecun`.
    """

    word = "selu"


class Mish(Activation):
    """x·tanh(log(1 + exp(x))) (Misra 2019)."""

    word = "mish"


class Sigmoid(Activation):
    """1 / (1 + exp(−x))."""

    word = "sigmoid"


class Tanh(Activation):
    """The hyperbolic tangent."""

    word = "tanh"


class Softplus(Activation):
    """log(1 + exp(x)), a smooth relu (Dugas et al. 2001)."""

    word = "softplus"


class Prelu(Layer):
    """x if x > 0, else a·x, with a learned slope a for negative x, which begins at 0.25 (He et al. 2015).

    A layer of its own, for an activation that is an argument learns nothing. As in PyTorch there is one slope;
    `shared=no` learns one for each channel or feature, the last axis.
    """

    word = "prelu"
    examples = ("prelu", "prelu shared=no")
    mixes_samples = False
    mixes_steps = False
    shared: bool = Field(True, description="whether all channels have one slope")

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape. Raises Misfit for slopes by channel of a single number."""
        if not shape and not self.shared:
            raise Misfit("this sample is a single number, which has no channels", "leave shared=no out")
        return shape

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight: (1,), or (channels,)."""
        return {"weight": Parameter((1,) if self.shared else shape[-1:], value=0.25)}

    def flops(self, shape: Shape) -> int:
        """Return one operation for each value."""
        return shape.size


class Softmax(Activation):
    """exp(x) / Σ exp(x) over the last axis: positive numbers that sum to one."""

    word = "softmax"
    elementwise = False

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape. Raises Misfit for a single number."""
        if not shape:
            raise Misfit("softmax needs several values, and this is a single number", "write sigmoid")
        return shape
