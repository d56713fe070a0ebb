"""Layers that change the shape of a sample, or the order of its axes, and none of its values."""

from typing import Annotated

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Axes, Bare, Positive, Window
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


class Permute(Layer):
    """The axes of a sample in another order, counted from 1: `permute 2 1 3` turns HxWxC into WxHxC.

    A sequence stays one where its first axis stays the first; `sequence` makes one of two axes.
    """

    word = "permute"
    examples = ("permute 2 1 3", "permute 2 1", "permute 2 1 sequence")
    mixes_samples = False
    mixes_steps = True
    order: Annotated[tuple[Positive, ...], Bare(("int",), "2 1 3")] = Field(
        min_length=1, description="for each axis of the output, the axis of the input that it is"
    )
    axes: Axes = Field(None, description="whether two axes are time and features")

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def output_shape(self, shape: Shape) -> Shape:
        """Return the axes in their new order. Raises Misfit if it does not name each axis of the input once."""
        written = " ".join(map(str, self.order))
        if sorted(self.order) != list(range(1, len(shape) + 1)):
            message = f"permute {written} is not an order of the {len(shape)} axes of {shape}"
            listed = " ".join(map(str, [*range(2, len(shape) + 1), 1][: len(shape)]))
            help = f"write each axis from 1 to {len(shape)} once, such as permute {listed}" if len(shape) > 1 else None
            raise Misfit(message, help or "leave it out")
        sequence = self.axes == "sequence" or (shape.sequence and self.order[0] == 1)
        if sequence and len(shape) != 2:
            raise Misfit(f"a sequence has two axes, time x features, and this has {len(shape)}", "leave sequence out")
        return Shape((shape[axis - 1] for axis in self.order), sequence=sequence)
