"""Read: bytes once, seal, structure, table, numbers; only what has passed all of it is handed on."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nnspec.checkpoints import content, layout, seal, system
from nnspec.checkpoints.content import Array, Checkpoint
from nnspec.checkpoints.errors import FormatError, NotACheckpoint, Refused
from nnspec.checkpoints.migrate import migrate

MAX_BYTES = 2**31
PREVIOUS = ".prev"  # FILE.prev is the version of FILE before the last save

_BLOCK = 2**20  # bytes read at a time where a file is only hashed


@dataclass(frozen=True)
class Summary:
    """What a verified file is: its bytes, format version, the nnspec that wrote it, and how much it holds."""

    size: int
    format_version: int
    program: str
    arrays: int
    texts: int
    numbers: int  # in all arrays together


@dataclass(frozen=True)
class Verified:
    """An image that has passed every check: its seal, the caller's meta, and views of the stored arrays."""

    seal: seal.Seal
    meta: dict[str, Any]
    stored: dict[str, Array]


def examine(image: bytes) -> Verified:
    """Every check that there is, without copying an array. Raises NotACheckpoint, Damaged, Newer or Refused."""
    sealed = seal.check(image)
    stored = {name: place.view(image) for name, place in layout.find_places(image).items()}
    stored_meta = stored.pop(content.META)
    content.check_names(stored)
    for name, array in stored.items():
        if content.is_text(array):
            content.text_of(name, array)
        else:
            content.check_array(name, array)
    if not content.is_text(stored_meta):
        raise Refused("/meta is not a text")
    return Verified(sealed, content.open_meta(stored_meta, stored, sealed.version), stored)


def parse(image: bytes) -> Checkpoint:
    """The checkpoint in the bytes of a file, with arrays of its own that may be written to, migrated to today's format.

    Raises NotACheckpoint, Damaged, Newer or Refused.
    """
    verified = examine(image)
    entries = {
        name: content.text_of(name, array) if content.is_text(array) else array.copy()
        for name, array in sorted(verified.stored.items())
    }
    return migrate(Checkpoint(verified.meta, entries), verified.seal.version)


def read(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Checkpoint:
    """The checkpoint in a file, once every byte of it is known to be as it was written.

    Raises NotACheckpoint, Damaged, Newer or Refused, each with the path and, in `help`, whether FILE.prev is whole;
    OSError where the file cannot be opened or read.
    """
    with _about(path):
        return parse(_read_bytes(path, max_bytes))


def verify(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Summary:
    """Check a file as `read` does, raising what it raises, and tell what it is."""
    with _about(path):
        image = _read_bytes(path, max_bytes)
        verified = examine(image)
    arrays = [array for array in verified.stored.values() if not content.is_text(array)]
    return Summary(
        size=len(image),
        format_version=verified.seal.version,
        program=verified.seal.program,
        arrays=len(arrays),
        texts=len(verified.stored) - len(arrays),
        numbers=sum(array.size for array in arrays),
    )


def comparable(image: bytes) -> bytes:
    """The bytes of a file with the seal and the texts under run/ blanked: those of two equal runs are equal.

    Raises what `parse` raises.
    """
    seal.check(image)
    blanked = bytearray(image)
    blanked[: seal.SIZE] = bytes(seal.SIZE)
    for name, place in layout.find_places(image).items():
        if name.startswith("run/"):
            blanked[place.offset : place.offset + place.size] = bytes(place.size)
    return bytes(blanked)


def is_whole(path: str) -> bool:
    """Whether a file's seal is right, found without holding more than a block of it in memory."""
    try:
        with _opened(path) as (handle, size):
            sealed = seal.open_block(system.read(handle, seal.SIZE))
            digest = hashlib.sha256()
            while block := system.read(handle, _BLOCK):
                digest.update(block)
            return size == sealed.length and digest.hexdigest() == sealed.sha256
    except (FormatError, OSError):
        return False


@contextmanager
def _about(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever is wrong inside is told with the path, and with FILE.prev where that is whole."""
    try:
        yield
    except FormatError as error:
        former = os.fspath(path) + PREVIOUS
        raise error.about(os.fspath(path), former if is_whole(former) else "") from error.__cause__


def _read_bytes(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """All bytes of a regular file of at most `max_bytes`, read once."""
    with _opened(os.fspath(path)) as (handle, size):
        if size > max_bytes:
            raise Refused(f"it has {size} bytes, and at most {max_bytes} are read")
        image = system.read(handle, size)
        while len(image) < size and (more := system.read(handle, size - len(image))):
            image += more  # a system may hand over less at a time (Linux: 2 GiB)
    return image


@contextmanager
def _opened(path: str) -> Iterator[tuple[int, int]]:
    """The handle and the size of a regular file; a pipe or a device never makes anyone wait."""
    with system.opened(path, os.O_RDONLY | os.O_NONBLOCK) as handle:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise NotACheckpoint("not an nnspec checkpoint (it is a folder or a device, not a file)")
        yield handle, status.st_size
