"""The patch that an occluder changes at each depth of a stack of windows, for every position of the occluder.

Along one axis, cells [a, b) of an input reach the outputs ⌈(a + before − reach + 1) / stride⌉ to
⌊(b − 1 + before) / stride⌋ of a window over it, and no others (receptive-field arithmetic), layer after layer. An
occluder that moves by the product of all strides moves its patch at each depth by a whole number of cells and changes
nothing else. Its positions along an axis therefore form as many groups as that product has steps of the occluder, and
all positions of a group are computed at once.

Patches keep their size where they reach over the edge of the image. What is computed there is set to zero or never
read. This module knows geometry only; patch_steps.py computes values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from nnspec.runtime.arrays import Array


class AxisWindow(NamedTuple):
    """The window of a layer along one axis of its input.

    Output i < outputs reads the cells i · stride − before + u · dilation, u < taps; cells beyond the image are padding.
    `needs_all` says that an output needs every one of its cells in the patch, as in a pool. A convolution of
    differences does not: cells outside the patch are unchanged, so their difference is zero.
    """

    outputs: int
    taps: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    needs_all: bool = True

    @property
    def reach(self) -> int:
        """Cells from the first to the last that an output reads."""
        return self.dilation * (self.taps - 1) + 1

    def outputs_of(self, start: int, size: int) -> tuple[int, int]:
        """Return the outputs that read any of these cells, as start and size; size 1 where the cells are in a gap."""
        first = -((self.reach - 1 - start - self.before) // self.stride)
        last = (start + size - 1 + self.before) // self.stride
        return first, max(last - first + 1, 1)

    def cells_of(self, start: int, size: int) -> tuple[int, int]:
        """Return the cells that these outputs read, as start and size."""
        return start * self.stride - self.before, (size - 1) * self.stride + self.reach


class PositionGroup(NamedTuple):
    """Positions of an occluder along one axis that are computed at once: first, first + every, first + 2 · every, ….

    At depth d, where depth 0 is the sample, the patch of the first position begins at `starts[d]`. Each patch has
    `sizes[d]` cells, and from one position to the next it moves by `moves[d]` cells. `lengths[d]` is the image's
    length.
    """

    first: int
    every: int
    members: int
    starts: tuple[int, ...]
    sizes: tuple[int, ...]
    moves: tuple[int, ...]
    lengths: tuple[int, ...]

    def subset(self, begin: int, end: int) -> "PositionGroup":
        """Return the members `begin` to `end` of the group."""
        starts = tuple(start + begin * move for start, move in zip(self.starts, self.moves, strict=True))
        return self._replace(first=self.first + begin * self.every, members=end - begin, starts=starts)

    def at_samples(self, start: int, size: int) -> "PositionGroup":
        """Return the group at depth 0 alone, its first patch beginning at `start` with `size` cells."""
        return self._replace(starts=(start,), sizes=(size,), moves=self.moves[:1], lengths=self.lengths[:1])

    def bounds(self, depth: int) -> tuple[int, int]:
        """Return the cells that any of the patches covers, as begin and end."""
        start = self.starts[depth]
        return start, start + (self.members - 1) * self.moves[depth] + self.sizes[depth]

    def outside(self, depth: int) -> Iterator[tuple[int, slice]]:
        """Yield the cells of patches that are beyond the image: a cell of the patch, and the members concerned."""
        start, move, length = self.starts[depth], self.moves[depth], self.lengths[depth]
        begin, end = self.bounds(depth)
        for cell in range(self.sizes[depth]) if begin < 0 or end > length else ():
            within, beyond = -((start + cell) // move), -((start + cell - length) // move)  # first members that are
            if within > 0:
                yield cell, slice(0, within)
            if beyond < self.members:
                yield cell, slice(max(beyond, 0), self.members)


AxisGroups = tuple[Sequence[PositionGroup], Sequence[PositionGroup]]
"""The groups along the rows and along the columns."""


def position_groups(length: int, window: int, stride: int, layers: Sequence[AxisWindow]) -> list[PositionGroup]:
    """Return all positions of an occluder along an axis, in groups.

    Arguments:
        length: cells of the image.
        window: cells of the occluder.
        stride: cells by which the occluder moves; its last position is the last that is wholly inside the image.
        layers: the windows of the layers that follow, the first one over the image.
    """
    lengths = _lengths(length, layers)
    steps = prod(layer.stride for layer in layers)
    every = steps // gcd(steps, stride)
    moves = [every * stride]
    for layer in layers:
        moves.append(moves[-1] // layer.stride)
    positions = (length - window) // stride + 1
    found = []
    for first in range(min(every, positions)):
        changed = [(first * stride, window)]
        for layer in layers:
            changed.append(layer.outputs_of(*changed[-1]))
        members = -(-(positions - first) // every)
        found.append(PositionGroup(first, every, members, *_widened(changed, layers), tuple(moves), lengths))
    return found


def whole_image(length: int, layers: Sequence[AxisWindow]) -> PositionGroup:
    """Return the group of one position whose patch is the image itself at every depth."""
    lengths = _lengths(length, layers)
    starts, sizes = _widened([(0, length) for length in lengths], layers)
    return PositionGroup(0, 1, 1, starts, sizes, (1,) * len(lengths), lengths)


def _lengths(length: int, layers: Sequence[AxisWindow]) -> tuple[int, ...]:
    return length, *(layer.outputs for layer in layers)


def _widened(
    changed: Sequence[tuple[int, int]], layers: Sequence[AxisWindow]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the starts and sizes of patches, widened to the cells that layers with `needs_all` read."""
    patches = list(changed)
    for depth in reversed(range(len(layers))):
        if layers[depth].needs_all:
            patches[depth] = layers[depth].cells_of(*patches[depth + 1])
    starts, sizes = zip(*patches, strict=True)
    return starts, sizes


@dataclass(frozen=True)
class PatchBatch:
    """Occluders whose patches are computed at once: rows × columns of positions, in some of the images.

    Their patches at a depth are one array (patch rows, patch columns, channels, rows, columns, images).
    """

    rows: PositionGroup
    columns: PositionGroup
    images: slice

    def sizes(self, depth: int) -> tuple[int, int]:
        """Return the rows and columns of a patch."""
        return self.rows.sizes[depth], self.columns.sizes[depth]

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of rows and columns of occluders, and of images."""
        return self.rows.members, self.columns.members, self.images.stop - self.images.start

    def set_outside(self, x: Array, depth: int, value: float) -> None:
        """Overwrite the cells of patches that are beyond the image."""
        for cell, members in self.rows.outside(depth):
            x[cell, :, :, members] = value
        for cell, members in self.columns.outside(depth):
            x[:, cell, :, :, members] = value


def bounds(groups: Sequence[PositionGroup], depth: int) -> tuple[int, int]:
    """Return the cells that patches of any of the groups cover, as begin and end."""
    begins, ends = zip(*(group.bounds(depth) for group in groups), strict=True)
    return min(begins), max(ends)


class PhasedImages:
    """Whole images at one depth, stored so that patches are views of them.

    The layout in memory is (phase, row, channel, column of the phase, image): columns that are one move apart, as those
    of neighbouring patches are, are contiguous. Cells beyond the images are zero.
    """

    def __init__(
        self,
        whole: Array,
        image: PatchBatch,
        depth: int,
        rows: Sequence[PositionGroup],
        columns: Sequence[PositionGroup],
    ):
        """Copy `whole`, (rows, columns, channels, 1, 1, images), a patch of `image`, for patches of all the groups."""
        self.depth, self.phases = depth, columns[0].moves[depth]
        (self.top, bottom), (self.left, right) = bounds(rows, depth), bounds(columns, depth)
        height, width, channels, _, _, images = whole.shape
        across = -(-(right - self.left) // self.phases)
        self.cells = np.zeros((self.phases, bottom - self.top, channels, across, images), whole.dtype)
        from_top, from_left = image.rows.starts[depth] - self.top, image.columns.starts[depth] - self.left
        down, skipped = max(from_top, 0), max(-from_top, 0)
        tall = max(min(height - skipped, bottom - self.top - down), 0)
        first, end = max(-from_left, 0), min(width, right - self.left - from_left)
        for column in range(first, min(first + self.phases, end)):
            at, phase = divmod(from_left + column, self.phases)
            given = whole[skipped : skipped + tall, column : end : self.phases, :, 0, 0]
            self.cells[phase, down : down + tall, :, at : at + given.shape[1]] = given.swapaxes(1, 2)

    def patches(self, batch: PatchBatch) -> Iterator[tuple[slice, Array]]:
        """Yield the patches, one phase after another: which of their columns, and a view of these.

        Each view is (patch rows, some of the patch columns, channels, rows, columns, images).
        """
        depth, cells, phases = self.depth, self.cells, self.phases
        of_phase, of_row, of_channel, of_column, of_image = cells.strides
        tall, wide = batch.sizes(depth)
        strides = (of_row, of_column, of_channel, of_row * batch.rows.moves[depth], of_column, of_image)
        corner = (batch.rows.starts[depth] - self.top) * of_row + batch.images.start * of_image
        left = batch.columns.starts[depth] - self.left
        for first in range(min(phases, wide)):
            at, phase = divmod(left + first, phases)
            shape = (tall, -(-(wide - first) // phases), cells.shape[2], *batch.counts)
            offset = corner + phase * of_phase + at * of_column
            view = np.ndarray(shape, cells.dtype, cells, offset, strides)
            yield slice(first, None, phases), view
