"""Reading: the bytes once, then seal, structure, table and numbers; only what passes every check is returned."""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nnspec.checkpoints import content, seal, system
from nnspec.checkpoints.content import Array, Checkpoint
from nnspec.checkpoints.errors import FormatError, NotACheckpoint, Refused
from nnspec.checkpoints.migrate import migrate

MAX_BYTES = 2**31
PREVIOUS = ".prev"  # FILE.prev is FILE as it was before the last save

_BLOCK = 2**20  # bytes read at a time when a file is only hashed


@dataclass(frozen=True)
class Summary:
    """A verified file: its size in bytes, format version, the nnspec that wrote it, and what it holds."""

    size: int
    format_version: int
    program: str
    arrays: int
    texts: int
    numbers: int  # the sizes of all arrays together


@dataclass(frozen=True)
class CheckedImage:
    """An image that has passed every check: its seal, the caller's meta, and views of the stored arrays."""

    seal: seal.Seal
    meta: dict[str, Any]
    stored: dict[str, Array]


def check_image(
    image: bytes, computed: seal.Seal | None = None, digest: content.Digest = content.sha256_of
) -> CheckedImage:
    """Run every check without copying an array. Raises NotACheckpoint, Damaged, Newer or Refused.

    `computed` is the seal where it was computed from these very bytes: they are then not hashed again. `digest` may
    remember entries.
    """
    from nnspec.checkpoints import layout  # HDF5: programs that train on arrays never need it

    sealed = seal.check_seal(image) if computed is None else computed
    stored = {name: location.view(image) for name, location in layout.locate_datasets(image).items()}
    stored_meta = stored.pop(content.META)
    content.check_names(stored)
    for name, array in stored.items():
        if content.is_text(array):
            content.text_of(name, array)
        else:
            content.check_array(name, array)
    if not content.is_text(stored_meta):
        raise Refused("/meta is not a text")
    return CheckedImage(sealed, content.open_meta(stored_meta, stored, sealed.version, digest), stored)


def from_bytes(image: bytes) -> Checkpoint:
    """Return the checkpoint in the bytes of a file, migrated to the latest format. Its arrays are writable copies.

    Raises NotACheckpoint, Damaged, Newer or Refused.
    """
    checked = check_image(image)
    entries = {
        name: content.text_of(name, array) if content.is_text(array) else array.copy()
        for name, array in sorted(checked.stored.items())
    }
    return migrate(Checkpoint(checked.meta, entries), checked.seal.version)


def read(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Checkpoint:
    """Return the checkpoint in a file, after checking that every byte is as it was written.

    Raises NotACheckpoint, Damaged, Newer or Refused, each with the path and, in `help`, whether FILE.prev is whole;
    OSError if the file cannot be opened or read.
    """
    with _about(path):
        return from_bytes(_read_bytes(path, max_bytes))


def verify(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Summary:
    """Check a file as `read` does, raising what it raises, and return a summary."""
    with _about(path):
        image = _read_bytes(path, max_bytes)
        checked = check_image(image)
    arrays = [array for array in checked.stored.values() if not content.is_text(array)]
    return Summary(
        size=len(image),
        format_version=checked.seal.version,
        program=checked.seal.program,
        arrays=len(arrays),
        texts=len(checked.stored) - len(arrays),
        numbers=sum(array.size for array in arrays),
    )


def comparable(image: bytes) -> bytes:
    """Return the bytes of a file with the seal and the texts under run/ blanked. For equal runs they are equal.

    Raises what `from_bytes` raises.
    """
    from nnspec.checkpoints import layout

    seal.check_seal(image)
    blanked = bytearray(image)
    blanked[: seal.SIZE] = bytes(seal.SIZE)
    for name, location in layout.locate_datasets(image).items():
        if name.startswith("run/"):
            blanked[location.offset : location.offset + location.size] = bytes(location.size)
    return bytes(blanked)


def is_whole(path: str) -> bool:
    """Whether a file's seal is right, without holding more than one block of the file in memory."""
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
    """Add to an error inside the path, and FILE.prev if that is whole."""
    try:
        yield
    except FormatError as error:
        former = os.fspath(path) + PREVIOUS
        raise error.about(os.fspath(path), former if is_whole(former) else "") from error.__cause__


def _read_bytes(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Return the bytes of a regular file of at most `max_bytes`, read once."""
    with _opened(os.fspath(path)) as (handle, size):
        if size > max_bytes:
            raise Refused(f"it has {size} bytes, and at most {max_bytes} are read")
        image = system.read(handle, size)
        while len(image) < size and (more := system.read(handle, size - len(image))):
            image += more  # one call may return less than asked for (Linux: 2 GiB at most)
    return image


@contextmanager
def _opened(path: str) -> Iterator[tuple[int, int]]:
    """Yield the handle and the size of a regular file, without waiting for a pipe or a device."""
    with system.open_file(path, system.READ) as handle:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise NotACheckpoint("not an nnspec checkpoint (it is a folder or a device, not a file)")
        yield handle, status.st_size
