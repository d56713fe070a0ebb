"""Normalizations to mean 0 and variance 1, followed by a learned scale and shift."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Whole
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


class GroupNorm(Normalization):
    """Normalize each sample over G groups of its channels and all positions (Wu & He 2018), however large the batch."""

    word = "groupnorm"
    examples = ("groupnorm 1", "groupnorm 2 eps=0.001")
    mixes_samples = False
    mixes_steps = True
    groups: Whole = Field(gt=0, description="groups of channels, each with a mean and a variance")
    eps: float = Field(1e-5, gt=0, description="added to the variance, against division by zero")

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape. Raises Misfit if the groups do not divide the channels."""
        if shape and shape[-1] % self.groups:
            fits = max(n for n in range(1, shape[-1] + 1) if shape[-1] % n == 0 and n <= self.groups)
            raise Misfit(f"{self.groups} groups do not divide {shape[-1]} channels", f"write groupnorm {fits}")
        if shape.size == self.groups:
            raise Misfit(f"each of the {self.groups} groups is a single number, which has no variance", "leave it out")
        return shape


class InstanceNorm(Layer):
    """Normalize each channel of each sample over its positions (Ulyanov et al. 2016).

    As in PyTorch nothing is learned; `learned=yes` adds a weight and a bias for each channel.
    """

    word = "instancenorm"
    examples = ("instancenorm", "instancenorm learned=yes eps=0.001")
    mixes_samples = False
    mixes_steps = True
    learned: bool = Field(False, description="whether a learned scale and shift of each channel follow")
    eps: float = Field(1e-5, gt=0, description="added to the variance, against division by zero")

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape. Raises Misfit for a row or a single position."""
        if len(shape) < 2:
            what = "a row of numbers" if shape else "a single number"
            raise Misfit(f"instancenorm takes an image or a sequence, and {shape} is {what}", "write layernorm")
        if shape.size == shape[-1]:
            raise Misfit("each channel is a single number, which has no variance", "leave it out, or write layernorm")
        return shape

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (channels,), initialized to ones, and bias (channels,), to zeros, with `learned=yes`."""
        if not self.learned:
            return {}
        return {"weight": Parameter(shape[-1:], init="ones"), "bias": Parameter(shape[-1:], init="zeros")}

    def flops(self, shape: Shape) -> int:
        """Return two operations for each value, four with `learned=yes`."""
        return (4 if self.learned else 2) * shape.size


class LayerNorm(Normalization):
    """Normalize each position of a sample over its channels or features (Ba et al. 2016)."""

    word = "layernorm"
    mixes_samples = False
    mixes_steps = False
    eps: float = Field(1e-5, gt=0, description="added to the variance, against division by zero")
