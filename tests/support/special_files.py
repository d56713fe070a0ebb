"""Files that a reader must not wait for or read without end."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def special_files(folder: Path) -> tuple[Path, ...]:
    """Make a pipe, a link to it and a link to a device in a folder, and return them with the device itself."""
    pipe, link, zero = folder / "pipe", folder / "link", folder / "zero"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    zero.symlink_to("/dev/zero")
    return pipe, link, zero, Path("/dev/zero")


@contextmanager
def at_once(seconds: int = 20) -> Iterator[None]:
    """Raise TimeoutError in what waits for a pipe or reads a device without end."""

    def stop(*args: object) -> None:
        raise TimeoutError(f"no answer within {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
