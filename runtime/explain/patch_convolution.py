"""The convolution of patches as a few matrix products. patch_steps.py has the other steps."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.patch_steps import per_channel
from nnspec.runtime.explain.patches import AxisWindow, PatchBatch, PositionGroup

DENSE_ROWS = 256
"""Rows up to which a matrix of a convolution may be mostly zeros: fewer and larger products are faster."""

_Product = tuple[int, slice, tuple[slice, slice], Array]
"""A row of outputs, some of its columns, the cells that they read, and the matrix that these are multiplied by."""


class _AxisTile(NamedTuple):
    """Outputs of a window along an axis, over `cells` cells that begin `offset` cells after the first one read."""

    outputs: int
    cells: int
    offset: int

    def tiles(self, window: AxisWindow, wide: int) -> Iterator[tuple[slice, slice, "_AxisTile"]]:
        """Yield tiles of `wide` outputs: the slice of the outputs, the slice of the cells they read, and the tile."""
        for left in range(0, self.outputs, wide):
            outputs = min(wide, self.outputs - left)
            first = left * window.stride - self.offset  # the first cell that they read, and the end of those cells
            beyond = first + (outputs - 1) * window.stride + window.reach
            begin = min(max(first, 0), self.cells)
            end = max(min(beyond, self.cells), begin)
            yield slice(left, left + outputs), slice(begin, end), _AxisTile(outputs, end - begin, begin - first)

    def taps_on_cells(self, window: AxisWindow) -> Array:
        """Return which tap of its window an output has on a cell, (outputs, cells); the number of taps where none."""
        offset = np.arange(self.cells) + self.offset - np.arange(self.outputs)[:, None] * window.stride
        cell, between = np.divmod(offset, window.dilation)
        return np.where((between == 0) & (cell >= 0) & (cell < window.taps), cell, window.taps)


@dataclass
class ConvolutionStep:
    """The convolution of a difference.

    A row of outputs reads a few rows of the patch. Their weights, zeros included, form one matrix, so that nothing is
    gathered: the memory of a patch already is (cells · channels, occluders · images). Wide rows are cut into tiles, so
    that at most half of a matrix is zeros.
    """

    depth: int  # of the output
    weight: Array  # (window rows, window columns, in, out), the groups' zeros included
    bias: Array | None
    windows: tuple[AxisWindow, AxisWindow]
    _products: dict[tuple[tuple[int, ...], ...], list[_Product]] = field(default_factory=dict)
    _matrices: dict[tuple[int, ...], Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._framed = np.pad(self.weight, ((0, 1), (0, 1), (0, 0), (0, 0)))  # one more tap, of zeros: "does not read"

    def whole(self, x: Array, image: PatchBatch) -> Array:
        """Return the convolution with the bias."""
        y = self.patch(x, image)
        return y + per_channel(self.bias) if self.bias is not None else y

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return the convolution without the bias."""
        x = x.reshape(*x.shape[:3], -1)  # (rows, columns, in, occluders · images)
        y = np.empty((*batch.sizes(self.depth), self.weight.shape[3], x.shape[3]), x.dtype)
        for row, columns, cells, matrix in self._products_at(batch):
            out = y[row, columns].reshape(-1, x.shape[3])  # (outputs · out, occluders · images)
            if matrix.size:
                np.matmul(matrix, x[cells].reshape(matrix.shape[1], -1), out=out)  # dot would clear it first
            else:
                out.fill(0)
        return y.reshape(*y.shape[:3], *batch.counts)

    def _products_at(self, batch: PatchBatch) -> list[_Product]:
        """Return the products for this group of occluders; made once, for its members have them in common."""
        (down, across), rows, columns = self.windows, batch.rows, batch.columns
        key = self._reach(down, rows), self._reach(across, columns)
        if key not in self._products:
            self._products[key] = list(self._new_products(_AxisTile(*key[0]), _AxisTile(*key[1])))
        return self._products[key]

    def _reach(self, window: AxisWindow, group: PositionGroup) -> tuple[int, int, int]:
        """Return the outputs along an axis, the cells, and after which of them that the outputs read they begin."""
        before, depth = self.depth - 1, self.depth
        first = group.starts[depth] * window.stride - window.before
        return group.sizes[depth], group.sizes[before], group.starts[before] - first

    def _new_products(self, rows: _AxisTile, columns: _AxisTile) -> Iterator[_Product]:
        wide = max(self.windows[1].reach // self.windows[1].stride + 1, -(-DENSE_ROWS // self.weight.shape[3]))
        down, across = list(rows.tiles(self.windows[0], 1)), list(columns.tiles(self.windows[1], wide))
        for (row, over, above), (tile, right, beside) in product(down, across):
            key = (*above, *beside)
            if key not in self._matrices:
                self._matrices[key] = self._matrix(above, beside)
            yield row.start, tile, (over, right), self._matrices[key]

    def _matrix(self, rows: _AxisTile, columns: _AxisTile) -> Array:
        """Return the matrix of a tile, (outputs · out, cells · in), which its cells are multiplied by."""
        taps = _taps(rows, columns, *self.windows)
        _, _, inputs, filters = self._framed.shape
        weight = np.take(self._framed.reshape(-1, inputs, filters), taps, axis=0)  # (*outputs, *cells, in, out)
        outputs, cells = rows.outputs * columns.outputs, rows.cells * columns.cells
        matrix = weight.transpose(0, 1, 5, 2, 3, 4)
        return matrix.reshape(outputs * self.weight.shape[3], cells * self.weight.shape[2])


@lru_cache(maxsize=256)
def _taps(rows: _AxisTile, columns: _AxisTile, down: AxisWindow, across: AxisWindow) -> Array:
    """Return which tap of its framed window, counted row by row, each output has on each cell, (*outputs, *cells)."""
    u, v = rows.taps_on_cells(down), columns.taps_on_cells(across)
    return u[:, None, :, None] * (across.taps + 1) + v[None, :, None, :]
