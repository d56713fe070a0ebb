"""The HDF5 side: build an image in memory from named arrays, and locate each array in an image.

The walk over an image refuses everything outside the format before it is followed, opened or allocated. HDF5 provides
only the offset, shape and type of each dataset; the numbers are read from the image itself.
"""

import io
import math
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from h5py import h5d, h5f, h5fd, h5g, h5l, h5o, h5p, h5s, h5t

from nnspec.checkpoints import seal
from nnspec.checkpoints.content import MAX_NAME_PARTS, META, NUMBERS, Array, check_part, is_text
from nnspec.checkpoints.errors import Refused

_NUMBER_TYPES = {dtype: h5t.py_create(np.dtype(dtype)) for dtype in NUMBERS}

_LINKS = h5p.create(h5p.LINK_CREATE)
_LINKS.set_char_encoding(h5t.CSET_UTF8)
_GROUPS = h5p.create(h5p.GROUP_CREATE)
_GROUPS.set_obj_track_times(False)
_DATASETS = h5p.create(h5p.DATASET_CREATE)
_DATASETS.set_obj_track_times(False)
_DATASETS.set_layout(h5d.CONTIGUOUS)
_DATASETS.set_fill_time(h5d.FILL_TIME_NEVER)

_SUPERBLOCK = struct.Struct("<8sBBBBQQQ")  # signature, version, two sizes, flags, base, extension, end of file
_STRUCTURE, _STRUCTURE_OF_ONE = 16_384, 2_048  # upper bounds in bytes of what HDF5 adds: in all, and for each dataset
_MAX_OBJECTS = 2**16  # groups and datasets; the table of /meta cannot list more
_NOWHERE = 2**64 - 1
_LARGEST = 2**63 - 1  # bytes of an array, extents of 0 not counted


@dataclass(frozen=True)
class DatasetLocation:
    """The bytes of one dataset in the image: `offset` from its first byte, `size` in bytes."""

    offset: int
    size: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def view(self, image: bytes) -> Array:
        """Return the stored array: a read-only view, not a copy."""
        if not self.size:
            return np.empty(self.shape, self.dtype)
        count = self.size // self.dtype.itemsize
        return np.frombuffer(image, self.dtype, count, self.offset).reshape(self.shape)


def build_image(stored: Mapping[str, Array]) -> io.BytesIO:
    """Return an HDF5 file in memory with one dataset for each entry, its first 512 bytes left empty for the seal.

    Datasets are created in the order of the mapping. The same entries in the same order give the same bytes: no times
    are stored, every byte of a dataset is written, and nothing depends on the process.
    """
    room = sum(array.nbytes for array in stored.values()) + _STRUCTURE + _STRUCTURE_OF_ONE * len(stored)
    file = _PreallocatedFile(room)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_fileobj_driver(h5fd.fileobj_driver, file)
    creation = h5p.create(h5p.FILE_CREATE)
    creation.set_userblock(seal.SIZE)
    creation.set_obj_track_times(False)
    groups = {"": h5f.create(b"checkpoint", h5f.ACC_TRUNC, creation, access)}
    for name, array in stored.items():
        folder, _, last = name.rpartition("/")
        _create_dataset(_group(groups, folder), last, array)
    for group in groups.values():
        group.close()
    file.trim()
    return file


class _PreallocatedFile(io.BytesIO):
    """A file in memory that is allocated at once: growing a BytesIO takes an eighth more memory than the file needs.

    Its end is after the last byte written; `trim` releases the rest.
    """

    def __init__(self, room: int) -> None:
        super().__init__(bytes(room))
        self._end = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return super().seek(self._end + offset) if whence == os.SEEK_END else super().seek(offset, whence)

    def write(self, data: Any) -> int:
        written = super().write(data)
        self._end = max(self._end, self.tell())
        return written

    def truncate(self, size: int | None = None) -> int:
        self._end = self.tell() if size is None else size
        return self._end

    def trim(self) -> None:
        super().truncate(self._end)


def _group(groups: dict[str, Any], path: str) -> Any:
    """Return the group at `path`; create it and its parents where they are missing."""
    if path not in groups:
        outer, _, last = path.rpartition("/")
        groups[path] = h5g.create(_group(groups, outer), last.encode(), lcpl=_LINKS, gcpl=_GROUPS)
    return groups[path]


def _create_dataset(group: Any, name: str, array: Array) -> None:
    space = h5s.create_simple(array.shape) if array.shape else h5s.create(h5s.SCALAR)
    dtype = _text_type(array.dtype.itemsize) if is_text(array) else _NUMBER_TYPES[array.dtype.str]
    dataset = h5d.create(group, None, dtype, space, _DATASETS)
    dataset.write(h5s.ALL, h5s.ALL, array, dtype)
    h5o.link(dataset, group, name.encode(), lcpl=_LINKS)
    dataset.close()


def _text_type(size: int) -> Any:
    dtype = h5t.C_S1.copy()
    dtype.set_size(size)
    dtype.set_strpad(h5t.STR_NULLPAD)
    dtype.set_cset(h5t.CSET_UTF8)
    return dtype


def locate_datasets(image: bytes) -> dict[str, DatasetLocation]:
    """Return every dataset of a sealed image by name. Raises Refused for anything that FORMAT.md does not allow.

    Call it only with an image whose seal is right. An image that HDF5 cannot read is Refused as well.
    """
    _check_superblock(image)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fileobj_driver(h5fd.fileobj_driver, io.BytesIO(image))
    try:
        file = h5f.open(b"checkpoint", h5f.ACC_RDONLY, access)
        try:
            locations = dict(_walk(file))
        finally:
            file.close()
    except Refused:
        raise
    except Exception as error:  # h5py raises many types for an error of HDF5
        raise Refused(f"HDF5 cannot read its structure: {error}") from error
    check_locations(locations, len(image))
    if META not in locations:
        raise Refused("it has no /meta")
    return locations


def _check_superblock(image: bytes) -> None:
    """Refuse any superblock but that of FORMAT.md, without an extension: HDF5 then follows the tree alone."""
    expected = (b"\x89HDF\r\n\x1a\n", 3, 8, 8, 0, seal.SIZE, _NOWHERE, len(image))
    if len(image) < seal.SIZE + _SUPERBLOCK.size or _SUPERBLOCK.unpack_from(image, seal.SIZE) != expected:
        raise Refused("its HDF5 superblock is not the one that the format requires")


def _walk(root: Any) -> Iterator[tuple[str, DatasetLocation]]:
    """Yield name and location of every dataset, link by link; no name is resolved as a path."""
    seen: set[int] = set()
    waiting = [("", root)]
    while waiting:
        folder, group = waiting.pop()
        _check_object(folder or "/", group, seen)
        links: list[bytes] = []
        group.links.iterate(links.append)
        if not links:
            raise Refused(f"{folder or '/'} is an empty group")
        for link in links:
            name = _link_name(folder, link)
            if group.links.get_info(link).type != h5l.TYPE_HARD:
                raise Refused(f"{name} is a soft or external link")
            found = h5o.open(group, link)
            if isinstance(found, h5g.GroupID):
                waiting.append((name, found))
            elif isinstance(found, h5d.DatasetID):
                _check_object(name, found, seen)
                yield name, _location(name, found)
            else:
                raise Refused(f"{name} is neither a group nor a dataset")


def _link_name(folder: str, link: bytes) -> str:
    try:
        part = link.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"a name in {folder or '/'} is not UTF-8") from error
    check_part(part)
    name = f"{folder}/{part}" if folder else part
    if name.count("/") >= MAX_NAME_PARTS:
        raise Refused(f"{name[:80]}… is more than {MAX_NAME_PARTS} deep")
    return name


def _check_object(name: str, found: Any, seen: set[int]) -> None:
    info = h5o.get_info(found)
    if info.addr in seen:
        raise Refused(f"{name} is the same object as another name")
    seen.add(info.addr)
    if len(seen) > _MAX_OBJECTS:
        raise Refused(f"it holds more than {_MAX_OBJECTS} groups and datasets")
    if info.num_attrs:
        raise Refused(f"{name} has attributes")


def _location(name: str, dataset: Any) -> DatasetLocation:
    """Return where a dataset is, after checking that its layout is contiguous and its size agrees with its shape."""
    creation = dataset.get_create_plist()
    if creation.get_layout() != h5d.CONTIGUOUS:
        raise Refused(f"{name} is not stored contiguously (chunked, compact or virtual)")
    if creation.get_external_count():
        raise Refused(f"{name} keeps its numbers in another file")
    if creation.get_nfilters():
        raise Refused(f"{name} is stored through a filter")
    dtype = _dtype(name, dataset.get_type())
    space = dataset.get_space()
    if space.get_simple_extent_type() not in (h5s.SCALAR, h5s.SIMPLE):
        raise Refused(f"{name} has no shape")
    shape = space.get_simple_extent_dims()
    if dtype.kind == "S" and shape:
        raise Refused(f"{name} is an array of texts")
    if math.prod(extent or 1 for extent in shape) * dtype.itemsize > _LARGEST:
        raise Refused(f"{name} has a shape that no array can have")
    size = math.prod(shape) * dtype.itemsize
    if size != dataset.get_storage_size():
        raise Refused(f"{name} has {dataset.get_storage_size()} bytes, and its shape requires {size}")
    return DatasetLocation(dataset.get_offset() or 0, size, dtype, shape)


def _dtype(name: str, found: Any) -> np.dtype[Any]:
    """Return the NumPy type of a stored type: one of the five numbers, or a fixed-length UTF-8 text."""
    if not found.committed():
        for dtype, number in _NUMBER_TYPES.items():
            if found.equal(number):
                return np.dtype(dtype)
        if found.equal(_text_type(found.get_size())):
            return np.dtype(f"S{found.get_size()}")
    raise Refused(f"{name} has a type that the format does not have")


def check_locations(locations: Mapping[str, DatasetLocation], length: int) -> None:
    """Raise Refused unless every dataset is after the seal in an image of `length` bytes and no two share bytes.

    Together they are then never larger than the file.
    """
    end = seal.SIZE
    for name, location in sorted(locations.items(), key=lambda item: item[1].offset):
        if not location.size:
            continue
        if not seal.SIZE <= location.offset <= length - location.size:
            raise Refused(f"{name} is not inside the file")
        if location.offset < end:
            raise Refused(f"{name} shares bytes with another dataset")
        end = location.offset + location.size
