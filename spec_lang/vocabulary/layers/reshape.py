"""Layers that change the shape of a sample and none of its values."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Axes, Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape


class Flatten(Layer):
    """All values of a sample in one row, in C order."""

    word = "flatten"
    mixes_samples = False
    mixes_steps = True

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def flattens(self, shape: Shape) -> bool:
        """All samples but sequences."""
        return not shape.sequence

    def output_shape(self, shape: Shape) -> Shape:
        """Return (features,)."""
        return Shape((shape.size,))


class Reshape(Layer):
    """The same values in another shape, in C order. `reshape 50x3 sequence` makes a sequence, time x features."""

    word = "reshape"
    mixes_samples = False
    mixes_steps = True
    examples = ("reshape 28x28x1", "reshape 784", "reshape 16x49 sequence")
    shape: Window = Field(description="the new shape, with the same number of values")
    axes: Axes = Field(None, description="whether two axes are time and features")

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the given shape. Raises Misfit if it does not have the same number of values."""
        asked = Shape(self.shape, sequence=self.axes == "sequence")
        if asked.sequence and len(asked) != 2:
            steps = Shape((asked[0], asked.size // asked[0]))
            message = f"a sequence has two axes, time x features, and {asked} has {len(asked)}"
            raise Misfit(message, f"write reshape {steps} sequence")
        if asked.size != shape.size:
            raise Misfit(f"{asked} has {asked.size:,} values, {shape} has {shape.size:,}.")
        return asked
