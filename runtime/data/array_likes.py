"""Samples that stay where they are stored, in a file or a folder, and are read as they are needed.

A `RowReader` reads the rows of one place; npy.py, hdf5.py and image_folder.py have theirs. A `StoredArray` over it
stands in for an array of samples in a `Split`: it has the shape, type and length of one, and indexing reads a part.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise
from math import prod
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.errors import DataError

MEMORY = "NNSPEC_DATA_MEMORY"
"""The environment variable with the most megabytes of samples of one file or folder that are kept in memory."""

MEGABYTES = 1024
"""The value of NNSPEC_DATA_MEMORY where it is not set."""

_MOST_IN_PASSES: ContextVar[int | None] = ContextVar("most bytes in memory", default=None)

PASSES = 2**24
"""The most bytes of samples that are kept in memory where they are only passed over, as by plan."""

WINDOW = 2**27
"""The bytes of samples that are read at once, in the order of their file, from an epoch in random order."""

_BLOCK = 2**22  # bytes read at once in passes over all samples

Places = NDArray[np.int64]


class RowReader(ABC):
    """RowReader of numbers at one place: `shape` is (rows, …), `dtype` in native byte order."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @abstractmethod
    def read(self, rows: Places, out: NDArray[Any], places: Places) -> None:
        """Copy row `rows[i]` to `out[places[i]]` for every i. `rows` never falls, and may have a number twice.

        Raises DataError where the place has changed or cannot be read.
        """

    def expect(self, rows: Places) -> None:
        """Be told which rows, in ascending order, are read next. May start to read them, and must not wait."""
        return


class StoredArray:
    """Samples (samples, …) in a `RowReader`, all of them or those that were chosen.

    An index of one sample, a slice, or an array of indices reads these samples and returns an array. `take` and
    `reshape` read nothing and return another StoredArray. To copy all of it at once is refused: it may be larger than
    memory.
    """

    def __init__(
        self, rows: RowReader, chosen: "Places | range | None" = None, sample_shape: tuple[int, ...] | None = None
    ):
        self._rows = rows
        self._chosen = range(rows.shape[0]) if chosen is None else chosen
        self.shape = (len(self._chosen), *(rows.shape[1:] if sample_shape is None else sample_shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self._rows.dtype

    @property
    def ndim(self) -> int:
        """The number of axes, that of the samples included."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The count of numbers in all samples."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that all samples would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        if isinstance(index, int | np.integer):
            one: NDArray[Any] = self[np.array([range(len(self))[index]])][0]
            return one
        chosen = self._chosen_by(index)
        out = np.empty((len(chosen), *self.shape[1:]), self.dtype)
        self._read(chosen, out)
        return out

    def __iter__(self) -> Iterator[NDArray[Any]]:
        for _, part in parts(cast("NDArray[Any]", self)):
            yield from part

    def __array__(self, *args: Any, **kwargs: Any) -> NDArray[Any]:
        raise DataError(
            f"{len(self):,} samples, {self.nbytes:,} bytes, are read from their file as they are needed: "
            "index a part of them, as inputs[:1000]"
        )

    def take(self, indices: ArrayLike | slice) -> "StoredArray":
        """Return the samples of these indices, a slice or an array, without reading them."""
        return StoredArray(self._rows, self._chosen_by(indices), self.shape[1:])

    def reshape(self, *shape: Any) -> "StoredArray":
        """Return the same samples in another shape (samples, …). Raises ValueError where the sizes differ."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if wanted[0] != len(self) or prod(wanted) != self.size:
            raise ValueError(f"samples {self.shape} cannot be reshaped to {wanted}")
        return StoredArray(self._rows, self._chosen, tuple(wanted[1:]))

    def read(self, indices: Places, out: NDArray[Any]) -> None:
        """Copy the samples of these indices to `out` (indices, …)."""
        self._read(self._chosen_by(indices), out)

    def expect(self, indices: Places) -> None:
        """Be told which samples are read next: a file on a disk is then read ahead by the system."""
        self._rows.expect(np.sort(_numbers(self._chosen_by(indices))))

    def _chosen_by(self, index: Any) -> "Places | range":
        if isinstance(index, slice):
            return self._chosen[index]
        places = np.asarray(index)
        if places.dtype.kind not in "iu" or places.ndim != 1:
            raise TypeError(f"samples are indexed by a number, a slice or an array of numbers, not {index!r}")
        if isinstance(self._chosen, range):
            whole = self._chosen
            if places.size and not -len(whole) <= places.min() <= places.max() < len(whole):
                raise IndexError(f"an index is out of range for {len(whole):,} samples")
            return whole.start + whole.step * np.where(places < 0, places + len(whole), places).astype(np.int64)
        return cast("Places", self._chosen[places])

    def _read(self, chosen: "Places | range", out: NDArray[Any]) -> None:
        rows, out = _numbers(chosen), out.reshape(len(out), *self._rows.shape[1:])
        places = np.arange(len(rows))
        if (np.diff(rows) < 0).any():
            places = np.argsort(rows, kind="stable")
            rows = rows[places]
        self._rows.read(rows, out, places)


class ReadAhead:
    """Reads the samples of an epoch in its order, from windows of the order that are read in the order of the file.

    A window has at most `bytes_at_once` bytes of samples. The numbers that are returned do not depend on it.
    """

    def __init__(self, samples: StoredArray, bytes_at_once: int = WINDOW):
        self._samples = samples
        self._count = max(1, bytes_at_once // max(1, samples.nbytes // max(1, len(samples))))
        self._window = np.empty((0, *samples.shape[1:]), samples.dtype)
        self._order: NDArray[Any] | None = None
        self._start = 0

    def read(self, order: Places, start: int, out: NDArray[Any]) -> None:
        """Copy the samples `order[start]`, `order[start + 1]`, … to `out` (batch, …)."""
        stop = start + len(out)
        if self._order is not order or not self._start <= start <= stop <= self._start + len(self._window):
            self._fill(order, start, max(1, self._count // len(out)) * len(out))
        np.copyto(out, self._window[start - self._start : stop - self._start])

    def _fill(self, order: Places, start: int, count: int) -> None:
        chosen, after = order[start : start + count], order[start + count : start + 2 * count]
        if len(self._window) != len(chosen):
            self._window = np.empty((len(chosen), *self._window.shape[1:]), self._window.dtype)
        self._order, self._start = None, start  # until it is read whole
        self._samples.read(chosen, self._window)
        self._order = order
        self._samples.expect(after)


def in_memory_or_stored(rows: RowReader) -> NDArray[Any]:
    """Return all rows as an array if NNSPEC_DATA_MEMORY allows it, else as a StoredArray.

    A StoredArray is typed as the array that it stands in for. Raises DataError where a row cannot be read.
    """
    stored = StoredArray(rows)
    return stored[:] if kept_in_memory(stored.nbytes) else typed_as_array(stored)


def kept_in_memory(size: int) -> bool:
    """Return whether so many bytes of samples are kept in memory."""
    passes = _MOST_IN_PASSES.get()
    return size <= (most_in_memory() if passes is None else min(passes, most_in_memory()))


@contextmanager
def read_in_passes(most: int = PASSES) -> Iterator[None]:
    """Keep at most this many bytes of samples of one file in memory: for data that are described and not trained on."""
    token = _MOST_IN_PASSES.set(most)
    try:
        yield
    finally:
        _MOST_IN_PASSES.reset(token)


def take(inputs: NDArray[Any], indices: Any) -> NDArray[Any]:
    """Return the samples of these indices, a slice or an array: a copy or view of an array, not read if stored."""
    return cast("NDArray[Any]", inputs.take(indices)) if is_stored(inputs) else inputs[indices]


def parts(inputs: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield all samples, each part with the index of its first: some megabytes if stored, else the whole array."""
    step = max(1, _BLOCK // max(1, inputs.nbytes // max(1, len(inputs)))) if is_stored(inputs) else max(1, len(inputs))
    for start in range(0, len(inputs), step):
        yield start, inputs[start : start + step]


def concatenated(splits: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the samples of several splits after each other; not read if they are stored."""
    if any(map(is_stored, splits)):
        joined = StoredArray(_Joined(splits))
        return cast("NDArray[Any]", joined)
    return np.concatenate(splits)


class _Joined(RowReader):
    """Samples of several splits, after each other, of which at least one is stored."""

    def __init__(self, parts: Sequence[NDArray[Any]]):
        self.shape = (sum(map(len, parts)), *parts[0].shape[1:])
        self.dtype = np.result_type(*(part.dtype for part in parts))
        self._parts = parts
        self._ends = np.cumsum([len(part) for part in parts])

    def read(self, rows: Places, out: NDArray[Any], places: Places) -> None:
        bounds = np.searchsorted(rows, [0, *self._ends])
        for part, end, (start, stop) in zip(self._parts, self._ends, pairwise(bounds), strict=True):
            if start < stop:
                out[places[start:stop]] = part[rows[start:stop] - (end - len(part))]


def typed_as_array(stored: StoredArray) -> NDArray[Any]:
    """Return stored samples, typed as the array that they stand in for."""
    return cast("NDArray[Any]", stored)


def is_stored(inputs: object) -> bool:
    """Return whether samples are read as they are needed."""
    return isinstance(inputs, StoredArray)


def stored_note(name: str, inputs: NDArray[Any]) -> tuple[str, ...]:
    """Return a note, as a tuple of one, where samples are not kept in memory; else none."""
    if not is_stored(inputs) or inputs.nbytes <= most_in_memory():
        return ()
    size, most = inputs.nbytes / 2**20, most_in_memory() // 2**20
    return (
        f"{name}: {size:,.0f} MB of samples are read as they are needed; {most:,} MB may be in memory, set by {MEMORY}",
    )


def most_in_memory() -> int:
    """Return the most bytes of samples of one place that are kept in memory. Raises DataError where it is no number."""
    text = os.environ.get(MEMORY, "").strip()
    try:
        megabytes = float(text) if text else MEGABYTES
        if not 0 <= megabytes < 2**40:
            raise ValueError
    except ValueError:
        raise DataError(f'{MEMORY} is "{text}": write a number of megabytes, as {MEMORY}={MEGABYTES}', 2) from None
    return int(megabytes * 2**20)


def _numbers(chosen: "Places | range") -> Places:
    if isinstance(chosen, range):
        return np.arange(chosen.start, chosen.stop, chosen.step, dtype=np.int64)
    return chosen
