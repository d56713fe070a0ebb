"""Layers that make an image or a sequence larger: by repeating or interpolating, and by a learned convolution."""

from math import prod
from typing import Annotated, Literal

from pydantic import Field

from nnspec.spec_lang.limits import MAX_SHAPE_AXES
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.layers.conv import Convolution
from nnspec.spec_lang.vocabulary.markers import Bare, Count, Positive, Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape
from nnspec.spec_lang.vocabulary.spatial import (
    AxisPad,
    Cells,
    Dilation,
    Extent,
    Pad,
    Stride,
    both_axes_doubt,
    each_axis,
    image_or_steps,
)


class Upsample(Layer):
    """K times as many rows and columns, HxWxC → KHxKWxC, or steps, TxC → KTxC.

    Each pixel is repeated, or with `mode=bilinear` new pixels are weighted means of the nearest two along each axis. As
    in PyTorch, `align_corners=yes` keeps the first and the last pixel where they are.
    """

    word = "upsample"
    examples = ("upsample 2", "upsample 2x3 mode=bilinear", "upsample 3 mode=bilinear align_corners=yes")
    mixes_samples = False
    mixes_steps = True
    factor: Annotated[tuple[Positive, ...], Bare(("size", "int"), "2")] = Field(
        max_length=MAX_SHAPE_AXES, description="how many times as many rows and columns, or steps"
    )
    mode: Literal["nearest", "bilinear"] = Field(
        "nearest", description="the nearest pixel, or a weighted mean of the nearest ones; over time linear"
    )
    align_corners: bool = Field(
        False, description="whether the first and the last pixel keep their values (mode=bilinear)"
    )

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def factors(self, shape: Shape) -> tuple[int, int]:
        """Return how many times as many rows and columns; over time the second is 1."""
        down, right = each_axis(self.word, self.factor, sign=" ")
        steps = image_or_steps(self.word, shape)[1]
        if steps and len(self.factor) > 1:
            message = f"{self.word} {Shape(self.factor)} takes an image, and {shape} is a sequence"
            raise Misfit(message, f"write one number, for its steps: {self.word} {down}")
        return (down, 1) if steps else (down, right)

    def doubt(self, shape: Shape) -> str | None:
        """One factor for two axes, which may be time and features."""
        return both_axes_doubt(shape, "It enlarges") if len(self.factor) == 1 else None

    def output_shape(self, shape: Shape) -> Shape:
        """Return (K · height, K · width, channels), or (K · time, features)."""
        if self.align_corners and self.mode == "nearest":
            raise Misfit("align_corners is of mode=bilinear", "write mode=bilinear, or leave align_corners out")
        (height, width, channels), steps = image_or_steps(self.word, shape)
        down, right = self.factors(shape)
        if steps:
            return Shape((height * down, channels), sequence=True)
        return Shape((height * down, width * right, channels))

    def flops(self, shape: Shape) -> int:
        """Return four multiply-adds for each value of `mode=bilinear`, none of `nearest`."""
        return 8 * self.output_shape(shape).size if self.mode == "bilinear" else 0


class Transposed(Convolution):
    """Transposed convolution with F filters, HxWxC → H'xW'xF (Zeiler et al. 2010), or over time, TxC → T'xF.

    Each pixel adds its window to the output, the windows `stride` apart: the gradient of a convolution as a layer.
    H' = (H − 1) · stride + dilation · (window − 1) + 1 − 2 · pad + output_pad, as in PyTorch; with `pad=same` it is
    H · stride, as in Keras.
    """

    word = "transposed"
    examples = (
        "transposed 2x2 x8 stride=2 relu",
        "transposed 3x3 x4 stride=2x1 pad=1x0 output_pad=1x0 groups=2 bias=no",
        "transposed 3x2 x4 stride=2 pad=same dilation=1x2",
        "transposed 4 x4 stride=2 pad=1",
    )
    gathers = True
    window: Window = Field(description="height and width of the window, or its length in time")
    filters: Count = Field(gt=0, description="the number of filters, which are the output channels")
    stride: Stride = 1
    pad: Pad = Field(
        "valid",
        description="cells that are cut off around the output: none, as many as leave stride times the input's size, "
        "N cells on each side, ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT; over time N or BEFORExAFTER",
    )
    dilation: Dilation = 1
    output_pad: Cells = Field(
        0, description="more cells at the end of the output, fewer than the stride: one number or ROWSxCOLUMNS"
    )
    groups: Positive = Field(1, description="groups of channels, each convolved independently")

    def made_of(self, channels: int) -> int:
        """Return the filters. Raises Misfit if the groups do not divide them or the channels."""
        for what, count in (("channels", channels), ("filters", self.filters)):
            if count % self.groups:
                raise Misfit(f"{self.groups} groups do not divide {count} {what}")
        return self.filters

    def extents(self, shape: Shape) -> tuple[Extent, Extent]:
        """Return, for each axis, the size of the output, and the cells that are cut off before and after it.

        Raises Misfit if the options leave nothing, or are not for these axes.
        """
        steps = self.along_time(shape) is not None
        if steps:
            self._check_one_axis()
        elif shape.as_image() is None:
            raise self._no_image(shape)
        (*lengths, _), window = self.plane(shape)
        sides = (*self._sides(1), 0) if steps else self._sides(2)
        more = each_axis("output_pad", self.output_pad)
        more = (more[0], 0) if steps else more
        strides, dilations = self.strides(), self.dilations()
        rows, columns = (_output(*each) for each in zip(lengths, window, strides, dilations, sides, more, strict=True))
        return rows, columns

    def parameters(self, shape: Shape) -> dict[str, Parameter]:
        """Return weight (height, width, in, out / groups), or (steps, in, out / groups), and bias (out,)."""
        (_, _, channels), (height, width) = self.plane(shape)
        area, filters = height * width, self.filters // self.groups
        overlaps = max(area // prod(self.strides()), 1)  # windows that reach an output
        weight = Parameter((*self.sizes(shape), channels, filters), overlaps * channels // self.groups, area * filters)
        return self.with_bias(weight, self.filters)

    def flops(self, shape: Shape) -> int:
        """Return two operations for each weight at each pixel of the input, and one for each bias of the output."""
        weight = self.parameters(shape)["weight"]
        return 2 * weight.size * (shape.size // weight.shape[-2]) + self.bias * self.output_shape(shape).size


def _output(length: int, window: int, stride: int, dilation: int, pad: AxisPad, more: int) -> Extent:
    """Return the size of the output along an axis, and the cells that are cut off before and after it.

    Raises Misfit for an output_pad that is not less than the stride or the dilation, as in PyTorch.
    """
    reach = dilation * (window - 1) + 1
    whole = (length - 1) * stride + reach
    if more >= max(stride, dilation):
        message = f"output_pad={more} is not less than the stride, {stride}"
        raise Misfit(message, f"write output_pad={max(stride, dilation) - 1} or less")
    if pad == "same":
        if more:
            raise Misfit("pad=same gives the output its size, and output_pad adds to it", "leave output_pad out")
        before = max(reach - stride, 0) // 2
        return Extent(length * stride, before, max(whole - before - length * stride, 0))
    before, after = (0, 0) if isinstance(pad, str) else pad if isinstance(pad, tuple) else (pad, pad)
    size = whole - before - after + more
    if size < 1:
        message = f"pad cuts off {before + after} cells of an output of {whole + more}"
        raise Misfit(message, "write a smaller pad", "nothing is left of the output")
    return Extent(size, before, max(after - more, 0))
