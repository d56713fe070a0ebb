"""The system calls by which this room touches the disk, gathered so that a test can make the k-th one fail."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from nnspec.checkpoints.errors import SaveFailed

open = os.open
close = os.close
read = os.read
pread = os.pread
write = os.write
fsync = os.fsync
ftruncate = os.ftruncate
flock = fcntl.flock
link = os.link
replace = os.replace
unlink = os.unlink


@contextlib.contextmanager
def opened(path: str, flags: int) -> Iterator[int]:
    """A handle of the file at `path`. What closing it reports is not raised: what had to last was fsynced before."""
    handle = open(path, flags, 0o666)
    try:
        yield handle
    finally:
        with contextlib.suppress(OSError):
            close(handle)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte, however few the system takes at a time."""
    left = memoryview(data)
    while left:
        left = left[write(handle, left) :]


def try_lock(handle: int) -> bool:
    """Lock the open file for this handle alone, until it is closed; False where another one holds it."""
    try:
        flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def told_as_save_failed(path: str, doing: str) -> Iterator[None]:
    """An error of the system inside becomes SaveFailed for `path`, with its number and what was being done."""
    try:
        yield
    except OSError as error:
        raise SaveFailed(path, doing, error.errno or 0) from error
