"""The convolution."""

from typing import Annotated

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Weighted
from nnspec.spec_lang.vocabulary.markers import Count, Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape
from nnspec.spec_lang.vocabulary.spatial import Extent, Pad, Windowed, window_extent


class Conv(Windowed, Weighted):
    """Slide F windows over an image, HxWxC → H'xW'xF (LeCun et al. 1989), or over time, TxC → T'xF.

    A window of two sizes lies on an image; one of a single size lies on the steps of a sequence, and on an image of
    three axes it is a square.
    """

    word = "conv"
    examples = ("conv 3x3 x8 relu", "conv 5x5 x16 stride=2 pad=same bias=no", "conv 3 x4")
    window: Window = Field(description="height and width of the window, or its length in time")
    filters: Count = Field(gt=0, description="how many features are looked for: the channels that come out")
    stride: int = Field(1, gt=0, description="cells from one window to the next")
    pad: Pad = Field(
        "valid", description="zeros around the image: none, enough for a window at every cell, or so many on every side"
    )
    dilation: Annotated[int, Field(gt=0)] = Field(1, description="cells from one cell of the window to the next")
    groups: Annotated[int, Field(gt=0)] = Field(1, description="groups of channels that do not see each other")

    def steps(self) -> int:
        """The stride, in cells."""
        return self.stride

    def along_time(self, shape: Shape) -> tuple[int, int] | None:
        """Time and channels where the windows lie on the steps of a sequence; None where they lie on an image."""
        return shape.as_steps() if len(self.window) == 1 else None

    def plane(self, shape: Shape) -> tuple[tuple[int, int, int], tuple[int, int]]:
        """As for any window; steps of a sequence are an image one pixel wide."""
        steps = self.along_time(shape)
        return ((steps[0], 1, steps[1]), (self.window[0], 1)) if steps is not None else super().plane(shape)

    def extents(self, shape: Shape, pad: Pad, dilation: int = 1) -> tuple[Extent, Extent]:
        """Both axes under the window; those of a sequence are its time and nothing."""
        steps = self.along_time(shape)
        if steps is None:
            return super().extents(shape, pad, dilation)
        time = window_extent(steps[0], self.window[0], self.stride, pad, dilation)
        if time.places < 1:
            message = f"a window of {dilation * (self.window[0] - 1) + 1} steps looks at {steps[0]}."
            help = f"write pad=same, or a window of {steps[0]} or less"
            raise Misfit(message, help, "the window does not fit")
        return time, Extent(1, 0, 0)

    def output_shape(self, shape: Shape) -> Shape:
        """(height', width', filters), or (time', filters)."""
        rows, columns = self.extents(shape, self.pad, self.dilation)
        channels = self.plane(shape)[0][2]
        for what, count in (("channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise Misfit(f"{self.groups} groups do not divide {count} {what}")
        if self.along_time(shape) is not None:
            return Shape((rows.places, self.filters), sequence=True)
        return Shape((rows.places, columns.places, self.filters))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """weight (height, width, in / groups, out), or (steps, in / groups, out), and bias (out,)."""
        (_, _, channels), (height, width) = self.plane(shape)
        channels //= self.groups
        area = height * width
        sizes = (height,) if self.along_time(shape) is not None else (height, width)
        weight = Parameter((*sizes, channels, self.filters), area * channels, area * self.filters // self.groups)
        return self.with_bias(weight, self.filters)

    def flops(self, shape: Shape) -> int:
        """Two for each weight of a window at every place."""
        weight = self.parameters(shape)["weight"]
        return self.output_shape(shape).size * (2 * weight.fan_in + self.bias)
