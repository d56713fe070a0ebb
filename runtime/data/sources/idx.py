"""IDX files, plain or gzipped: the format of MNIST (http://yann.lecun.com/exdb/mnist).

A file has two zero bytes, a type, the number of axes, the size of each axis in 4 bytes, then the numbers, all
big-endian.
"""

import gzip
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.array_likes import in_memory_or_stored, kept_in_memory, stored_note
from nnspec.runtime.data.file_rows import FileRows
from nnspec.runtime.data.files import looks_like, open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples, numbered_places
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary import data as words

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 8
_GZIP_RATIO = 1040  # deflate never expands one byte to more than 1032
_BLOCK = 2**22  # bytes read at a time


def read_idx(path: Path) -> NDArray[Any]:
    """Return the array of an IDX file, plain or gzipped, in native byte order.

    Raises DataError where the file is missing, is not IDX, is shorter or longer than its header says, or has a damaged
    gzip stream. Memory is allocated only for a size that the file can hold.
    """
    return _array(path, False)


def _array(path: Path, stored: bool) -> NDArray[Any]:
    """Return the array of a file; with `stored`, a StoredArray where a plain file is too large for memory."""
    with open_for_reading(path) as file:
        zipped = file.read(2) == b"\x1f\x8b"
        size = file.seek(0, 2)
        file.seek(0)
        if not zipped and stored:
            shape, dtype, length = _header(file, path, size)
            if file.tell() + length == size and not kept_in_memory(length):
                return in_memory_or_stored(FileRows(path, os.dup(file.fileno()), file.tell(), shape, dtype))
            file.seek(0)
        if not zipped:
            return _read(file, path, size)
        try:
            with gzip.GzipFile(fileobj=file) as unzipped:
                return _read(cast("BinaryIO", unzipped), path, size * _GZIP_RATIO)
        except EOFError:
            raise DataError(f"{path} is cut off: its gzip stream ends early; fetch it again") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"{path} is damaged: {error}; fetch it again") from None


def _header(file: BinaryIO, path: Path, most: int) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return the shape, the type and the bytes of the numbers that follow a header."""
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\x00\x00" or head[2] not in _TYPES or not 1 <= head[3] <= _MOST_AXES:
        seems = looks_like(head + file.read(508))
        raise DataError(f"{path} is not an IDX file: it seems to be {seems}")
    sizes = file.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise DataError(f"{path} is cut off: it ends within its header")
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    dtype = np.dtype(_TYPES[head[2]])
    length = dtype.itemsize
    for axis in shape:
        length *= axis
    if length > most:
        by = "x".join(map(str, shape))
        raise DataError(f"{path} is cut off: its header announces {by} numbers, more than the file can hold")
    return shape, dtype, length


def _read(file: BinaryIO, path: Path, most: int) -> NDArray[Any]:
    shape, dtype, length = _header(file, path, most)
    by = "x".join(map(str, shape))
    try:
        content = np.empty(length, np.uint8)
    except MemoryError:
        raise DataError(f"{path} announces {by} numbers, more than this machine's memory: it is damaged") from None
    filled = 0
    while filled < length:
        count = cast("Any", file).readinto(content[filled : filled + _BLOCK].data)
        if not count:
            raise DataError(f"{path} is cut off: it holds {filled:,} of the {length:,} bytes that its header announces")
        filled += count
    if file.read(1):
        raise DataError(f"{path} is longer than its header says ({by} numbers): it is damaged, or not an IDX file")
    array = content.view(dtype).reshape(shape)
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


def read_pair(images: Path, labels: Path, stored: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return images (samples, …) and their labels (samples,). Raises DataError where the two files do not match.

    With `stored`, the images are a StoredArray where a plain file is larger than NNSPEC_DATA_MEMORY.
    """
    inputs, targets = _array(images, stored), read_idx(labels)
    if inputs.ndim < 2:
        raise DataError(
            f"{images} holds a single row of {len(inputs):,} numbers, as a file of labels does; name the file "
            "of the images"
        )
    if targets.ndim != 1:
        by = "x".join(map(str, targets.shape))
        raise DataError(f"{labels} holds {by} numbers: labels are a single row")
    if len(inputs) != len(targets):
        raise DataError(
            f"{images} has {len(inputs):,} images and {labels} {len(targets):,} labels: they belong to different splits"
        )
    return inputs, targets


@reads(words.Idx)
def load_idx(word: words.Idx, folder: Path) -> Samples:
    """Read the images and labels of the files, and those of the test split if the word names one."""
    test = None
    if word.test is not None and word.test_labels is not None:
        test = _samples(folder / word.test, folder / word.test_labels, None)
    return _samples(folder / word.path, folder / word.labels, test)


def _samples(images: Path, labels: Path, test: Samples | None) -> Samples:
    inputs, targets = read_pair(images, labels, stored=True)
    place, notes = numbered_places(f"{images} with {labels.name}"), stored_note(images.name, inputs)
    return Samples(images.name, inputs, targets, place, test, notes=notes)
