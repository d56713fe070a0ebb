"""Files that a reader must not wait for or read without end."""

import os
from pathlib import Path


def special_files(folder: Path) -> tuple[Path, ...]:
    """Make a pipe, a link to it and a link to a device in a folder, and return them with the device itself."""
    pipe, link, zero = folder / "pipe", folder / "link", folder / "zero"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    zero.symlink_to("/dev/zero")
    return pipe, link, zero, Path("/dev/zero")
