"""Atomic writing: a new file is made under a temporary name in the same folder and takes its name by a rename.

Checkpoints, the small files of a run's folder and the formatter write with it. A kill leaves the temporary file;
`sweep` removes those of dead writers.
"""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.checkpoints import system
from nnspec.checkpoints.system import translate_os_errors

_TEMPORARY = re.compile(r".+\.nnspec-[0-9a-f]{16}\.tmp")
_NEW_FILE_MODE = 0o666  # before the umask


def temporary(path: str) -> str:
    """Return a name in the folder of `path` for a file that is to become it; `sweep` recognizes it."""
    return f"{path}.nnspec-{secrets.token_hex(8)}.tmp"


@dataclass(frozen=True)
class NewFile:
    """A file whose data is on the disk, still under a temporary name."""

    name: str
    handle: int
    _open: contextlib.ExitStack

    def rename(self, path: str) -> None:
        """Give the file its name. Raises OSError. Windows renames closed files only."""
        if not system.RENAMES_OPEN_FILES:
            self._open.close()
        system.replace(self.name, path)


@contextlib.contextmanager
def new_file(name: str, data: bytes, mode: int = _NEW_FILE_MODE) -> Iterator[NewFile]:
    """Create the file `name` with `data`, fsynced; remove it at the end unless it has been renamed. Raises OSError.

    It is locked while its handle is open, so that `sweep` leaves it alone.
    """
    try:
        with contextlib.ExitStack() as still_open:
            handle = still_open.enter_context(system.open_file(name, system.CREATE_NEW, mode))
            system.try_lock(handle)
            system.write_all(handle, data)
            system.fsync(handle)
            yield NewFile(name, handle, still_open)
    finally:
        with contextlib.suppress(OSError):
            system.unlink(name)


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to the file at `path`, whole or not at all. An existing file keeps its permissions. Raises OSError.

    The data is on the disk before the rename. The rename itself may be lost with the power: then the former file is
    there, whole.
    """
    path = os.fspath(path)
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        mode = None
    with new_file(temporary(path), data, _NEW_FILE_MODE if mode is None else mode) as new:
        if mode is not None:
            os.chmod(new.name, mode)  # the umask may have taken bits away
        new.rename(path)


def sweep(folder: str | os.PathLike[str]) -> list[str]:
    """Remove the temporary files of dead writers from a folder and return their names, sorted.

    A living writer holds its temporary file locked, so it is left alone. Its second name for the former file is not
    locked: call this with the lock of the folder's run held. Raises SaveFailed if the folder cannot be read or changed.
    """
    folder = os.fspath(folder)
    with translate_os_errors(folder, "sweeping old temporary files"):
        names = sorted(name for name in os.listdir(folder) if _TEMPORARY.fullmatch(name))
        return [name for name in names if _remove_if_abandoned(os.path.join(folder, name))]


def _remove_if_abandoned(path: str) -> bool:
    try:
        with system.open_file(path, system.READ) as handle:
            if not system.try_lock(handle):
                return False
        system.unlink(path)  # after closing it: Windows does not remove an open file
    except FileNotFoundError:  # its writer has removed or renamed it
        return False
    return True
