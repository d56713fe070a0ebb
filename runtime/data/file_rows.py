"""Rows of equal length in one stretch of a file, read by position: the arrays of .npy files and of HDF5 datasets.

The file is not mapped into memory: a file that is cut off while it is read is then an error, not the end of the
process, and what has been read does not count as memory of the process.
"""

import os
import weakref
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
        """Read rows that are alone into their places, and neighbouring rows together."""
        whole = self._as_bytes(out)
        starts, stops, firsts, counts = self._runs(rows)
        where = places[starts].tolist()
        for start, stop, first, count, place in zip(
            starts.tolist(), stops.tolist(), firsts.tolist(), counts.tolist(), where, strict=True
        ):
            if whole is not None and stop - start == count and _consecutive(rows[start:stop], places[start:stop]):
                self._fill(first, whole[place * self._bytes : (place + count) * self._bytes])
                continue
            block = np.empty((count, *self.shape[1:]), self._stored)
            self._fill(first, block.reshape(-1).view(np.uint8).data)
            out[places[start:stop]] = block[rows[start:stop] - first]

    def expect(self, rows: Places) -> None:
        """Ask the system to read these rows into its cache, without waiting, where it can."""
        if not hasattr(os, "posix_fadvise"):
            return
        _, _, firsts, counts = self._runs(rows)
        for first, count in zip(firsts.tolist(), counts.tolist(), strict=True):
            where = self._offset + first * self._bytes, count * self._bytes
            os.posix_fadvise(self._handle, *where, os.POSIX_FADV_WILLNEED)

    def _runs(self, rows: Places) -> tuple[Places, Places, Places, Places]:
        """Return what is read together: the starts and stops in `rows`, the first rows and the numbers of rows."""
        if not len(rows):
            return (np.empty(0, np.int64),) * 4
        near, most = 1 + GAP // max(1, self._bytes), max(1, BLOCK // max(1, self._bytes))
        apart = np.flatnonzero((np.diff(rows) > near) | (np.diff(rows // most) > 0)) + 1
        starts, stops = np.concatenate([[0], apart]), np.concatenate([apart, [len(rows)]])
        return starts, stops, rows[starts], rows[stops - 1] - rows[starts] + 1

    def _as_bytes(self, out: NDArray[Any]) -> memoryview | None:
        """Return the bytes of an array if those of the file can be read into them as they are."""
        if not out.flags.c_contiguous or out.dtype != self._stored or not out.size:
            return None
        return out.reshape(-1).view(np.uint8).data

    def _fill(self, first: int, content: memoryview) -> None:
        """Fill some memory with the bytes of the file from a row on."""
        offset, done, size = self._offset + first * self._bytes, 0, len(content)
        try:
            while done < size:
                count = self._read_at(offset + done, content[done:] if done else content)
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


def _consecutive(*sorts: Places) -> bool:
    """Return whether each of these counts up by one: a row that is asked for twice does not."""
    return all(len(places) == 1 or bool((np.diff(places) == 1).all()) for places in sorts)
