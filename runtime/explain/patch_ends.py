"""How a stack of patches ends: in a dense layer, a mean, or pasted into whole images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.patches import AxisGroups, PatchBatch, bounds


class PatchEnd(Protocol):
    """The last step of a stack: from patches to numbers of each occluded image."""

    def whole(self, x: Array, image: PatchBatch) -> None:
        """Compute the result of whole images, and keep what `patch` needs of them."""

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return numbers of each occluded image, (rows, columns, numbers, images)."""


@dataclass
class DenseEnd:
    """The first dense layer: its sums over the whole image, plus W[patch] · difference."""

    depth: int
    weight: Array  # (image rows · columns · channels, units)
    bias: Array | None
    groups: AxisGroups

    def whole(self, x: Array, image: PatchBatch) -> None:
        """Keep the sums of whole images, (units, images), and the weights in a frame of zeros for cells beyond."""
        height, width, channels, _, _, images = x.shape
        self._sums = self.weight.T @ x.reshape(-1, images)
        if self.bias is not None:
            self._sums += self.bias[:, None]
        (top, bottom), (left, right) = (bounds(found, self.depth) for found in self.groups)
        above, before = self._corner = max(-top, 0), max(-left, 0)
        units = self.weight.shape[1]
        self._framed = np.zeros(
            (above + max(bottom, height), before + max(right, width), channels, units), self.weight.dtype
        )
        inside = self._framed[above : above + height, before : before + width]
        inside[...] = self.weight.reshape(height, width, channels, units)

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return (rows, columns, units, images)."""
        height, width, channels, rows, columns, images = x.shape
        of_row, of_column, _, of_unit = self._framed.strides
        shape = (rows, columns, height, width * channels, self._framed.shape[3])
        steps = (of_row * batch.rows.moves[self.depth], of_column * batch.columns.moves[self.depth])
        strides = (*steps, of_row, of_column // channels, of_unit)
        starts = (batch.rows.starts[self.depth], batch.columns.starts[self.depth])
        corner = sum((c + s) * of for c, s, of in zip(self._corner, starts, (of_row, of_column), strict=True))
        weights = np.ndarray(shape, self._framed.dtype, self._framed, corner, strides)
        z = np.empty((rows, columns, shape[-1], images), x.dtype)
        z[...] = self._sums[:, batch.images]
        for row in range(height):  # the weights of one row of a patch are contiguous, those of several would be copied
            cells = x[row].reshape(-1, rows, columns, images).transpose(1, 2, 0, 3)
            z += weights[:, :, row].swapaxes(2, 3) @ cells
        return z


@dataclass
class MeanEnd:
    """Global average pooling."""

    depth: int
    cells: int  # of an image

    def whole(self, x: Array, image: PatchBatch) -> None:
        """Keep the means of whole images, (channels, images)."""
        self._means = x.mean(axis=(0, 1))[:, 0, 0]

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return (rows, columns, channels, images)."""
        changes: Array = x.sum(axis=(0, 1)).transpose(1, 2, 0, 3) / self.cells
        changes += self._means[:, batch.images]
        return changes


@dataclass
class PasteEnd:
    """Paste patches into their images and compute the remaining layers on these in full."""

    depth: int
    groups: AxisGroups
    rest: Callable[[Array], Array]  # (batch, rows, columns, channels) → (batch, numbers)

    def whole(self, x: Array, image: PatchBatch) -> None:
        """Keep the images, (images, rows, columns, channels)."""
        self._images = x[:, :, :, 0, 0].transpose(3, 0, 1, 2).copy()

    def patch(self, x: Array, batch: PatchBatch) -> Array:
        """Return (rows, columns, numbers, images)."""
        below = self._images[batch.images]
        images, height, width, channels = below.shape
        (top, bottom), (left, right) = (bounds(found, self.depth) for found in self.groups)
        top, left = min(top, 0), min(left, 0)
        rows, columns, _ = batch.counts
        shape = (rows, columns, images, max(bottom, height) - top, max(right, width) - left, channels)
        framed = np.empty(shape, x.dtype)
        inside = framed[:, :, :, -top : height - top, -left : width - left]
        inside[...] = below
        of_one, of_other, of_image, of_row, of_column, of_channel = framed.strides
        row_group, column_group = batch.rows, batch.columns
        patches: Array = np.ndarray(
            (rows, columns, images, *batch.sizes(self.depth), channels),
            x.dtype,
            framed,
            (row_group.starts[self.depth] - top) * of_row + (column_group.starts[self.depth] - left) * of_column,
            (
                of_one + row_group.moves[self.depth] * of_row,
                of_other + column_group.moves[self.depth] * of_column,
                *(of_image, of_row, of_column, of_channel),
            ),
        )
        patches[...] = x.transpose(3, 4, 5, 0, 1, 2)
        numbers = self.rest(inside.reshape(-1, height, width, channels))
        return numbers.reshape(rows, columns, images, -1).transpose(0, 1, 3, 2)
