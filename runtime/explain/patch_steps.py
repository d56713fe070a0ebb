"""What is computed on the patches that an occluder changes: the steps of a stack of layers, and how it ends.

Between steps a patch is either a difference, what the occluder changed, or a value, which is that difference added to
what the whole image has there. Convolutions and means take differences, for they are linear: what did not change counts
nothing. Pools and activations take values. `Add` and `Subtract` lead from one to the other.

Every step is first shown the whole images, which it computes in the same way, with biases, and may keep; then it
computes patches. Both are arrays (patch rows, patch columns, channels, rows, columns, images) as a Place says; whole
images are patches of one place. A step may write over what it was given.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.patches import Glance, Laid, Place, Run, bounds
from nnspec.runtime.layers import Forward, Mode

Runs = tuple[Sequence[Run], Sequence[Run]]
"""Of the rows and of the columns."""

_Product = tuple[int, slice, tuple[slice, slice], Array]
"""A row of places, some of its columns, the cells that they see, and the matrix that these are multiplied by."""

SMALL = 256
"""Rows up to which a matrix of a convolution may be mostly zeros: fewer and larger products are faster."""

COPIED = 1 << 20
"""Weights that a dense layer may copy to lay them beside their patches; more are read where they are."""


class Step(Protocol):
    """One step on patches."""

    def whole(self, x: Array, image: Place) -> Array:
        """The step on whole images."""

    def patch(self, x: Array, place: Place) -> Array:
        """The step on patches."""


@dataclass
class Add:
    """A difference becomes a value."""

    depth: int
    runs: Runs

    def whole(self, x: Array, image: Place) -> Array:
        """Keep what patches will be added to."""
        self._laid = Laid(x, image, self.depth, *self.runs)
        return x

    def patch(self, x: Array, place: Place) -> Array:
        """x + the value of the whole image."""
        for columns, there in self._laid.patches(place):
            np.add(x[:, columns], there, out=x[:, columns])
        return x


@dataclass
class Subtract:
    """A value becomes a difference. Nothing differs beyond the image."""

    depth: int
    runs: Runs

    def whole(self, x: Array, image: Place) -> Array:
        """Keep what will be subtracted from patches."""
        image.set_outside(x, self.depth, 0)
        self._laid = Laid(x, image, self.depth, *self.runs)
        return x

    def patch(self, x: Array, place: Place) -> Array:
        """x − the value of the whole image."""
        for columns, there in self._laid.patches(place):
            np.subtract(x[:, columns], there, out=x[:, columns])
        place.set_outside(x, self.depth, 0)
        return x


@dataclass
class Outside:
    """What lies beyond the image gets the value that the next step wants to find there: −∞ is never the largest."""

    depth: int
    value: float

    def whole(self, x: Array, image: Place) -> Array:
        """As on patches."""
        image.set_outside(x, self.depth, self.value)
        return x

    patch = whole


@dataclass
class Each:
    """A function of each number alone, by the layer's plain form."""

    forward: Forward

    def whole(self, x: Array, image: Place) -> Array:
        """As on patches."""
        return self.forward(x, Mode())[0]

    patch = whole


@dataclass
class Scale:
    """Batchnorm at inference: x · factor + shift of each channel; a difference is not shifted."""

    factor: Array  # (channels,)
    shift: Array
    difference: bool

    def whole(self, x: Array, image: Place) -> Array:
        """x · factor + shift"""
        return x * _per_channel(self.factor) + _per_channel(self.shift)

    def patch(self, x: Array, place: Place) -> Array:
        """The same, or x · factor of a difference."""
        return x * _per_channel(self.factor) if self.difference else self.whole(x, place)


@dataclass
class Pool:
    """The largest number of each window, or their mean: along the columns, then along the rows."""

    depth: int  # of the output
    window: tuple[int, int]
    stride: int
    largest: bool

    def whole(self, x: Array, image: Place) -> Array:
        """As on patches."""
        rows, columns = image.sizes(self.depth)
        x = self._along(x.swapaxes(0, 1), self.window[1], columns).swapaxes(0, 1)
        x = self._along(x, self.window[0], rows)
        if not self.largest:
            x *= 1 / (self.window[0] * self.window[1])
        return x

    patch = whole

    def _along(self, x: Array, cells: int, places: int) -> Array:
        """Over windows along the first axis; a new array."""
        combine = np.maximum if self.largest else np.add
        taps = [x[cell : cell + (places - 1) * self.stride + 1 : self.stride] for cell in range(cells)]
        if cells == 1:
            return taps[0].copy()
        y: Array = combine(taps[0], taps[1])
        for tap in taps[2:]:
            combine(y, tap, out=y)
        return y


class _Span(NamedTuple):
    """Places of a window along an axis, over so many cells, which begin so far behind the first that is seen."""

    places: int
    cells: int
    behind: int

    def tiles(self, glance: Glance, wide: int) -> Iterator[tuple[slice, slice, "_Span"]]:
        """Some places after another, and the cells that they see: where both lie, and what they are by themselves."""
        for left in range(0, self.places, wide):
            places = min(wide, self.places - left)
            first = left * glance.stride - self.behind  # cell that they see, and where they see no more
            beyond = first + (places - 1) * glance.stride + glance.reach
            begin = min(max(first, 0), self.cells)
            end = max(min(beyond, self.cells), begin)
            yield slice(left, left + places), slice(begin, end), _Span(places, end - begin, begin - first)

    def window_cells(self, glance: Glance) -> Array:
        """Which cell of its window a place has on a cell, (places, cells); as many as a window has for none."""
        offset = np.arange(self.cells) + self.behind - np.arange(self.places)[:, None] * glance.stride
        cell, between = np.divmod(offset, glance.dilation)
        return np.where((between == 0) & (cell >= 0) & (cell < glance.cells), cell, glance.cells)


@dataclass
class Convolve:
    """The convolution of a difference.

    A row of places sees a few rows of the patch; what these are multiplied by, zeros included, is written out as one
    matrix, so that nothing is gathered: patches hold (cells · channels, occluders · images) already. Wide rows are cut
    into tiles, so that at most half of a matrix is zeros.
    """

    depth: int  # of the output
    weight: Array  # (window rows, window columns, in, out), the groups' zeros included
    bias: Array | None
    glances: tuple[Glance, Glance]
    _products: dict[tuple[_Span, ...], list[_Product]] = field(default_factory=dict)
    _matrices: dict[tuple[int, ...], Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._framed = np.pad(self.weight, ((0, 1), (0, 1), (0, 0), (0, 0)))  # one more cell, of zeros: "does not see"

    def whole(self, x: Array, image: Place) -> Array:
        """With the bias."""
        y = self.patch(x, image)
        return y + _per_channel(self.bias) if self.bias is not None else y

    def patch(self, x: Array, place: Place) -> Array:
        """Without."""
        x = x.reshape(*x.shape[:3], -1)  # (rows, columns, in, occluders · images)
        y = np.empty((*place.sizes(self.depth), self.weight.shape[3], x.shape[3]), x.dtype)
        for row, columns, cells, matrix in self._products_at(place):
            out = y[row, columns].reshape(-1, x.shape[3])  # (places · out, occluders · images)
            if matrix.size:
                np.dot(matrix, x[cells].reshape(matrix.shape[1], -1), out=out)
            else:
                out.fill(0)
        return y.reshape(*y.shape[:3], *place.counts)

    def _products_at(self, place: Place) -> list[_Product]:
        """What to multiply for occluders of this kind, made once."""
        key = tuple(
            _Span(run.sizes[self.depth], run.sizes[self.depth - 1], run.starts[self.depth - 1] - first)
            for glance, run in zip(self.glances, (place.rows, place.columns), strict=True)
            for first, _ in [glance.seen_by(run.starts[self.depth], 1)]
        )
        if key not in self._products:
            self._products[key] = list(self._new_products(*key))
        return self._products[key]

    def _new_products(self, rows: _Span, columns: _Span) -> Iterator[_Product]:
        wide = max(self.glances[1].reach // self.glances[1].stride + 1, -(-SMALL // self.weight.shape[3]))
        down, across = list(rows.tiles(self.glances[0], 1)), list(columns.tiles(self.glances[1], wide))
        for (row, over, above), (tile, right, beside) in product(down, across):
            key = (*above, *beside)
            if key not in self._matrices:
                self._matrices[key] = self._matrix(above, beside)
            yield row.start, tile, (over, right), self._matrices[key]

    def _matrix(self, rows: _Span, columns: _Span) -> Array:
        """What a tile of places multiplies the cells that it sees by, (places · out, cells · in)."""
        seen_cells = _seen_cells(rows, columns, *self.glances)
        _, _, inputs, outputs = self._framed.shape
        weight = np.take(self._framed.reshape(-1, inputs, outputs), seen_cells, axis=0)  # (*places, *cells, in, out)
        places, cells = rows.places * columns.places, rows.cells * columns.cells
        seen = weight.transpose(0, 1, 5, 2, 3, 4)
        return seen.reshape(places * self.weight.shape[3], cells * self.weight.shape[2])


@lru_cache(maxsize=256)
def _seen_cells(rows: _Span, columns: _Span, down: Glance, across: Glance) -> Array:
    """Which cell of its framed window, counted row by row, each place has on each cell, (*places, *cells)."""
    u, v = rows.window_cells(down), columns.window_cells(across)
    return u[:, None, :, None] * (across.cells + 1) + v[None, :, None, :]


def _per_channel(numbers: Array) -> Array:
    return numbers.reshape(-1, 1, 1, 1)


class End(Protocol):
    """The last step."""

    def whole(self, x: Array, image: Place) -> None:
        """Keep what whole images end in."""

    def patch(self, x: Array, place: Place) -> Array:
        """Numbers of each occluded image, (rows, columns, numbers, images)."""


@dataclass
class DenseEnd:
    """The first dense layer: its sums over the whole image, and W[patch] · difference added to them."""

    depth: int
    weight: Array  # (image rows · columns · channels, units)
    bias: Array | None
    runs: Runs

    def whole(self, x: Array, image: Place) -> None:
        """The sums of whole images, (units, images), and the weights in a frame of zeros for what lies beyond."""
        height, width, channels, _, _, images = x.shape
        self._sums = self.weight.T @ x.reshape(-1, images)
        if self.bias is not None:
            self._sums += self.bias[:, None]
        (top, bottom), (left, right) = (bounds(found, self.depth) for found in self.runs)
        frame = ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0), (0, 0))
        self._corner = frame[0][0], frame[1][0]
        self._framed = np.pad(self.weight.reshape(height, width, channels, -1), frame)

    def patch(self, x: Array, place: Place) -> Array:
        """(rows, columns, units, images)"""
        height, width, channels, rows, columns, images = x.shape
        of_row, of_column, _, of_unit = self._framed.strides
        shape = (rows, columns, height, width * channels, self._framed.shape[3])
        steps = (of_row * place.rows.moves[self.depth], of_column * place.columns.moves[self.depth])
        strides = (*steps, of_row, of_column // channels, of_unit)
        starts = (place.rows.starts[self.depth], place.columns.starts[self.depth])
        corner = sum((c + s) * of for c, s, of in zip(self._corner, starts, (of_row, of_column), strict=True))
        beside = np.ndarray(shape, self._framed.dtype, self._framed, corner, strides)
        tall = height if beside.size <= COPIED else 1  # rows of a patch at a time: a single one needs no copy
        z: Array = np.broadcast_to(self._sums[:, place.images], (rows, columns, shape[-1], images))
        for row in range(0, height, tall):
            weight = beside[:, :, row : row + tall].reshape(rows, columns, -1, shape[-1])
            seen = x[row : row + tall].reshape(-1, rows, columns, images).transpose(1, 2, 0, 3)
            z = z + weight.swapaxes(2, 3) @ seen
        return z


@dataclass
class MeanEnd:
    """Global average pooling."""

    depth: int
    cells: int  # of an image

    def whole(self, x: Array, image: Place) -> None:
        """The means of whole images, (channels, images)."""
        self._means = x.mean(axis=(0, 1))[:, 0, 0]

    def patch(self, x: Array, place: Place) -> Array:
        """(rows, columns, channels, images)"""
        changes: Array = x.sum(axis=(0, 1)).transpose(1, 2, 0, 3) / self.cells
        changes += self._means[:, place.images]
        return changes


@dataclass
class PasteEnd:
    """Where patches gain no more: they are pasted into their images, which are computed in full from there on."""

    depth: int
    runs: Runs
    rest: Callable[[Array], Array]  # (batch, rows, columns, channels) → (batch, numbers)

    def whole(self, x: Array, image: Place) -> None:
        """Keep the images, (images, rows, columns, channels)."""
        self._images = x[:, :, :, 0, 0].transpose(3, 0, 1, 2).copy()

    def patch(self, x: Array, place: Place) -> Array:
        """(rows, columns, numbers, images)"""
        below = self._images[place.images]
        images, height, width, channels = below.shape
        (top, bottom), (left, right) = (bounds(found, self.depth) for found in self.runs)
        top, left = min(top, 0), min(left, 0)
        rows, columns, _ = place.counts
        shape = (rows, columns, images, max(bottom, height) - top, max(right, width) - left, channels)
        framed = np.empty(shape, x.dtype)
        inside = framed[:, :, :, -top : height - top, -left : width - left]
        inside[...] = below
        of_one, of_other, of_image, of_row, of_column, of_channel = framed.strides
        row_run, column_run = place.rows, place.columns
        patches: Array = np.ndarray(
            (rows, columns, images, *place.sizes(self.depth), channels),
            x.dtype,
            framed,
            (row_run.starts[self.depth] - top) * of_row + (column_run.starts[self.depth] - left) * of_column,
            (
                of_one + row_run.moves[self.depth] * of_row,
                of_other + column_run.moves[self.depth] * of_column,
                *(of_image, of_row, of_column, of_channel),
            ),
        )
        patches[...] = x.transpose(3, 4, 5, 0, 1, 2)
        numbers = self.rest(inside.reshape(-1, height, width, channels))
        return numbers.reshape(rows, columns, images, -1).transpose(0, 1, 3, 2)
