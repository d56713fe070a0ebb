"""Pools: one value for each window, or for the whole image."""

from collections.abc import Iterable

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape, ambiguous
from nnspec.spec_lang.vocabulary.spatial import Dilation, Extent, Pad, Steps, Windowed, each_axis


class Pool(Windowed):
    """A layer that reduces each window to one value in each channel.

    A window with one size applies to the steps of a sequence; on an image it is a square.
    """

    mixes_samples = False
    mixes_steps = True

    window: Window = Field(description="height and width of the window, or its length in time")
    stride: Steps | None = Field(
        None,
        description="cells between the starts of consecutive windows: one number or ROWSxCOLUMNS; "
        "default: the size of the window",
    )
    pad: Pad = Field(
        "valid",
        description="padding around the image: none, enough for one output per input cell, N cells on each side, "
        "ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT; over time N or BEFORExAFTER",
    )
    dilation: Dilation = 1
    ceil_mode: bool = Field(False, description="whether a last window may reach beyond the end")

    def strides(self) -> tuple[int, int]:
        """Return the stride along the rows and along the columns, in cells: by default that of adjacent windows."""
        return self.pair() if self.stride is None else each_axis("stride", self.stride)

    def rounds_up(self) -> bool:
        """As `ceil_mode` says."""
        return self.ceil_mode

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height', width', channels), or (time', channels)."""
        rows, columns = self.extents(shape)
        (*lengths, channels), window = self.plane(shape)
        for axis, extent, length, cells in zip((0, 1), (rows, columns), lengths, window, strict=True):
            self._check_not_blind(axis, extent, length, cells)
        if self.along_time(shape) is not None:
            return Shape((rows.places, channels), sequence=True)
        return Shape((rows.places, columns.places, channels))

    def doubt(self, shape: Shape) -> str | None:
        """A window of one size over two axes, which may be time and features."""
        if len(self.window) > 1 or not ambiguous(shape):
            return None
        square = Shape(self.pair())
        return f"Its windows of {square} are over both axes; over time a window would be {self.window[0]} steps."

    def _check_not_blind(self, axis: int, extent: Extent, length: int, window: int) -> None:
        """Raise Misfit where a window along an axis would be on padding alone."""
        stride, dilation = self.strides()[axis], self.dilations()[axis]
        reach = dilation * (window - 1) + 1
        beyond = -(-(length - reach + extent.before + 1) // stride)  # the first that reaches beyond
        early, late = -(-extent.before // stride), max(beyond, 0)
        at_the_ends = {*range(min(early, extent.places)), *range(late, extent.places)}
        if not (extent.before or extent.after) or all(self._cells_in(axis, at_the_ends, extent, window, 0, length)):
            return
        written = Shape(self.pad) if isinstance(self.pad, tuple) else self.pad
        message = f"with pad={written} a window of {Shape(self.window)} would be on padding alone"
        if self.pad == "same" or dilation > 1:
            raise Misfit(message, "write pad=valid")
        raise Misfit(
            message, f"write pad={window - 1} or less" + (" at each end" if isinstance(self.pad, tuple) else "")
        )

    def _cells_in(
        self, axis: int, places: Iterable[int], extent: Extent, window: int, first: int, end: int
    ) -> list[int]:
        """Return how many cells of each of these windows along an axis are from cell `first` up to `end`."""
        found = []
        stride, dilation = self.strides()[axis], self.dilations()[axis]
        reach = dilation * (window - 1) + 1
        for place in places:
            start = place * stride - extent.before
            whole = first <= start and start + reach <= end
            cells = range(start, start + reach, dilation)
            found.append(window if whole else sum(first <= cell < end for cell in cells))
        return found

    def tiles(self, shape: Shape) -> int | None:
        """The window's size where it moves by itself and nothing is padded."""
        height, width = self.pair()
        adjacent = height == width and self.strides() == (height, width)
        if self.along_time(shape) is not None or max(self.dilations()) > 1 or not adjacent:
            return None
        padded = any(extent.before or extent.after for extent in self.extents(shape))
        return None if padded else height

    def flops(self, shape: Shape) -> int:
        """Return one operation for each cell of a window at each output position."""
        height, width = self.plane(shape)[1]
        return height * width * self.output_shape(shape).size


class MaxPool(Pool):
    """The largest value in each window, padding excluded. HxWxC → H'xW'xC, or over time TxC → T'xC."""

    word = "maxpool"
    selects = True
    examples = ("maxpool 2", "maxpool 3 stride=2 pad=1", "maxpool 3x2 stride=1x2 dilation=1x2 pad=1x0")


class AvgPool(Pool):
    """The mean of each window, zeros of the padding included. HxWxC → H'xW'xC, or over time TxC → T'xC.

    With `count_include_pad=no` it is the mean of the cells that are on the image. Cells beyond the padding, where
    `ceil_mode` lets a window reach, are never counted.
    """

    word = "avgpool"
    examples = ("avgpool 2", "avgpool 3 stride=1 pad=same", "avgpool 2x3")
    count_include_pad: bool = Field(True, description="whether zeros of the padding count in a mean")

    def counted(self, shape: Shape) -> tuple[list[int], list[int]]:
        """Return, along both axes, how many cells of each window count in its mean."""
        (*lengths, _), window = self.plane(shape)
        extents = self.extents(shape)
        around = self.padding(shape) if self.count_include_pad else [(0, 0), (0, 0)]
        rows, columns = (
            self._cells_in(axis, range(extent.places), extent, cells, -before, length + after)
            for axis, extent, length, cells, (before, after) in zip(
                (0, 1), extents, lengths, window, around, strict=True
            )
        )
        return rows, columns


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

    def doubt(self, shape: Shape) -> str | None:
        """Two axes, which may be time and features."""
        if not ambiguous(shape):
            return None
        return f"It gives one number for both axes; of a sequence it would give {shape[1]}, one for each feature."

    def flops(self, shape: Shape) -> int:
        """Return one operation for each value."""
        return shape.size


class GlobalAvgPool(GlobalPool):
    """The mean of each channel (Lin et al. 2014). HxWxC → C."""

    word = "globalavgpool"


class GlobalMaxPool(GlobalPool):
    """The largest value of each channel. HxWxC → C."""

    word = "globalmaxpool"
