"""One writer for a file: a lock that a kill frees, and the sweeping of what killed writers left behind."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator

from nnspec.checkpoints import system
from nnspec.checkpoints.errors import Locked
from nnspec.checkpoints.system import told_as_save_failed

_TEMPORARY = re.compile(r".+\.nnspec-[0-9a-f]{16}\.tmp")


@contextlib.contextmanager
def lock(path: str | os.PathLike[str]) -> Iterator[None]:
    """Hold FILE.lock; raises Locked at once where someone else does, SaveFailed where it cannot be made.

    The system frees the lock when the process ends, however it ends. The lock file itself stays: removing it would let
    two processes lock two files of one name.
    """
    path = os.fspath(path)
    with contextlib.ExitStack() as held:
        with told_as_save_failed(path, f"locking {path}.lock"):
            handle = held.enter_context(system.opened(f"{path}.lock", os.O_RDWR | os.O_CREAT))
            if not system.try_lock(handle):
                holder = system.pread(handle, 20, 0).decode("ascii", "replace").strip()
                raise Locked(f"another process{f' ({holder})' if holder else ''} is writing this file", path)
            system.ftruncate(handle, 0)
            system.write_all(handle, f"pid {os.getpid()}\n".encode())
        yield


def temporary(path: str) -> str:
    """A name beside `path` for a file that is to become it, which `sweep` knows again."""
    return f"{path}.nnspec-{secrets.token_hex(8)}.tmp"


def sweep(folder: str | os.PathLike[str]) -> list[str]:
    """Remove the temporary files of dead writers from a folder and return their names, sorted.

    A living writer holds its temporary file locked, so it is left alone. Its second name for the former file is not, so
    call this with the lock of the folder's run held. Raises SaveFailed where the folder cannot be read or changed.
    """
    folder = os.fspath(folder)
    with told_as_save_failed(folder, "sweeping old temporary files"):
        names = sorted(name for name in os.listdir(folder) if _TEMPORARY.fullmatch(name))
        return [name for name in names if _remove_if_abandoned(os.path.join(folder, name))]


def _remove_if_abandoned(path: str) -> bool:
    try:
        with system.opened(path, os.O_RDONLY | os.O_NONBLOCK) as handle:
            if not system.try_lock(handle):
                return False
            system.unlink(path)
    except FileNotFoundError:  # its writer was quicker
        return False
    return True
