"""Opening a file that a user or a spec names: regular files only.

A pipe or a device would wait for ever or never end. Specs and data are opened here; checkpoints have their own rule, on
handles. It must not import NumPy.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def open_regular_file(path: Path) -> BufferedReader:
    """Open a regular file, or a link to one, for reading bytes.

    Raises OSError, also for a folder, a pipe, a socket or a device, without waiting for it, and ValueError for a name
    that no file can have.
    """
    handle = os.open(path, _READ)
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise
