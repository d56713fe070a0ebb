"""Layers that change the shape of a sample and none of its values."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


class Flatten(Layer):
    """All values of a sample in one row, in C order."""

    word = "flatten"
    mixes_samples = False
    mixes_steps = True

    def flattens(self, shape: Shape) -> bool:
        """All samples but sequences."""
        return not shape.sequence

    def output_shape(self, shape: Shape) -> Shape:
        """Return (features,)."""
        return Shape((shape.size,))


class Reshape(Layer):
    """The same values in another shape, in C order."""

    word = "reshape"
    mixes_samples = False
    mixes_steps = True
    examples = ("reshape 28x28x1", "reshape 784")
    shape: Window = Field(description="the new shape, with the same number of values")

    def output_shape(self, shape: Shape) -> Shape:
        """Return the given shape. Raises Misfit if it does not have the same number of values."""
        asked = Shape(self.shape)
        if asked.size != shape.size:
            raise Misfit(f"{asked} has {asked.size:,} values, {shape} has {shape.size:,}.")
        return asked
