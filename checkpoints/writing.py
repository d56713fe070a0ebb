"""Writing: build the whole file in memory, write it under a temporary name, read it back, and only then rename it.

At every instant FILE is a whole file, the old or the new. An error at any step leaves FILE and FILE.prev as they were.
"""

import contextlib
import errno
import hashlib
import os

from nnspec.checkpoints import content, seal, system
from nnspec.checkpoints.atomic import NewFile, new_file, temporary
from nnspec.checkpoints.content import Array, Checkpoint
from nnspec.checkpoints.errors import FormatError, Refused, SaveFailed
from nnspec.checkpoints.reading import MAX_BYTES, PREVIOUS, check_image, is_whole
from nnspec.checkpoints.system import fsync_folder, translate_os_errors

_BLOCK = 2**20  # bytes copied or compared at a time
_NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)  # EINVAL: Windows, exFAT


def to_bytes(checkpoint: Checkpoint, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of the file that holds a checkpoint, sealed. Equal checkpoints give equal bytes.

    Raises Refused for what the format cannot hold: names, kinds, NaN and Inf, or more than `max_bytes`.
    """
    return _sealed(checkpoint, max_bytes, content.sha256_of)[0]


def _sealed(checkpoint: Checkpoint, max_bytes: int, digest: content.Digest) -> tuple[bytes, seal.Seal]:
    from nnspec.checkpoints import layout

    content.check_names(checkpoint.entries)
    in_order = sorted(checkpoint.entries, key=lambda name: (name.startswith("run/"), name))
    stored = {name: content.to_stored(name, checkpoint.entries[name]) for name in in_order}
    _check_size(sum(array.nbytes for array in stored.values()), max_bytes)
    meta: dict[str, Array] = {content.META: content.meta_text(checkpoint.meta, stored, seal.FORMAT_VERSION, digest)}
    file = layout.build_image(meta | stored)
    with file.getbuffer() as image:
        whole, length = hashlib.sha256(image[seal.SIZE :]).hexdigest(), len(image)
    _check_size(length, max_bytes)
    program = str(checkpoint.meta.get("program_version", "unknown"))
    sealed = seal.Seal(seal.FORMAT_VERSION, program, length, whole)
    file.seek(0)
    file.write(sealed.block())
    return file.getvalue(), sealed


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise Refused(f"it has {size} bytes, and a checkpoint at most {max_bytes}")


def write(
    path: str | os.PathLike[str], checkpoint: Checkpoint, keep_previous: bool = True, max_bytes: int = MAX_BYTES
) -> None:
    """Write the checkpoint to FILE, or leave everything as it was. When it returns, the new file is on the disk.

    With `keep_previous` the former FILE becomes FILE.prev if it is whole: a damaged file never replaces a whole one.
    Raises Refused as `to_bytes` does, before the disk is touched, and SaveFailed for an error of the system.
    """
    write_image(path, image_for(path, checkpoint, max_bytes), keep_previous)


def image_for(path: str | os.PathLike[str], checkpoint: Checkpoint, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of the file that holds a checkpoint, checked as a reader checks them.

    Raises Refused as `to_bytes` does, about the file at `path`.
    """
    try:
        digest = content.remembering()
        image, sealed = _sealed(checkpoint, max_bytes, digest)
        check_image(image, sealed, digest)
    except FormatError as error:
        raise error.about(os.fspath(path)) from error.__cause__
    return image


def write_image(path: str | os.PathLike[str], image: bytes, keep_previous: bool = True) -> None:
    """Write what `image_for` has returned to FILE, as `write` does. Raises SaveFailed."""
    path = os.fspath(path)
    name, former = temporary(path), temporary(path)
    try:
        with contextlib.ExitStack() as ending:
            with translate_os_errors(path, f"writing {name}"):
                new = ending.enter_context(new_file(name, image))
            with translate_os_errors(path, f"reading {name} back"):
                whole = _reads_back(new.handle, image)
            if not whole:
                raise SaveFailed(path, f"reading {name} back: it differs from what was written")
            _rename(new, path, former, keep_previous)
    finally:
        with contextlib.suppress(OSError):
            system.unlink(former)


def _reads_back(handle: int, image: bytes) -> bool:
    """Whether the file holds the image and nothing else, one block at a time."""
    at = 0
    while block := system.pread(handle, _BLOCK, at):
        if not image.startswith(block, at):
            return False
        at += len(block)
    return at == len(image)


def _rename(new: NewFile, path: str, former: str, keep_previous: bool) -> None:
    """Rename `new` to FILE, and the old FILE to FILE.prev by way of the name `former`.

    The old file always has a name, and FILE.prev changes only after the new file is on the disk: until then
    every step can be undone.
    """
    with translate_os_errors(path, f"keeping the former file as {former}"):
        exists = _give_second_name(path, former)
    keep_previous = keep_previous and exists and is_whole(former)
    with translate_os_errors(path, f"renaming {new.name}"):
        new.rename(path)
    try:
        with translate_os_errors(path, f"syncing the folder of {path}"):
            fsync_folder(os.path.dirname(path) or ".")
        if keep_previous:
            with translate_os_errors(path, f"keeping the former file as {path}{PREVIOUS}"):
                system.replace(former, path + PREVIOUS)
    except BaseException:
        with contextlib.suppress(OSError):
            if exists:
                system.replace(former, path)
            else:
                system.unlink(path)
        raise


def _give_second_name(path: str, former: str) -> bool:
    """Give the file at `path` the second name `former`: a hard link, else a copy. False if there is no file."""
    try:
        _link_or_copy(path, former)
    except FileNotFoundError:
        return False
    return True


def _link_or_copy(path: str, former: str) -> None:
    try:
        system.link(path, former)
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    with system.open_file(path, system.READ) as source, system.open_file(former, system.CREATE_NEW) as target:
        while block := system.read(source, _BLOCK):
            system.write_all(target, block)
        system.fsync(target)
