"""Write: build the whole file in memory, put it down beside the old one, prove it, only then let it take the name.

At every instant the name FILE stands for a whole file, the old or the new. An error at any step leaves FILE and
FILE.prev as they were.
"""

import contextlib
import errno
import hashlib
import os

from nnspec.checkpoints import content, layout, seal, system
from nnspec.checkpoints.content import Array, Checkpoint
from nnspec.checkpoints.errors import FormatError, Refused, SaveFailed
from nnspec.checkpoints.locking import temporary
from nnspec.checkpoints.reading import MAX_BYTES, PREVIOUS, examine, is_whole
from nnspec.checkpoints.system import told_as_save_failed

_BLOCK = 2**20  # bytes copied or compared at a time
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def build(checkpoint: Checkpoint, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of the file that holds a checkpoint, sealed. Equal checkpoints give equal bytes.

    Raises Refused for what the format cannot hold: names, kinds, NaN and Inf, or more than `max_bytes`.
    """
    content.check_names(checkpoint.entries)
    in_order = sorted(checkpoint.entries, key=lambda name: (name.startswith("run/"), name))
    stored = {name: content.to_stored(name, checkpoint.entries[name]) for name in in_order}
    _check_size(sum(array.nbytes for array in stored.values()), max_bytes)
    meta: dict[str, Array] = {content.META: content.meta_text(checkpoint.meta, stored, seal.FORMAT_VERSION)}
    file = layout.build_image(meta | stored)
    with file.getbuffer() as image:
        digest, length = hashlib.sha256(image[seal.SIZE :]).hexdigest(), len(image)
    _check_size(length, max_bytes)
    program = str(checkpoint.meta.get("program_version", "unknown"))
    file.seek(0)
    file.write(seal.Seal(seal.FORMAT_VERSION, program, length, digest).block())
    return file.getvalue()


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise Refused(f"it has {size} bytes, and a checkpoint at most {max_bytes}")


def write(
    path: str | os.PathLike[str], checkpoint: Checkpoint, keep_previous: bool = True, max_bytes: int = MAX_BYTES
) -> None:
    """Make FILE hold the checkpoint, or leave everything as it was. When it returns, the new file is on the disk.

    The former FILE becomes FILE.prev, where `keep_previous` and where it is whole (a damaged one never replaces a whole
    one). Raises Refused as `build` does, before the disk is touched, and SaveFailed for an error of the system.
    """
    path = os.fspath(path)
    try:
        image = build(checkpoint, max_bytes)
        examine(image)
    except FormatError as error:
        raise error.about(path) from error.__cause__
    new, former = temporary(path), temporary(path)
    try:
        with contextlib.ExitStack() as held:  # the lock on the new file, by which a sweep knows that it is in use
            with told_as_save_failed(path, f"writing {new}"):
                handle = held.enter_context(system.opened(new, _NEW_FILE))
                system.try_lock(handle)
                system.write_all(handle, image)
                system.fsync(handle)
            with told_as_save_failed(path, f"reading {new} back"):
                whole = _reads_back(handle, image)
            if not whole:
                raise SaveFailed(path, f"reading {new} back: it differs from what was written")
            _take_the_name(path, new, former, keep_previous)
    finally:
        for leftover in (new, former):
            with contextlib.suppress(OSError):
                system.unlink(leftover)


def _reads_back(handle: int, image: bytes) -> bool:
    """Whether the file holds the image and nothing else, compared a block at a time."""
    written, at = memoryview(image), 0
    while block := system.pread(handle, _BLOCK, at):
        if block != written[at : at + len(block)]:
            return False
        at += len(block)
    return at == len(image)


def _take_the_name(path: str, new: str, former: str, keep_previous: bool) -> None:
    """Let `new` become FILE, and FILE become FILE.prev by way of the name `former`.

    The old file keeps a name throughout, and FILE.prev changes only once the new file is on the disk: until then
    everything can be put back.
    """
    with told_as_save_failed(path, f"keeping the former file as {former}"):
        exists = _give_second_name(path, former)
    keep_previous = keep_previous and exists and is_whole(former)
    with told_as_save_failed(path, f"giving {new} its name"):
        system.replace(new, path)
    try:
        with told_as_save_failed(path, f"making the name {path} last"):
            fsync_folder(os.path.dirname(path) or ".")
        if keep_previous:
            with told_as_save_failed(path, f"keeping the former file as {path}{PREVIOUS}"):
                system.replace(former, path + PREVIOUS)
    except BaseException:
        with contextlib.suppress(OSError):
            if exists:
                system.replace(former, path)
            else:
                system.unlink(path)
        raise


def _give_second_name(path: str, former: str) -> bool:
    """Let the file at `path` stand at `former` too: a hard link, else a copy. False where there is no file."""
    try:
        system.link(path, former)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _copy(path, former)
    return True


def _copy(path: str, former: str) -> None:
    with system.opened(path, os.O_RDONLY) as source, system.opened(former, _NEW_FILE) as target:
        while block := system.read(source, _BLOCK):
            system.write_all(target, block)
        system.fsync(target)


def fsync_folder(folder: str) -> None:
    """Put a folder's names on the disk. A file system that does not have this for folders says EINVAL: no error."""
    with system.opened(folder, os.O_RDONLY | os.O_DIRECTORY) as handle:
        try:
            system.fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
