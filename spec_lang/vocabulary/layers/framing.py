"""Layers that add cells around an image or a sequence, or cut some off."""

from typing import Annotated, Literal

from pydantic import Field

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.markers import Bare, Positive
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from nnspec.spec_lang.vocabulary.spatial import both_axes_doubt, each_side, image_or_steps

Sides = tuple[tuple[int, int], tuple[int, int]]
"""Cells before and after the rows, and before and after the columns."""

_Around = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Bare(("size", "int"), "2")]


class Framing(Layer):
    """A layer that changes the number of cells at the sides of an image, or before and after a sequence."""

    mixes_samples = False
    mixes_steps = True

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def sides(self, shape: Shape) -> Sides:
        """Return the cells at each side; a sequence has none beside it. Raises Misfit where they do not fit."""
        raise TypeError(f"{type(self).__name__} does not say its sides")

    def flops(self, shape: Shape) -> int:
        """Return 0."""
        return 0


class PadLayer(Framing):
    """N more cells at each side of an image, HxWxC → (H+2N)x(W+2N)xC, or before and after the steps.

    `pad 1x2` is rows and columns, `pad 0x1x2x3` top, bottom, left and right; over time `pad 2x0` is before and after.
    They are zeros, or the image itself: mirrored about its edge, which is not repeated, or its edge.
    """

    word = "pad"
    examples = ("pad 2", "pad 1x0x0x2 mode=edge", "pad 1x2 mode=reflect", "pad 2x0")
    cells: _Around = Field(description="cells at each side")
    mode: Literal["zeros", "reflect", "edge"] = Field("zeros", description="what the new cells are")

    def sides(self, shape: Shape) -> Sides:
        """Return the cells at each side. Raises Misfit where an edge is mirrored farther than the image is long."""
        image, steps = image_or_steps(self.word, shape)
        found = each_side(f"pad {Shape(self.cells)}", self.cells, 1 if steps else 2, f"pad {self.cells[0]}")
        rows, columns = (found[0], (0, 0)) if steps else found
        for length, around in zip(image, (rows, columns), strict=False):
            if self.mode == "reflect" and max(around) >= length:
                message = f"{length} cells are mirrored into {length - 1} at most, and here they are {max(around)}"
                raise Misfit(message, f"write pad {length - 1} or less, or mode=edge")
        return rows, columns

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape with the cells of both sides."""
        (height, width, channels), steps = image_or_steps(self.word, shape)
        rows, columns = self.sides(shape)
        height, width = height + sum(rows), width + sum(columns)
        return Shape((height, channels), sequence=True) if steps else Shape((height, width, channels))

    def doubt(self, shape: Shape) -> str | None:
        """One number for two axes, which may be time and features."""
        return both_axes_doubt(shape, "It pads") if len(self.cells) == 1 else None


class Crop(Framing):
    """N cells fewer at each side of an image, HxWxC → (H−2N)x(W−2N)xC, or before and after the steps.

    The sides are written as those of `pad`. `crop to=24x24` leaves the middle of the image in that size; an odd cell is
    cut off at the end.
    """

    word = "crop"
    examples = ("crop 1", "crop 1x0x0x2", "crop to=2x3", "crop 1x0")
    cells: _Around = Field((), description="cells at each side")
    to: tuple[Positive, ...] = Field((), description="the size that is left, HEIGHTxWIDTH, one number, or steps")

    def sides(self, shape: Shape) -> Sides:
        """Return the cells at each side. Raises Misfit where nothing would be left."""
        image, steps = image_or_steps(self.word, shape)
        if bool(self.cells) == bool(self.to):
            raise Misfit(
                "crop takes the cells at each side, or the size that is left", "write crop 2, or crop to=24x24"
            )
        rows, columns = self._left(image, steps) if self.to else self._cut(steps)
        for length, around in zip(image, (rows, columns), strict=False):
            if sum(around) >= length:
                cut = f"crop {Shape(self.cells)} leaves nothing of {length} cells"
                raise Misfit(cut, f"write crop to={Shape(self.cells)} for the size that is left, or fewer cells")
        return rows, columns

    def _cut(self, steps: bool) -> Sides:
        found = each_side(f"crop {Shape(self.cells)}", self.cells, 1 if steps else 2, f"crop {self.cells[0]}")
        return (found[0], (0, 0)) if steps else (found[0], found[1])

    def _left(self, image: tuple[int, int, int], steps: bool) -> Sides:
        wanted = self.to if steps or len(self.to) > 1 else self.to * 2
        if len(wanted) != (1 if steps else 2):
            message = f"to={Shape(self.to)} has {len(self.to)} numbers"
            raise Misfit(message, f"write to={wanted[0]}" if steps else "write to=HEIGHTxWIDTH")
        found = [(0, 0), (0, 0)]
        for axis, size in enumerate(wanted):
            if size > image[axis]:
                raise Misfit(f"to={Shape(self.to)} is larger than the input, {Shape(image)}", "write pad to enlarge it")
            before = (image[axis] - size) // 2
            found[axis] = before, image[axis] - size - before
        return found[0], found[1]

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape without the cells of both sides."""
        (height, width, channels), steps = image_or_steps(self.word, shape)
        rows, columns = self.sides(shape)
        height, width = height - sum(rows), width - sum(columns)
        return Shape((height, channels), sequence=True) if steps else Shape((height, width, channels))

    def doubt(self, shape: Shape) -> str | None:
        """One number for two axes, which may be time and features."""
        return both_axes_doubt(shape, "It crops") if len(self.cells or self.to) == 1 else None
