"""HDF5 files: datasets x and y, and x_test and y_test if they are there; large ones are read as they are needed.

Only what is stored in the file itself is read: links are not followed, and datasets whose numbers are in other files
are refused.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5s, h5t
from numpy.typing import NDArray

from nnspec.runtime.data.array_likes import Places, RowReader, in_memory_or_stored, stored_note
from nnspec.runtime.data.file_rows import BLOCK, GAP, FileRows
from nnspec.runtime.data.files import first_bytes, looks_like, open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples, numbered_places
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near
from nnspec.spec_lang.vocabulary import file_sources as words

_CHUNK_CACHE = 2**26  # bytes of decoded chunks that HDF5 keeps
_RATIO = 2000  # no filter of HDF5 makes a number of bytes smaller than by this factor
_MOST_LISTED = 20


class DatasetRows(RowReader):
    """Rows of a dataset that HDF5 must decode: chunked, compressed, or of a type that is converted."""

    def __init__(self, path: Path, dataset: Any):
        self.path = path
        self.shape = dataset.shape
        self.dtype = dataset.dtype.newbyteorder("=")
        self._dataset = dataset  # keeps the file open
        self._type = h5t.py_create(self.dtype)
        row = max(1, dataset.dtype.itemsize * int(np.prod(self.shape[1:], dtype=object)))
        self._most = max(1, BLOCK // row)
        self._near = 1 + GAP // row
        self._chunk = dataset.chunks[0] if dataset.chunks else 1

    def read(self, rows: Places, out: NDArray[Any], places: Places) -> None:
        """Read neighbouring rows together, and those of one chunk, which is decoded once."""
        if not len(rows):
            return
        chunks = rows // self._chunk
        apart = (np.diff(rows) > self._near) & (np.diff(chunks) > 0)
        apart |= (np.diff(rows // self._most) > 0) & (np.diff(chunks) > 0)
        bounds = [0, *(np.flatnonzero(apart) + 1).tolist(), len(rows)]
        with _translated(self.path):
            for start, stop in pairwise(bounds):
                first, count = int(rows[start]), int(rows[stop - 1] - rows[start]) + 1
                block = np.empty((count, *self.shape[1:]), self.dtype)
                self._fill(first, block)
                out[places[start:stop]] = block[rows[start:stop] - first]

    def _fill(self, first: int, block: NDArray[Any]) -> None:
        """Read consecutive rows; `read_direct` would take five times as long for a small one."""
        space = self._dataset.id.get_space()
        space.select_hyperslab((first, *(0,) * (block.ndim - 1)), block.shape)
        self._dataset.id.read(h5s.create_simple(block.shape), space, block, self._type)


@reads(words.Hdf5)
def load_hdf5(word: words.Hdf5, folder: Path) -> Samples:
    """Read the datasets that the word names; those of the test split have the same names with _test appended."""
    path = folder / word.path
    file = open_file(path)
    x_test, y_test = f"{word.x}_test", f"{word.y}_test"
    inputs, targets = _samples(path, file, word.x), _whole(path, file, word.y)
    groups = _whole(path, file, word.group) if word.group is not None else None
    has_x, has_y = (_link(file, name) is not None for name in (x_test, y_test))
    if has_x != has_y:
        have, lack = (x_test, y_test) if has_x else (y_test, x_test)
        raise DataError(f'{path} has "{have}" and no "{lack}": a test split needs both')
    test = None
    if has_x:
        test_inputs, place = _samples(path, file, x_test), numbered_places(f"{path}, {y_test}")
        test = Samples(f"{path.name} (test)", test_inputs, _whole(path, file, y_test), place)
    notes = stored_note(path.name, inputs)
    return Samples(
        path.name,
        inputs,
        targets,
        numbered_places(str(path)),
        test,
        groups=groups,
        column=lambda name: _whole(path, file, name),
        notes=notes,
    )


def open_file(path: Path) -> Any:
    """Open an HDF5 file for reading. Raises DataError where it is missing, no regular file, or not HDF5."""
    head = first_bytes(path)
    if not h5py.is_hdf5(path):
        raise DataError(f"{path} is not an HDF5 file: it seems to be {looks_like(head)}")
    with _translated(path):
        return h5py.File(path, "r", rdcc_nbytes=_CHUNK_CACHE, rdcc_nslots=10_007)


def _samples(path: Path, file: Any, name: str) -> NDArray[Any]:
    """Return the numbers of a dataset, in memory or as a StoredArray."""
    dataset = _dataset(path, file, name)
    if dataset.dtype.kind not in "buif" or dataset.dtype.subdtype is not None:
        raise DataError(f'the dataset "{name}" in {path} is {dataset.dtype}: samples must be numbers')
    with _translated(path):
        return in_memory_or_stored(_as_stretch(path, dataset) or DatasetRows(path, dataset))


def _as_stretch(path: Path, dataset: Any) -> FileRows | None:
    """Return a reader of the file's own bytes where a dataset is one stretch of them, else None."""
    offset = dataset.id.get_offset()
    if dataset.chunks is not None or offset is None or not len(dataset) or dataset.dtype.kind == "b":
        return None
    with open_for_reading(path) as file:
        if offset + dataset.nbytes > os.fstat(file.fileno()).st_size:
            raise DataError(f"{path} is cut off: it ends within a dataset")
        rows = FileRows(path, os.dup(file.fileno()), offset, dataset.shape, dataset.dtype)
    ends = np.array([0, len(dataset) - 1])
    found = np.empty((2, *dataset.shape[1:]), rows.dtype)
    rows.read(ends, found, np.arange(2))
    same = all(found[i].tobytes() == dataset[row].astype(rows.dtype).tobytes() for i, row in enumerate(ends.tolist()))
    return rows if same else None


def _whole(path: Path, file: Any, name: str) -> NDArray[Any]:
    """Return the numbers or texts of a dataset, in memory."""
    dataset = _dataset(path, file, name)
    with _translated(path):
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return np.asarray(dataset.asstr()[...]).astype(str)
        if dataset.dtype.kind not in "buifS":
            raise DataError(f'the dataset "{name}" in {path} is {dataset.dtype}: targets must be numbers or text')
        return np.asarray(dataset[...])


def _dataset(path: Path, file: Any, name: str) -> Any:
    """Return a dataset by the names of its groups and its own. Raises DataError where it is not in the file itself."""
    with _translated(path):
        found = _link(file, name)
        if found is None:
            names = list(_names(file))
            close = near(name, names)
            shown = ", ".join(names[:_MOST_LISTED]) + (", …" if len(names) > _MOST_LISTED else "") or "no datasets"
            hint = f'; did you mean "{close}"?' if close else ""
            raise DataError(f'{path} has no dataset "{name}": it holds {shown}{hint}')
        if not isinstance(found, h5py.HardLink):
            raise DataError(
                f'"{name}" in {path} is, or is behind, a link{_target(found)}, and links are not followed: name the '
                "dataset itself"
            )
        dataset = file[name]
        if not isinstance(dataset, h5py.Dataset):
            inside = ", ".join(list(_names(dataset))[:_MOST_LISTED]) if isinstance(dataset, h5py.Group) else ""
            kind = f"a group, which holds {inside or 'nothing'}" if isinstance(dataset, h5py.Group) else "a type"
            raise DataError(f'"{name}" in {path} is {kind}: name a dataset, as group/dataset')
        creation = dataset.id.get_create_plist()
        if creation.get_layout() == h5d.VIRTUAL or creation.get_external_count():
            raise DataError(f'the numbers of "{name}" in {path} are in other files, which are not read: copy them in')
        if not dataset.shape:
            raise DataError(f'the dataset "{name}" in {path} is a single value: give one row for each sample')
        stored = dataset.id.get_storage_size()
        if dataset.nbytes > _RATIO * stored:
            raise DataError(
                f'the dataset "{name}" in {path} claims {dataset.nbytes:,} bytes and has {stored:,}: it was never '
                "written, or is damaged"
            )
        return dataset


def _link(file: Any, name: str) -> Any:
    """Return the link to an object, the first that is not a hard link on the way to it, or None where there is none."""
    group, link = file, None
    parts = [part for part in name.split("/") if part]
    for index, part in enumerate(parts):
        link = group.get(part, getlink=True) if part in group or part in list(group) else None
        if not isinstance(link, h5py.HardLink) or index == len(parts) - 1:
            return link
        group = group[part]
        if not isinstance(group, h5py.Group):
            return None
    return link


def _target(link: Any) -> str:
    inside, path = getattr(link, "path", None), getattr(link, "filename", None)
    return f" to {path}:{inside}" if path is not None else f" to {inside}" if inside is not None else ""


def _names(group: Any) -> Iterator[str]:
    """Yield the names of the datasets below a group, at most one more than are listed; no link is followed."""
    found: list[str] = []

    def visit(name: str, item: Any) -> bool | None:
        if isinstance(item, h5py.Dataset):
            found.append(name)
        return True if len(found) > _MOST_LISTED else None

    group.visititems(visit)
    yield from found


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise what HDF5 raises, an error of many types, as DataError."""
    try:
        yield
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{path} claims a dataset larger than memory: it is damaged") from None
    except Exception as error:
        raise DataError(f"{path} cannot be read: {error}") from None
