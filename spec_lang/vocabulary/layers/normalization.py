"""Normalizations to mean 0 and variance 1, followed by a learned scale and shift."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape


class Normalization(Layer):
    """A normalization with a weight and a bias for each channel or feature."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (channels,), initialized to ones, and bias (channels,), to zeros."""
        if not shape:
            raise Misfit(f"{self.word} needs a feature axis, and this sample is a single number")
        channels = shape[-1:]
        return {
            "weight": Parameter(channels, init="ones"),
            "bias": Parameter(channels, init="zeros"),
        }

    def flops(self, shape: Shape) -> int:
        """Return four operations for each value: subtract the mean, divide by the deviation, scale, shift."""
        return 4 * shape.size


class BatchNorm(Normalization):
    """Normalize each channel over batch and positions, at inference by running averages (Ioffe & Szegedy 2015)."""

    word = "batchnorm"
    mixes_samples = True
    mixes_steps = False
    skips_padding = True
    momentum: float = Field(0.1, gt=0, le=1, description="the weight of each batch in the running averages")
    eps: float = Field(1e-5, gt=0, description="added to the variance, against division by zero")

    def buffers(self, shape: Shape) -> dict[str, Parameter]:
        """Return running_mean and running_var (channels,)."""
        return {
            "running_mean": Parameter(shape[-1:], init="zeros"),
            "running_var": Parameter(shape[-1:], init="ones"),
        }


class LayerNorm(Normalization):
    """Normalize each position of a sample over its channels or features (Ba et al. 2016)."""

    word = "layernorm"
    mixes_samples = False
    mixes_steps = False
    eps: float = Field(1e-5, gt=0, description="added to the variance, against division by zero")
