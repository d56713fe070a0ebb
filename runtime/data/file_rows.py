"""Rows of equal length in one stretch of a file, read by position: the arrays of .npy files and of HDF5 datasets.

The file is not mapped into memory: a file that is cut off while it is read is then an error, not the end of the
process, and what has been read does not count as memory of the process.
"""

import os
import weakref
from collections.abc import Iterator
from itertools import pairwise
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.array_likes import Places, RowReader
from nnspec.runtime.errors import DataError

BLOCK = 2**22
"""The most bytes of neighbouring rows that are read at once and then picked from."""

GAP = 2**15
"""Rows with at most this many bytes between them are read together: shorter than the way of a disk's head."""


class FileRows(RowReader):
    """Rows (rows, …) of the type `stored` from the byte `offset` of a file on. `handle` is closed with the object."""

    def __init__(self, path: Path, handle: int, offset: int, shape: tuple[int, ...], stored: np.dtype[Any]):
        self.path = path
        self.shape = shape
        self.dtype = stored.newbyteorder("=")
        self._stored = stored
        self._handle = handle
        self._offset = offset
        self._bytes = prod(shape[1:]) * stored.itemsize
        self._lock = Lock()  # where the system can only read from the handle's own position
        self._close = weakref.finalize(self, os.close, handle)

    def read(self, rows: Places, out: NDArray[Any], places: Places) -> None:
        """Read neighbouring rows together, and rows that are exactly consecutive without another copy."""
        for start, stop, first, count in self._runs(rows):
            target = self._run_of(out, places[start:stop]) if count == stop - start else None
            if target is not None:
                self._fill(first, target)
                continue
            block = np.empty((count, *self.shape[1:]), self._stored)
            self._fill(first, block)
            out[places[start:stop]] = block[rows[start:stop] - first]

    def expect(self, rows: Places) -> None:
        """Ask the system to read these rows into its cache, without waiting, where it can."""
        if not hasattr(os, "posix_fadvise"):
            return
        for _, _, first, count in self._runs(rows):
            where = self._offset + first * self._bytes, count * self._bytes
            os.posix_fadvise(self._handle, *where, os.POSIX_FADV_WILLNEED)

    def _runs(self, rows: Places) -> Iterator[tuple[int, int, int, int]]:
        """Yield what is read together: the start and stop in `rows`, the first row and the number of rows."""
        near, most = 1 + GAP // max(1, self._bytes), max(1, BLOCK // max(1, self._bytes))
        apart = (np.diff(rows) > near) | (np.diff(rows // most) > 0)
        for start, stop in pairwise([0, *(np.flatnonzero(apart) + 1).tolist(), len(rows)]):
            if start < stop:
                yield start, stop, int(rows[start]), int(rows[stop - 1] - rows[start]) + 1

    def _run_of(self, out: NDArray[Any], places: Places) -> NDArray[Any] | None:
        """Return the part of `out` at consecutive places if the bytes of the file can be read into it as they are."""
        first, count = int(places[0]), len(places)
        consecutive = count == 1 or (places[-1] - first == count - 1 and (np.diff(places) == 1).all())
        if not consecutive or not out.flags.c_contiguous or out.dtype != self._stored:
            return None
        return out[first : first + count]

    def _fill(self, first: int, target: NDArray[Any]) -> None:
        """Fill a contiguous array with the bytes of the file from a row on."""
        content = target.reshape(-1).view(np.uint8).data
        offset, done = self._offset + first * self._bytes, 0
        try:
            while done < len(content):
                count = self._read_at(offset + done, content[done:])
                if not count:
                    raise DataError(f"{self.path} was cut off while it was in use: row {first:,} is not there any more")
                done += count
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror or error}", exit_code=2) from error

    def _read_at(self, offset: int, content: memoryview) -> int:
        if hasattr(os, "preadv"):  # no position that is shared with other threads and processes
            return os.preadv(self._handle, [content], offset)
        with self._lock:
            os.lseek(self._handle, offset, os.SEEK_SET)
            found = os.read(self._handle, len(content))
        content[: len(found)] = found
        return len(found)
