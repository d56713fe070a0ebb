"""NumPy arrays in files of their own (.npy): samples are read as they are needed where the file is large."""

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nnspec.runtime.data.array_likes import in_memory_or_stored, most_in_memory, stored_note
from nnspec.runtime.data.file_rows import FileRows
from nnspec.runtime.data.files import first_bytes, looks_like, open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples, numbered_places
from nnspec.runtime.data.sources.npz import read_array
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary import file_sources as words


def read_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, whether the order is Fortran's, and the type. A damaged header may raise any exception."""
    version = npy_format.read_magic(file)
    header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if any(type(axis) is not int or axis < 0 for axis in shape):
        raise ValueError(f"{shape} is no shape")
    return shape, fortran, dtype


def open_array(path: Path) -> NDArray[Any]:
    """Return the array of an .npy file, in memory, or as a StoredArray where it is larger than NNSPEC_DATA_MEMORY.

    Raises DataError where the file is missing, is not .npy, is shorter than its header says, or holds Python objects.
    """
    head = first_bytes(path)
    if not head.startswith(npy_format.MAGIC_PREFIX):
        raise DataError(f"{path} is not a NumPy array (.npy): it seems to be {looks_like(head)}")
    with open_for_reading(path) as file:
        try:
            shape, fortran, dtype = read_header(file)
        except Exception as error:  # a damaged header may fail anywhere in NumPy's parser
            raise DataError(f"{path} has a damaged header: {error}") from None
        if dtype.kind not in "buif" or not shape:
            return read_array(path)
        rows = FileRows(path, os.dup(file.fileno()), file.tell(), shape, dtype)
        needed, size = file.tell() + dtype.itemsize * int(np.prod(shape, dtype=object)), os.fstat(file.fileno()).st_size
    if needed > size:
        by = "x".join(map(str, shape))
        raise DataError(f"{path} is cut off: its header announces {by} numbers, {needed:,} bytes, and it has {size:,}")
    if not fortran or len(shape) == 1:
        return in_memory_or_stored(rows)
    if needed <= most_in_memory():
        return read_array(path)
    raise DataError(
        f"{path} is in Fortran order, so that its samples are spread over the whole file, and it is too large for "
        "memory: save np.ascontiguousarray(x)"
    )


@reads(words.Npy)
def load_npy(word: words.Npy, folder: Path) -> Samples:
    """Read the samples and the targets of the files, and those of the test split if the word names one."""
    test = None
    if word.test is not None and word.test_y is not None:
        test = _samples(folder / word.test, folder / word.test_y, None)
    groups = read_array(folder / word.group) if word.group is not None else None
    return _samples(folder / word.path, folder / word.y, test, groups)


def _samples(x: Path, y: Path, test: Samples | None, groups: NDArray[Any] | None = None) -> Samples:
    inputs = open_array(x)
    notes = stored_note(x.name, inputs)
    return Samples(x.name, inputs, read_array(y), numbered_places(str(x)), test, groups=groups, notes=notes)
