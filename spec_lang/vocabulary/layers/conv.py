"""Convolutions: of all channels, of each channel by itself, and of each channel and then of all at one position."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Weighted
from nnspec.spec_lang.vocabulary.markers import Count, Positive, Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape
from nnspec.spec_lang.vocabulary.spatial import Dilation, Frame, Stride, Windowed, each_axis


class Convolution(Windowed, Weighted):
    """A layer that multiplies each window by learned weights.

    A window with two sizes applies to an image. A window with one size applies to the steps of a sequence; on an image
    with three axes it is a square.
    """

    mixes_samples = False
    mixes_steps = True
    skips_padding = True

    def strides(self) -> tuple[int, int]:
        """Return the stride along the rows and along the columns, in cells."""
        return each_axis("stride", self.argument("stride"))

    def along_time(self, shape: Shape) -> tuple[int, int] | None:
        """Return (time, channels) if the windows apply to steps: those of one size over any two axes."""
        return shape.as_steps() if len(self.window) == 1 else None

    def made_of(self, channels: int) -> int:
        """Return the number of output channels for this number of input channels."""
        raise TypeError(f"{type(self).__name__} does not say its output channels")

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height', width', channels'), or (time', channels')."""
        rows, columns = self.extents(shape)
        filters = self.made_of(self.plane(shape)[0][2])
        if self.along_time(shape) is not None:
            return Shape((rows.places, filters), sequence=True)
        return Shape((rows.places, columns.places, filters))

    def works_by_step(self, shape: Shape) -> bool:
        """A window of one step, at every step."""
        return self.window == (1,) and self.output_shape(shape)[0] == shape[0]

    def sizes(self, shape: Shape) -> tuple[int, ...]:
        """Return the size of the window as the weight has it: (height, width), or (steps,)."""
        _, (height, width) = self.plane(shape)
        return (height,) if self.along_time(shape) is not None else (height, width)


class Conv(Convolution):
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
    gathers = True
    window: Window = Field(description="height and width of the window, or its length in time")
    filters: Count = Field(gt=0, description="the number of filters, which are the output channels")
    stride: Stride = 1
    pad: Frame = "valid"
    dilation: Dilation = 1
    groups: Positive = Field(1, description="groups of channels, each convolved independently")

    def made_of(self, channels: int) -> int:
        """Return the filters. Raises Misfit if the groups do not divide them or the channels."""
        for what, count in (("channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise Misfit(f"{self.groups} groups do not divide {count} {what}")
        return self.filters

    def looks_ahead(self, shape: Shape) -> bool:
        """Unless all its zeros are before the first step, as in pad=4x0 for a window of 5."""
        rows, _ = self.extents(shape)
        return self.along_time(shape) is None or rows.after > 0 or rows.places != shape[0]

    def columns(self, shape: Shape) -> tuple[int, int] | None:
        """One product of all windows, unless they lie on steps or channels are in groups."""
        if self.groups > 1 or self.along_time(shape) is not None:
            return None
        (_, _, channels), (height, width) = self.plane(shape)
        return height * width * channels, self.output_shape(shape).size // self.filters

    def adjacent_rows(self, shape: Shape) -> int | None:
        """Those of its window, without strides, dilations and groups, and where no output position is in the frame."""
        if self.columns(shape) is None or self.strides() != (1, 1) or self.dilations() != (1, 1):
            return None
        sides = zip(self.extents(shape), self.pair(), strict=True)
        within = all(max(side.before, side.after) < size for side, size in sides)
        return self.pair()[0] if within and self.pair()[0] > 1 else None

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (height, width, in / groups, out), or (steps, in / groups, out), and bias (out,)."""
        (_, _, channels), (height, width) = self.plane(shape)
        channels //= self.groups
        area = height * width
        shape_of_weight = (*self.sizes(shape), channels, self.filters)
        weight = Parameter(shape_of_weight, area * channels, area * self.filters // self.groups)
        return self.with_bias(weight, self.filters)

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight of a window at each output position."""
        weight = self.parameters(shape)["weight"]
        return self.output_shape(shape).size * (2 * weight.fan_in + self.bias)


class Depthwise(Convolution):
    """Convolution of each channel by itself, HxWxC → H'xW'xC, or over time, TxC → T'xC (Sifre 2014).

    With `multiplier=M` there are M filters for each channel, and M outputs of each side by side.
    """

    word = "depthwise"
    examples = ("depthwise 3x3", "depthwise 3x2 stride=2x1 pad=same multiplier=2 relu", "depthwise 3 pad=2x0")
    window: Window = Field(description="height and width of the window, or its length in time")
    multiplier: Positive = Field(1, description="filters for each channel")
    stride: Stride = 1
    pad: Frame = "valid"
    dilation: Dilation = 1

    def made_of(self, channels: int) -> int:
        """Return `multiplier` outputs for each channel."""
        return channels * self.multiplier

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (height, width, 1, out), or (steps, 1, out), as that of a grouped `conv`, and bias (out,)."""
        (_, _, channels), (height, width) = self.plane(shape)
        filters, area = self.made_of(channels), height * width
        weight = Parameter((*self.sizes(shape), 1, filters), area, area * self.multiplier)
        return self.with_bias(weight, filters)

    def flops(self, shape: Shape) -> int:
        """Return two operations for each cell of a window at each output position."""
        height, width = self.plane(shape)[1]
        return self.output_shape(shape).size * (2 * height * width + self.bias)


class Separable(Convolution):
    """Depthwise convolution, then F filters at each position, HxWxC → H'xW'xF, or over time, TxC → T'xF (Chollet 2017).

    Nothing is between the two; the bias and the activation follow the second, as in Keras. `multiplier=M` gives M
    outputs of the first for each channel.
    """

    word = "separable"
    examples = ("separable 3x3 x8 relu", "separable 3x3 x4 stride=2 pad=same multiplier=2 bias=no", "separable 3 x4")
    penalized = ("depthwise_weight", "pointwise_weight")
    window: Window = Field(description="height and width of the window, or its length in time")
    filters: Count = Field(gt=0, description="the number of filters, which are the output channels")
    multiplier: Positive = Field(1, description="filters of the depthwise convolution for each channel")
    stride: Stride = 1
    pad: Frame = "valid"
    dilation: Dilation = 1

    def made_of(self, channels: int) -> int:
        """Return the filters."""
        return self.filters

    def depthwise(self) -> Depthwise:
        """Return the first of the two convolutions, without a bias."""
        return Depthwise(
            window=self.window,
            multiplier=self.multiplier,
            stride=self.stride,
            pad=self.pad,
            dilation=self.dilation,
            bias=False,
            init=self.init,
        )

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return depthwise_weight (height, width, 1, middle), pointwise_weight (middle, out) and bias (out,)."""
        first = self.depthwise()
        between = first.made_of(self.plane(shape)[0][2])
        second = self.with_bias(Parameter((between, self.filters), between, self.filters), self.filters)
        bias = {"bias": second["bias"]} if self.bias else {}
        depthwise = first.parameters(shape)["weight"]
        return {"depthwise_weight": depthwise, "pointwise_weight": second["weight"], **bias}

    def flops(self, shape: Shape) -> int:
        """Return those of both."""
        first = self.depthwise()
        between = first.made_of(self.plane(shape)[0][2])
        return first.flops(shape) + self.output_shape(shape).size * (2 * between + self.bias)
