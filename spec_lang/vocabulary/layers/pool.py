"""Pools: one number for each window, or for the whole image."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from nnspec.spec_lang.vocabulary.spatial import Pad, Windowed


class Pool(Windowed):
    """A window that is summed up by one number in each channel; the stride is the window unless it is given."""

    window: Window = Field(description="height and width of the window")
    stride: int | None = Field(
        None, gt=0, description="cells from one window to the next; the window's own size unless it is given"
    )
    pad: Pad = Field(
        "valid",
        description="what is added around the image: nothing, enough for a window at every cell, or so much",
    )

    def steps(self) -> int:
        """The stride, in cells."""
        height, width = self.pair()
        if self.stride is None and height != width:
            raise Misfit(
                f"a window of {height}x{width} needs a stride of its own", f"write stride={min(height, width)}"
            )
        return self.stride or height

    def output_shape(self, shape: Shape) -> Shape:
        """(height', width', channels)."""
        if isinstance(self.pad, int) and 2 * self.pad > min(self.pair()):
            raise Misfit(
                f"pad={self.pad} is more than half of the window", f"write pad={min(self.pair()) // 2} or less"
            )
        rows, columns = self.extents(shape, self.pad)
        return Shape((rows.places, columns.places, shape.as_image()[2]))  # type: ignore[index]

    def flops(self, shape: Shape) -> int:
        """One for each cell of a window at every place."""
        height, width = self.pair()
        return height * width * self.output_shape(shape).size


class MaxPool(Pool):
    """The largest number of each window. HxWxC → H'xW'xC; padding never wins."""

    word = "maxpool"
    examples = ("maxpool 2", "maxpool 3 stride=2 pad=1")


class AvgPool(Pool):
    """The mean of each window, zeros of the padding counted. HxWxC → H'xW'xC."""

    word = "avgpool"
    examples = ("avgpool 2", "avgpool 3 stride=1 pad=same")


class GlobalPool(Layer):
    """One number for each channel of an image, or each feature of a sequence."""

    def output_shape(self, shape: Shape) -> Shape:
        """(channels,)."""
        if len(shape) < 2:
            raise Misfit(
                f"{self.word} looks at an image or a sequence, and {shape} is a row of numbers", "leave it out"
            )
        image = shape if shape.sequence else shape.as_image()
        if image is None:
            raise Misfit(
                f"{self.word} looks at an image or a sequence, and {shape} is neither", "write reshape HxWxC before it"
            )
        return Shape(image[-1:])

    def flops(self, shape: Shape) -> int:
        """One for each number."""
        return shape.size


class GlobalAvgPool(GlobalPool):
    """The mean of each channel (Lin et al. 2014). HxWxC → C."""

    word = "globalavgpool"


class GlobalMaxPool(GlobalPool):
    """The largest number of each channel. HxWxC → C."""

    word = "globalmaxpool"
