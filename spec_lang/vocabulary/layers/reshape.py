"""Other shapes of the same numbers."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


class Flatten(Layer):
    """All numbers of a sample in one row, the last axis running fastest."""

    word = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """(features,)."""
        return Shape((shape.size,))


class Reshape(Layer):
    """The same numbers in another shape, the last axis running fastest."""

    word = "reshape"
    examples = ("reshape 28x28x1", "reshape 784")
    shape: Window = Field(description="the new shape, of as many numbers")

    def output_shape(self, shape: Shape) -> Shape:
        """The shape asked for; it must hold as many numbers."""
        asked = Shape(self.shape)
        if asked.size != shape.size:
            raise Misfit(f"{asked} holds {asked.size:,} numbers, {shape} holds {shape.size:,}.")
        return asked
