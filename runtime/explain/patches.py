"""Where an occluder is seen: the patch that it changes at each depth of a stack of windows, for every place of it.

Along one axis, cells [a, b) of a value are seen by the places ⌈(a + before − reach + 1) / stride⌉ to ⌊(b − 1 + before)
/ stride⌋ of a window over it, and no others change: receptive-field arithmetic, layer after layer. An occluder that
moves on by the product of all strides moves its patch at each depth by a whole number of cells and changes nothing
else. So its places fall into as many kinds along an axis as that product has steps, and all places of a kind are
computed at once.

Patches keep their size where they reach over the edge of the image; what is computed there is set to zero or never
read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import NamedTuple

import numpy as np

from nnspec.runtime.arrays import Array


class Glance(NamedTuple):
    """How a step of a network looks at its input along one axis.

    Place i of the output, i < places, sees cells i · stride − before + u · dilation, u < cells; cells beyond the image
    are padding. `closed` says that every place wants to find all its cells in the patch that it is given, as a pool
    does; a convolution takes what is not there for unchanged.
    """

    places: int
    cells: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    closed: bool = True

    @property
    def reach(self) -> int:
        """Cells from the first to the last that a place sees."""
        return self.dilation * (self.cells - 1) + 1

    def sees(self, start: int, size: int) -> tuple[int, int]:
        """The places that see any of these cells, as start and size; a single one where the cells fall into a gap."""
        first = -((self.reach - 1 - start - self.before) // self.stride)
        last = (start + size - 1 + self.before) // self.stride
        return first, max(last - first + 1, 1)

    def seen_by(self, start: int, size: int) -> tuple[int, int]:
        """The cells that these places see, as start and size."""
        return start * self.stride - self.before, (size - 1) * self.stride + self.reach


class Run(NamedTuple):
    """Places of an occluder along one axis, all of one kind: first, first + every, first + 2 · every and so on.

    At depth d the patch of the first begins at `starts[d]`, each has `sizes[d]` cells, and from one to the next it
    moves on by `moves[d]`. Depth 0 are the samples. `lengths` are those of the image at each depth.
    """

    first: int
    every: int
    places: int
    starts: tuple[int, ...]
    sizes: tuple[int, ...]
    moves: tuple[int, ...]
    lengths: tuple[int, ...]

    def part(self, begin: int, end: int) -> "Run":
        """Some of the places, counted within the run."""
        starts = tuple(start + begin * move for start, move in zip(self.starts, self.moves, strict=True))
        return self._replace(first=self.first + begin * self.every, places=end - begin, starts=starts)

    def bounds(self, depth: int) -> tuple[int, int]:
        """The cells that any of the patches covers, as begin and end."""
        start = self.starts[depth]
        return start, start + (self.places - 1) * self.moves[depth] + self.sizes[depth]

    def outside(self, depth: int) -> Iterator[tuple[int, slice]]:
        """The cells of the patches that lie beyond the image: a cell of the patch, and the places for which it does."""
        start, move, length = self.starts[depth], self.moves[depth], self.lengths[depth]
        begin, end = self.bounds(depth)
        for cell in range(self.sizes[depth]) if begin < 0 or end > length else ():
            within, beyond = -((start + cell) // move), -((start + cell - length) // move)  # first places that are
            if within > 0:
                yield cell, slice(0, within)
            if beyond < self.places:
                yield cell, slice(max(beyond, 0), self.places)


def runs(length: int, window: int, stride: int, glances: Sequence[Glance]) -> list[Run]:
    """All places of an occluder of so many cells along an axis, by kind.

    `stride` is the occluder's; its last place is the last that lies wholly in the image.
    """
    lengths = _lengths(length, glances)
    steps = prod(glance.stride for glance in glances)
    every = steps // gcd(steps, stride)
    moves = [every * stride]
    for glance in glances:
        moves.append(moves[-1] // glance.stride)
    places = (length - window) // stride + 1
    found = []
    for first in range(min(every, places)):
        changed = [(first * stride, window)]
        for glance in glances:
            changed.append(glance.sees(*changed[-1]))
        found.append(_run(first, every, -(-(places - first) // every), changed, moves, lengths, glances))
    return found


def whole_image(length: int, glances: Sequence[Glance]) -> Run:
    """The run of one place whose patch is the image itself, at every depth."""
    lengths = _lengths(length, glances)
    return _run(0, 1, 1, [(0, length) for length in lengths], [1] * len(lengths), lengths, glances)


def _lengths(length: int, glances: Sequence[Glance]) -> tuple[int, ...]:
    return length, *(glance.places for glance in glances)


def _run(
    first: int,
    every: int,
    places: int,
    changed: list[tuple[int, int]],
    moves: list[int],
    lengths: tuple[int, ...],
    glances: Sequence[Glance],
) -> Run:
    """The run with patches widened to what closed steps want to find."""
    patches = list(changed)
    for depth in reversed(range(len(glances))):
        if glances[depth].closed:
            patches[depth] = glances[depth].seen_by(*patches[depth + 1])
    starts, sizes = zip(*patches, strict=True)
    return Run(first, every, places, starts, sizes, tuple(moves), lengths)


@dataclass(frozen=True)
class Place:
    """Occluders whose patches are computed at once: rows × columns of them, in some of the images.

    Their patches at a depth are one array (patch rows, patch columns, channels, rows, columns, images).
    """

    rows: Run
    columns: Run
    images: slice

    def sizes(self, depth: int) -> tuple[int, int]:
        """Rows and columns of a patch."""
        return self.rows.sizes[depth], self.columns.sizes[depth]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Rows and columns of occluders, and images."""
        return self.rows.places, self.columns.places, self.images.stop - self.images.start

    def set_outside(self, x: Array, depth: int, value: float) -> None:
        """Overwrite the cells of patches that lie beyond the image."""
        for cell, places in self.rows.outside(depth):
            x[cell, :, :, places] = value
        for cell, places in self.columns.outside(depth):
            x[:, cell, :, :, places] = value


def bounds(found: Sequence[Run], depth: int) -> tuple[int, int]:
    """The cells that patches of any of the runs cover, as begin and end."""
    begins, ends = zip(*(run.bounds(depth) for run in found), strict=True)
    return min(begins), max(ends)


class Laid:
    """A value of whole images at one depth, laid out so that patches are read from it without a copy.

    In memory (phase, row, channel, column of the phase, image): columns that lie one move apart, as those of
    neighbouring patches do, are neighbours. Zero where patches reach beyond what was given.
    """

    def __init__(self, whole: Array, image: Place, depth: int, rows: Sequence[Run], columns: Sequence[Run]):
        """`whole` is (rows, columns, channels, 1, 1, images), a patch of `image`; those of all the runs can be read."""
        self.depth, self.phases = depth, columns[0].moves[depth]
        (self.top, bottom), (self.left, right) = bounds(rows, depth), bounds(columns, depth)
        height, width, channels, _, _, images = whole.shape
        across = -(-(right - self.left) // self.phases)
        self.cells = np.zeros((self.phases, bottom - self.top, channels, across, images), whole.dtype)
        from_top, from_left = image.rows.starts[depth] - self.top, image.columns.starts[depth] - self.left
        down, skipped = max(from_top, 0), max(-from_top, 0)
        tall = max(min(height - skipped, bottom - self.top - down), 0)
        for column in range(max(-from_left, 0), min(width, right - self.left - from_left)):
            at, phase = divmod(from_left + column, self.phases)
            self.cells[phase, down : down + tall, :, at] = whole[skipped : skipped + tall, column, :, 0, 0]

    def patches(self, place: Place) -> Iterator[tuple[slice, Array]]:
        """The patches, a phase after another: which of their columns, and a view of these.

        Each view is (patch rows, some of the patch columns, channels, rows, columns, images).
        """
        depth, cells, phases = self.depth, self.cells, self.phases
        of_phase, of_row, of_channel, of_column, of_image = cells.strides
        tall, wide = place.sizes(depth)
        strides = (of_row, of_column, of_channel, of_row * place.rows.moves[depth], of_column, of_image)
        corner = (place.rows.starts[depth] - self.top) * of_row + place.images.start * of_image
        left = place.columns.starts[depth] - self.left
        for first in range(min(phases, wide)):
            at, phase = divmod(left + first, phases)
            shape = (tall, -(-(wide - first) // phases), cells.shape[2], *place.counts)
            offset = corner + phase * of_phase + at * of_column
            view = np.ndarray(shape, cells.dtype, cells, offset, strides)
            yield slice(first, None, phases), view
