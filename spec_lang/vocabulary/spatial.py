"""Windows over an image or over time: the output positions of a window along an axis, and the padding."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Positive, Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape, ambiguous

_Cells = Annotated[int, Field(ge=0)]


def _single(value: Any) -> Any:
    """Return a size of one number as the number."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


Pad = Annotated[Literal["valid", "same"] | _Cells | tuple[_Cells, ...], BeforeValidator(_single)]
"""Padding as a spec says it: around an image N, ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT, over time N or BEFORExAFTER."""

Cells = Annotated[_Cells | tuple[_Cells, ...], BeforeValidator(_single)]
"""A number of cells for each axis: one number for both, or ROWSxCOLUMNS."""

Steps = Annotated[Positive | tuple[Positive, ...], BeforeValidator(_single)]
"""A stride or dilation as a spec says it: one number for both axes, or ROWSxCOLUMNS."""

Stride = Annotated[
    Steps, Field(description="cells between the starts of consecutive windows: one number or ROWSxCOLUMNS")
]
Dilation = Annotated[Steps, Field(description="the distance between the cells of a window: one number or ROWSxCOLUMNS")]
Frame = Annotated[
    Pad,
    Field(
        description="zeros around the image: none, enough for one output per input cell, N cells on each side, "
        "ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT; over time N or BEFORExAFTER"
    ),
]
"""The fields of convolutions, with their meaning."""

AxisPad = Literal["valid", "same"] | int | tuple[int, int]
"""The padding of one axis: by name, N cells at both ends, or those before it and after it."""


class Extent(NamedTuple):
    """One axis under a window: the number of output positions, and the padding before and after the axis."""

    places: int
    before: int
    after: int


def window_extent(
    length: int, window: int, stride: int, pad: AxisPad, dilation: int = 1, ceil_mode: bool = False
) -> Extent:
    """Return the output positions of a window along an axis, and the padding.

    `valid` pads nothing, a number pads both ends by as many cells, two numbers pad the start and the end. `same` gives
    ceil(length / stride) positions with an odd cell of padding at the end, as in PyTorch and TensorFlow. With
    `ceil_mode` a last window may reach beyond the end, where it still starts on a cell or on the padding before it, as
    in PyTorch; the padding after then includes the cells beyond. `places` is 0 or less if the window does not fit.
    """
    reach = dilation * (window - 1) + 1
    if pad == "same":
        places = -(-length // stride)
        total = max((places - 1) * stride + reach - length, 0)
        return Extent(places, total // 2, total - total // 2)
    before, after = (0, 0) if isinstance(pad, str) else pad if isinstance(pad, tuple) else (pad, pad)
    free = length + before + after - reach
    if not ceil_mode:
        return Extent(free // stride + 1, before, after)
    places = -(-free // stride) + 1
    if (places - 1) * stride >= length + before:
        places -= 1
    return Extent(places, before, max(after, (places - 1) * stride + reach - length - before))


def each_axis(name: str, given: int | tuple[int, ...], sign: str = "=") -> tuple[int, int]:
    """Return a number for each axis of an image: one number stands for both.

    Raises Misfit for more than two; `sign` is between the name and the numbers in a spec.
    """
    numbers = (given,) if isinstance(given, int) else given
    if len(numbers) <= 2:
        return numbers[0], numbers[-1]
    written = f"{name}{sign}{Shape(numbers)}"
    message = f"{written} has {len(numbers)} numbers: around an image {name} is one number or ROWSxCOLUMNS"
    raise Misfit(message, f"write {name}{sign}{Shape(numbers[:2])}")


def each_side(written: str, cells: Sequence[int], axes: int, instead: str) -> tuple[tuple[int, int], ...]:
    """Return the cells before and after each axis: N, ROWSxCOLUMNS, TOPxBOTTOMxLEFTxRIGHT, over time BEFORExAFTER.

    Raises Misfit for another number of numbers; `instead` is what to write.
    """
    if len(cells) == 1:
        return ((cells[0], cells[0]),) * axes
    if len(cells) == 2 * axes:
        return tuple((cells[2 * i], cells[2 * i + 1]) for i in range(axes))
    if len(cells) == axes:
        return tuple((number, number) for number in cells)
    over = "over time pad is one number or BEFORExAFTER"
    around = "around an image pad is one number, ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT"
    raise Misfit(f"{written} has {len(cells)} numbers: {over if axes == 1 else around}", f"write {instead}")


def image_or_steps(word: str, shape: Shape) -> tuple[tuple[int, int, int], bool]:
    """Return (height, width, channels) and whether they are those of a sequence, an image one pixel wide.

    Raises Misfit for a shape that is neither.
    """
    if shape.sequence and len(shape) == 2:
        return (shape[0], 1, shape[1]), True
    image = shape.as_image()
    if image is None:
        what = "neither" if len(shape) > 3 else "a row of numbers" if shape else "a single number"
        raise Misfit(f"{word} takes an image or a sequence, and {shape} is {what}", "write reshape HxWxC before it")
    return (image[0], image[1], image[2]), False


def both_axes_doubt(shape: Shape, does: str) -> str | None:
    """Return the doubt of a layer that reads two axes, which may be time and features, as an image."""
    return f"{does} both axes; of a sequence it would be the steps." if ambiguous(shape) else None


class Windowed(Layer):
    """A layer that slides a window over an image, or over the steps of a sequence: convolutions and pools."""

    window: Window
    if TYPE_CHECKING:  # fields of each layer, in its own order
        pad: Pad
        dilation: Steps

    def pair(self) -> tuple[int, int]:
        """Return the height and width of the window; one size means a square."""
        if len(self.window) > 2:
            raise Misfit(f"a window has a height and a width, {Shape(self.window)} has {len(self.window)} sizes")
        return self.window[0], self.window[-1]

    def along_time(self, shape: Shape) -> tuple[int, int] | None:
        """Return (time, channels) if the windows apply to the steps of a sequence, None if to an image."""
        return shape.as_steps() if len(self.window) == 1 and shape.sequence else None

    def plane(self, shape: Shape) -> tuple[tuple[int, int, int], tuple[int, int]]:
        """Return what is under the windows, (height, width, channels), and the height and width of a window.

        A sequence is an image with a width of 1.
        """
        steps = self.along_time(shape)
        if steps is not None:
            return (steps[0], 1, steps[1]), (self.window[0], 1)
        image = shape.as_image()
        assert image is not None
        return (image[0], image[1], image[2]), self.pair()

    def strides(self) -> tuple[int, int]:
        """Return the cells between the starts of consecutive windows, along the rows and along the columns."""
        raise TypeError(f"{type(self).__name__} does not say its stride")

    def dilations(self) -> tuple[int, int]:
        """Return the distance between the cells of a window, along the rows and along the columns."""
        return each_axis("dilation", self.dilation)

    def reaches(self, window: Sequence[int]) -> tuple[int, ...]:
        """Return the cells from the first to the last of a window, along each of its axes."""
        return tuple(d * (cells - 1) + 1 for d, cells in zip(self.dilations(), window, strict=False))

    def rounds_up(self) -> bool:
        """Return whether a last window may reach beyond the end."""
        return False

    def extents(self, shape: Shape) -> tuple[Extent, Extent]:
        """Return both axes under the window; that of a sequence's width has one position.

        Raises Misfit if the window does not fit, or the padding is not for these axes.
        """
        time = self.along_time(shape)
        if time is not None:
            self._check_one_axis()
            along = self._extent(0, time[0], self.window[0], self._sides(1)[0])
            if along.places < 1:
                raise self._too_large(shape, Shape(time[:1]), self.window[:1])
            return along, Extent(1, 0, 0)
        image = shape.as_image()
        if image is None:
            raise self._no_image(shape)
        rows, columns = (
            self._extent(axis, length, cells, side)
            for axis, length, cells, side in zip((0, 1), image[:2], self.pair(), self._sides(2), strict=True)
        )
        if min(rows.places, columns.places) < 1:
            raise self._too_large(shape, image, self.pair())
        return rows, columns

    def padding(self, shape: Shape) -> list[tuple[int, int]]:
        """Return the padding before and after each axis, without the cells beyond that `rounds_up` adds."""
        (*lengths, _), window = self.plane(shape)
        sides = (*self._sides(1), 0) if self.along_time(shape) is not None else self._sides(2)
        found = []
        along = zip(lengths, window, self.strides(), sides, self.dilations(), strict=True)
        for length, cells, stride, side, dilation in along:
            _, before, after = window_extent(length, cells, stride, side, dilation)
            found.append((before, after))
        return found

    def _extent(self, axis: int, length: int, window: int, pad: AxisPad) -> Extent:
        stride, dilation = self.strides()[axis], self.dilations()[axis]
        return window_extent(length, window, stride, pad, dilation, self.rounds_up())

    def _check_one_axis(self) -> None:
        """Raise Misfit for a stride or dilation of two numbers over time."""
        for name in ("stride", "dilation", "output_pad"):
            if isinstance(given := getattr(self, name, None), tuple):
                message = f"{name}={Shape(given)} has {len(given)} numbers: over time {name} is one number"
                raise Misfit(message, f"write {name}={given[0]}")

    def _sides(self, axes: int) -> tuple[AxisPad, ...]:
        """Return the padding of each axis."""
        if not isinstance(self.pad, tuple):
            return (self.pad,) * axes
        return each_side(f"pad={Shape(self.pad)}", self.pad, axes, "pad=same")

    def _no_image(self, shape: Shape) -> Misfit:
        what = "a sequence" if shape.sequence else "a single number" if not shape else "a row of numbers"
        takes = "an image" if len(self.window) == 2 else "an image or a sequence"
        message = (
            f"{self.word} {Shape(self.window)} takes {takes}, and {shape} is {what if len(shape) < 4 else 'neither'}"
        )
        if shape.sequence:
            one = f"{self.word} {self.window[0]}"
            return Misfit(message, f"write a window of one size, which applies to the steps: {one}")
        return Misfit(message, "write reshape HxWxC before it")

    def _too_large(self, shape: Shape, under: Shape, window: tuple[int, ...]) -> Misfit:
        reach = Shape(self.reaches(window))
        fits = Shape(min(k, n) for k, n in zip(window, under, strict=False))
        spread = max(self.dilations()) > 1
        smaller = "a smaller dilation" if spread else f"a window of {fits} or less"
        if len(window) == 1:
            message = f"A window of {reach} steps does not fit into {under} steps."
        else:
            dilated = f", {reach} with its dilation," if spread else ""
            message = f"A window of {Shape(window)}{dilated} does not fit into a {under} image."
        if len(self.window) == 1 < len(window) and len(shape) == 2 and reach[0] <= shape[0]:
            help = f"write the shape as {shape} sequence for windows over {shape[0]} steps, or pad=same"
            return Misfit(message, help, "the window does not fit")
        return Misfit(message, f"write pad=same, or {smaller}", "the window does not fit")
