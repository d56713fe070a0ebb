"""Normalizations: numbers brought to mean 0 and variance 1, then scaled and shifted as learned."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape


class Normalization(Layer):
    """weight and bias for each channel, or each feature."""

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """weight (channels,), beginning as ones, and bias (channels,), as zeros."""
        if not shape:
            raise Misfit(f"{self.word} needs a feature axis, this sample is a single number")
        channels = shape[-1:]
        return {
            "weight": Parameter(channels, init="ones"),
            "bias": Parameter(channels, init="zeros"),
        }

    def flops(self, shape: Shape) -> int:
        """Four for each number: less the mean, over the deviation, times the weight, plus the bias."""
        return 4 * shape.size


class BatchNorm(Normalization):
    """Each channel normalized over batch and places (Ioffe & Szegedy 2015), by running averages at inference."""

    word = "batchnorm"
    momentum: float = Field(0.1, gt=0, le=1, description="the share of each batch in the running averages")
    eps: float = Field(1e-5, gt=0, description="added to the variance, so that nothing is divided by zero")

    def buffers(self, shape: Shape) -> dict[str, Parameter]:
        """running_mean and running_var (channels,)."""
        return {
            "running_mean": Parameter(shape[-1:], init="zeros"),
            "running_var": Parameter(shape[-1:], init="ones"),
        }


class LayerNorm(Normalization):
    """Each place of a sample normalized over its channels or features (Ba et al. 2016)."""

    word = "layernorm"
    eps: float = Field(1e-5, gt=0, description="added to the variance, so that nothing is divided by zero")
