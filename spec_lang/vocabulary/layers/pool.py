"""Pools: one value for each window, or for the whole image."""

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from nnspec.spec_lang.vocabulary.spatial import Pad, Windowed


class Pool(Windowed):
    """A layer that reduces each window to one value in each channel."""

    mixes_samples = False
    mixes_steps = False

    window: Window = Field(description="height and width of the window")
    stride: int | None = Field(
        None, gt=0, description="cells between the starts of consecutive windows; default: the size of the window"
    )
    pad: Pad = Field(
        "valid",
        description="padding around the image: none, enough for one output per input cell, or N cells on each side",
    )

    def steps(self) -> int:
        """Return the stride, in cells."""
        height, width = self.pair()
        if self.stride is None and height != width:
            raise Misfit(f"a window of {height}x{width} needs a stride", f"write stride={min(height, width)}")
        return self.stride or height

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height', width', channels)."""
        if isinstance(self.pad, int) and 2 * self.pad > min(self.pair()):
            raise Misfit(
                f"pad={self.pad} is more than half of the window", f"write pad={min(self.pair()) // 2} or less"
            )
        rows, columns = self.extents(shape, self.pad)
        return Shape((rows.places, columns.places, shape.as_image()[2]))  # type: ignore[index]

    def tiles(self, shape: Shape) -> int | None:
        """The window's size where it moves by itself and nothing is padded."""
        height, width = self.pair()
        side_by_side = self.pad in (0, "valid") and height == width == self.steps()
        return height if side_by_side else None

    def flops(self, shape: Shape) -> int:
        """Return one operation for each cell of a window at each output position."""
        height, width = self.pair()
        return height * width * self.output_shape(shape).size


class MaxPool(Pool):
    """The largest value in each window, padding excluded. HxWxC → H'xW'xC."""

    word = "maxpool"
    selects = True
    examples = ("maxpool 2", "maxpool 3 stride=2 pad=1")


class AvgPool(Pool):
    """The mean of each window, zeros of the padding included. HxWxC → H'xW'xC."""

    word = "avgpool"
    examples = ("avgpool 2", "avgpool 3 stride=1 pad=same")


class GlobalPool(Layer):
    """One value for each channel of an image or feature of a sequence."""

    mixes_samples = False
    mixes_steps = True
    skips_padding = True

    def output_shape(self, shape: Shape) -> Shape:
        """Return (channels,)."""
        if len(shape) < 2:
            raise Misfit(f"{self.word} takes an image or a sequence, and {shape} is a row of numbers", "leave it out")
        image = shape if shape.sequence else shape.as_image()
        if image is None:
            raise Misfit(
                f"{self.word} takes an image or a sequence, and {shape} is neither", "write reshape HxWxC before it"
            )
        return Shape(image[-1:])

    def flops(self, shape: Shape) -> int:
        """Return one operation for each value."""
        return shape.size


class GlobalAvgPool(GlobalPool):
    """The mean of each channel (Lin et al. 2014). HxWxC → C."""

    word = "globalavgpool"


class GlobalMaxPool(GlobalPool):
    """The largest value of each channel. HxWxC → C."""

    word = "globalmaxpool"
