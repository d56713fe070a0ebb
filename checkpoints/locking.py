"""One writer for a file: a lock that ends with the process that holds it."""

import contextlib
import os
from collections.abc import Callable, Iterator

from nnspec.checkpoints import system
from nnspec.checkpoints.errors import Locked
from nnspec.checkpoints.system import translate_os_errors


@contextlib.contextmanager
def lock(path: str | os.PathLike[str]) -> Iterator[Callable[[], None]]:
    """Hold FILE.lock. Raises Locked at once if another process holds it, SaveFailed if it cannot be created.

    The system frees the lock when the process ends, also by a kill. The lock file itself stays: after removing it, two
    processes could lock two files of one name. Call what this yields before each write: it raises Locked where someone
    has removed or replaced the lock file, so that of two writers the first one stops.
    """
    path = os.fspath(path)
    with contextlib.ExitStack() as held:
        with translate_os_errors(path, f"locking {path}.lock"):
            handle = held.enter_context(system.open_file(f"{path}.lock", system.CREATE))
            if not system.try_lock(handle):
                holder = _holder(handle)
                raise Locked(f"another process{f' ({holder})' if holder else ''} is writing this file", path)
            system.ftruncate(handle, 0)
            system.write_all(handle, f"pid {os.getpid()}\n".encode())

        def check() -> None:
            try:
                held_still = os.path.samestat(os.fstat(handle), os.stat(f"{path}.lock"))
            except OSError:  # where the whole folder is gone, the write that follows reports it
                held_still = not os.path.isdir(os.path.dirname(path) or ".")
            if not held_still:
                raise Locked("its lock file was removed, so that another process may be writing it", path)

        yield check


def _holder(handle: int) -> str:
    """Return the text in the lock file; empty on Windows, where a locked file cannot be read."""
    try:
        return system.pread(handle, 20, 0).decode("ascii", "replace").strip()
    except PermissionError:
        return ""
