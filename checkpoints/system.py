"""The system calls by which this package touches the disk, in one place so that a test can make the k-th one fail.

Not every system has all of them. Missing are, on Windows: `pread`, O_NONBLOCK, a folder that can be fsynced, and the
renaming of a file that is open; on some systems and file systems: hard links and locks.
"""

import contextlib
import errno
import os
from collections.abc import Iterator

from nnspec.checkpoints.errors import SaveFailed

READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # opening a pipe does not wait
CREATE = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
CREATE_NEW = CREATE | os.O_EXCL
FOLDER: int | None = os.O_RDONLY | os.O_DIRECTORY if hasattr(os, "O_DIRECTORY") else None  # None: no fsync of folders
RENAMES_OPEN_FILES = os.name == "posix"


def _seek_and_read(handle: int, size: int, at: int) -> bytes:
    os.lseek(handle, at, os.SEEK_SET)
    return os.read(handle, size)


def _no_hard_links(source: str, target: str) -> None:
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def _lock(handle: int) -> bool:
    """Lock with flock or LockFileEx, which end with the handle, so also with the process; False if it is taken."""
    import filelock

    return filelock.lock_descriptor(handle, blocking=False)


open = os.open
close = os.close
read = os.read
pread = getattr(os, "pread", _seek_and_read)
write = os.write
fsync = os.fsync
ftruncate = os.ftruncate
flock = _lock
link = getattr(os, "link", _no_hard_links)
replace = os.replace
unlink = os.unlink


@contextlib.contextmanager
def open_file(path: str, flags: int, mode: int = 0o666) -> Iterator[int]:
    """Yield a handle of the file at `path`. An error of closing it is not raised: data that must last is fsynced."""
    handle = open(path, flags, mode)
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
    """Lock an open file until its handle is closed; False if another handle has locked it.

    Where the system has no locks, nothing is locked and the answer is True.
    """
    try:
        return flock(handle)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            return True
        raise


def fsync_folder(folder: str) -> None:
    """Put a folder's names on the disk, where the system and the file system can: EINVAL is not an error."""
    if FOLDER is None:
        return
    with open_file(folder, FOLDER) as handle:
        try:
            fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise


@contextlib.contextmanager
def translate_os_errors(path: str, doing: str) -> Iterator[None]:
    """Raise SaveFailed for `path`, with its errno and what was being done, for an OSError inside."""
    try:
        yield
    except OSError as error:
        raise SaveFailed(path, doing, error.errno or 0) from error
