"""Windows over an image or over time: the output positions of a window along an axis, and the padding."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape

_Cells = Annotated[int, Field(ge=0)]


def _single(value: Any) -> Any:
    """Return a size of one number as the number."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


Pad = Annotated[Literal["valid", "same"] | _Cells | tuple[_Cells, ...], BeforeValidator(_single)]
"""Padding as a spec says it: around an image N, ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT, over time N or BEFORExAFTER."""

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


class Windowed(Layer):
    """A layer that slides a window over an image, or over the steps of a sequence: convolutions and pools."""

    window: Window
    if TYPE_CHECKING:  # fields of each layer, in its own order
        pad: Pad
        dilation: int

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

    def steps(self) -> int:
        """Return the stride, in cells."""
        raise TypeError(f"{type(self).__name__} does not say its stride")

    def rounds_up(self) -> bool:
        """Return whether a last window may reach beyond the end."""
        return False

    def extents(self, shape: Shape) -> tuple[Extent, Extent]:
        """Return both axes under the window; that of a sequence's width has one position.

        Raises Misfit if the window does not fit, or the padding is not for these axes.
        """
        time = self.along_time(shape)
        if time is not None:
            along = self._extent(time[0], self.window[0], self._sides(1)[0])
            if along.places < 1:
                raise self._too_large(shape, Shape(time[:1]), self.window[:1])
            return along, Extent(1, 0, 0)
        image = shape.as_image()
        if image is None:
            raise self._no_image(shape)
        rows, columns = (
            self._extent(length, cells, side)
            for length, cells, side in zip(image[:2], self.pair(), self._sides(2), strict=True)
        )
        if min(rows.places, columns.places) < 1:
            raise self._too_large(shape, image, self.pair())
        return rows, columns

    def padding(self, shape: Shape) -> list[tuple[int, int]]:
        """Return the padding before and after each axis, without the cells beyond that `rounds_up` adds."""
        (*lengths, _), window = self.plane(shape)
        sides = (*self._sides(1), 0) if self.along_time(shape) is not None else self._sides(2)
        found = []
        for length, cells, side in zip(lengths, window, sides, strict=True):
            _, before, after = window_extent(length, cells, self.steps(), side, self.dilation)
            found.append((before, after))
        return found

    def _extent(self, length: int, window: int, pad: AxisPad) -> Extent:
        return window_extent(length, window, self.steps(), pad, self.dilation, self.rounds_up())

    def _sides(self, axes: int) -> tuple[AxisPad, ...]:
        """Return the padding of each axis."""
        if not isinstance(self.pad, tuple):
            return (self.pad,) * axes
        if len(self.pad) == 2 * axes:
            return tuple((self.pad[2 * i], self.pad[2 * i + 1]) for i in range(axes))
        if len(self.pad) == axes:
            return self.pad
        over = "over time pad is one number or BEFORExAFTER"
        around = "around an image pad is one number, ROWSxCOLUMNS or TOPxBOTTOMxLEFTxRIGHT"
        count = f"pad={Shape(self.pad)} has {len(self.pad)} numbers"
        raise Misfit(f"{count}: {over if axes == 1 else around}", "write pad=same")

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
        reach = Shape(self.dilation * (cells - 1) + 1 for cells in window)
        fits = Shape(min(k, n) for k, n in zip(window, under, strict=False))
        smaller = "a smaller dilation" if self.dilation > 1 else f"a window of {fits} or less"
        if len(window) == 1:
            message = f"A window of {reach} steps does not fit into {under} steps."
        else:
            dilated = f", {reach} with its dilation," if self.dilation > 1 else ""
            message = f"A window of {Shape(window)}{dilated} does not fit into a {under} image."
        if len(self.window) == 1 < len(window) and len(shape) == 2 and reach[0] <= shape[0]:
            help = f"write the shape as {shape} sequence for windows over {shape[0]} steps, or pad=same"
            return Misfit(message, help, "the window does not fit")
        return Misfit(message, f"write pad=same, or {smaller}", "the window does not fit")
