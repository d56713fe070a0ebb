"""Windows over an image: the output positions of a window along one axis, and the padding."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Window
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape

Pad = Literal["valid", "same"] | Annotated[int, Field(ge=0)]


class Extent(NamedTuple):
    """One axis under a window: the number of output positions, and the padding before and after the axis."""

    places: int
    before: int
    after: int


def window_extent(length: int, window: int, stride: int, pad: Pad, dilation: int = 1) -> Extent:
    """Return the output positions of a window along an axis, and the padding.

    `valid` pads nothing, a number pads both ends by as many cells, `same` gives ceil(length / stride) positions with
    an odd cell of padding at the end, as in PyTorch and TensorFlow. `places` is 0 or less if the window does not fit.
    """
    reach = dilation * (window - 1) + 1
    if pad == "same":
        places = -(-length // stride)
        total = max((places - 1) * stride + reach - length, 0)
        return Extent(places, total // 2, total - total // 2)
    around = 0 if pad == "valid" else pad
    return Extent((length + 2 * around - reach) // stride + 1, around, around)


class Windowed(Layer):
    """A layer that slides a window over an image: convolutions and pools."""

    window: Window

    def pair(self) -> tuple[int, int]:
        """Return the height and width of the window; one size means a square."""
        if len(self.window) > 2:
            raise Misfit(f"a window has a height and a width, {Shape(self.window)} has {len(self.window)} sizes")
        return self.window[0], self.window[-1]

    def plane(self, shape: Shape) -> tuple[tuple[int, int, int], tuple[int, int]]:
        """Return the image under the windows, (height, width, channels), and the height and width of a window."""
        image = shape.as_image()
        assert image is not None
        return (image[0], image[1], image[2]), self.pair()

    def steps(self) -> int:
        """Return the stride, in cells."""
        raise TypeError(f"{type(self).__name__} does not say its stride")

    def extents(self, shape: Shape, pad: Pad, dilation: int = 1) -> tuple[Extent, Extent]:
        """Return both axes of an image under the window. Raises Misfit if the window does not fit."""
        image = shape.as_image()
        if image is None:
            what = "a sequence" if shape.sequence else "a row of numbers"
            advice = "write reshape HxWxC before it" if not shape.sequence else None
            raise Misfit(f"{self.word} takes an image, and {shape} is {what}", advice)
        height, width = self.pair()
        rows = window_extent(image[0], height, self.steps(), pad, dilation)
        columns = window_extent(image[1], width, self.steps(), pad, dilation)
        if min(rows.places, columns.places) < 1:
            reach = f"{dilation * (height - 1) + 1}x{dilation * (width - 1) + 1}"
            dilated = f", {reach} with its dilation," if dilation > 1 else ""
            fits = Shape(min(k, n) for k, n in zip((height, width), image[:2], strict=True))
            smaller = "a smaller dilation" if dilation > 1 else f"a window of {fits} or less"
            message = f"A window of {height}x{width}{dilated} does not fit into a {image} image."
            raise Misfit(message, f"write pad=same, or {smaller}", "the window does not fit")
        return rows, columns
