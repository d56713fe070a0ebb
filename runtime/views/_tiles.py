"""Where the images and maps of a picture lie: rows and columns of tiles, names at the left and headings above."""

from dataclasses import dataclass

from nnspec.runtime.views._sheet import Box
from nnspec.runtime.views._style import PAGE_WIDTH

GAP = 0.09
"""Inches between two tiles."""

_MARGIN = 0.25  # inches beside the last column of a page


@dataclass(frozen=True)
class Tiles:
    """Rows and columns of tiles of one size, in inches from the top left of a sheet.

    `left` is the room for the names of the rows, `head` that for the headings of the columns; `over` and `below` are
    those for a line of text above and below each tile.
    """

    left: float
    head: float
    width: float
    height: float
    over: float = 0.0
    below: float = 0.0

    @classmethod
    def fitting(
        cls, image: tuple[int, int], columns: int, widest: float, *, left: float, head: float, over: float = 0.0,
        below: float = 0.0, tallest: float = float("inf"),
    ) -> "Tiles":  # fmt: skip
        """Return tiles for images (rows, columns): as wide as the page lets them be, at most `widest` and `tallest`."""
        across = min((PAGE_WIDTH - _MARGIN - left) / columns - GAP, widest)
        unit = min(across / image[1], tallest / image[0])
        return cls(left, head, image[1] * unit, image[0] * unit, over, below)

    @property
    def down(self) -> float:
        """From the top of a row to that of the next one."""
        return self.over + self.height + self.below + GAP

    def size(self, rows: int, columns: int, foot: float = 0.0) -> tuple[float, float]:
        """Return the width and height of the sheet with so much room below the rows."""
        return self.left + columns * (self.width + GAP), self.head + rows * self.down + foot

    def box(self, row: int, column: int) -> Box:
        """Return the place of a tile."""
        x = self.left + column * (self.width + GAP)
        return x, self.head + row * self.down + self.over, self.width, self.height

    def middle(self, column: int) -> float:
        """Return the middle of a column."""
        return self.left + column * (self.width + GAP) + self.width / 2
