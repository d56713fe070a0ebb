"""The convolution."""

from typing import Annotated

from pydantic import Field

from spec_lang.shape import Misfit, Parameter, Shape
from spec_lang.spatial import Pad, Windowed
from spec_lang.word import Count, Weighted, Window


class Conv(Windowed, Weighted):
    """Slide F windows over an image. HxWxC → H'xW'xF (LeCun et al. 1989)."""

    word = "conv"
    examples = ("conv 3x3 x8 relu", "conv 5x5 x16 stride=2 pad=same bias=no")
    window: Window
    filters: Count = Field(gt=0)
    stride: int = Field(1, gt=0)
    pad: Pad = "valid"
    dilation: Annotated[int, Field(gt=0)] = 1
    groups: Annotated[int, Field(gt=0)] = 1

    def steps(self) -> int:
        """The stride, in cells."""
        return self.stride

    def output_shape(self, shape: Shape) -> Shape:
        """(height', width', filters)."""
        rows, columns = self.extents(shape, self.pad, self.dilation)
        channels = shape.as_image()[2]  # type: ignore[index]
        for what, count in (("channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise Misfit(f"{self.groups} groups do not divide {count} {what}")
        return Shape((rows.places, columns.places, self.filters))

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """weight (height, width, in / groups, out) and bias (out,)."""
        height, width = self.pair()
        channels = shape.as_image()[2] // self.groups  # type: ignore[index]
        area = height * width
        weight = Parameter((height, width, channels, self.filters), area * channels, area * self.filters // self.groups)
        return self.with_bias(weight, self.filters)

    def flops(self, shape: Shape) -> int:
        """Two for each weight of a window at every place."""
        weight = self.parameters(shape)["weight"]
        height, width, filters = self.output_shape(shape)
        return height * width * filters * (2 * weight.fan_in + self.bias)
