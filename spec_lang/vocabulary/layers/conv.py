"""The convolution."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Weighted
from nnspec.spec_lang.vocabulary.markers import Count, Positive, Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape
from nnspec.spec_lang.vocabulary.spatial import Pad, Steps, Windowed, each_axis


class Conv(Windowed, Weighted):
    """Convolution with F filters over an image, HxWxC → H'xW'xF (LeCun et al. 1989), or over time, TxC → T'xF.

    A window with two sizes applies to an image. A window with one size applies to the steps of a sequence; on an image
    with three axes it is a square.
    """

    word = "conv"
    examples = (
        "conv 3x3 x8 relu",
        "conv 5x5 x16 stride=2 pad=same bias=no",
        "conv 3x3 x4 stride=2x1 dilation=1x2 pad=1x2",
        "conv 3 x4",
        "conv 3 x4 pad=2x0",
    )
    mixes_samples = False
    mixes_steps = True
    skips_padding = True
    gathers = True
    window: Window = Field(description="height and width of the window, or its length in time")
    filters: Count = Field(gt=0, description="the number of filters, which are the output channels")
    stride: Steps = Field(1, description="cells between the starts of consecutive windows: one number or ROWSxCOLUMNS")
    pad: Pad = Field(
        "valid",
        description="zeros around the image: none, enough for one output per input cell, N cells on each side, "
        "ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT; over time N or BEFORExAFTER",
    )
    dilation: Steps = Field(1, description="the distance between the cells of a window: one number or ROWSxCOLUMNS")
    groups: Positive = Field(1, description="groups of channels, each convolved independently")

    def strides(self) -> tuple[int, int]:
        """Return the stride along the rows and along the columns, in cells."""
        return each_axis("stride", self.stride)

    def along_time(self, shape: Shape) -> tuple[int, int] | None:
        """Return (time, channels) if the windows apply to steps: those of one size over any two axes."""
        return shape.as_steps() if len(self.window) == 1 else None

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height', width', filters), or (time', filters)."""
        rows, columns = self.extents(shape)
        channels = self.plane(shape)[0][2]
        for what, count in (("channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise Misfit(f"{self.groups} groups do not divide {count} {what}")
        if self.along_time(shape) is not None:
            return Shape((rows.places, self.filters), sequence=True)
        return Shape((rows.places, columns.places, self.filters))

    def columns(self, shape: Shape) -> tuple[int, int] | None:
        """One product of all windows, unless they lie on steps or channels are in groups."""
        if self.groups > 1 or self.along_time(shape) is not None:
            return None
        (_, _, channels), (height, width) = self.plane(shape)
        return height * width * channels, self.output_shape(shape).size // self.filters

    def works_by_step(self, shape: Shape) -> bool:
        """A window of one step, at every step."""
        return self.window == (1,) and self.output_shape(shape)[0] == shape[0]

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (height, width, in / groups, out), or (steps, in / groups, out), and bias (out,)."""
        (_, _, channels), (height, width) = self.plane(shape)
        channels //= self.groups
        area = height * width
        sizes = (height,) if self.along_time(shape) is not None else (height, width)
        weight = Parameter((*sizes, channels, self.filters), area * channels, area * self.filters // self.groups)
        return self.with_bias(weight, self.filters)

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight of a window at each output position."""
        weight = self.parameters(shape)["weight"]
        return self.output_shape(shape).size * (2 * weight.fan_in + self.bias)
