"""Standard streams that never end a run: what cannot be written is counted and reported, not raised.

Used by the command alone (nnspec/__main__.py). A program that uses nnspec as a library keeps its own streams.
"""

import errno
import os
import sys
from typing import Any, TextIO, cast

NAMES = ("standard input", "standard output", "standard error")


class LastingStream:
    """A text stream whose writes never raise OSError.

    The first failure is kept in `failure`. From then on the file descriptor is the null device, so that nothing that
    is still in a buffer fails again when the interpreter ends.
    """

    def __init__(self, stream: TextIO, name: str, failure: OSError | None = None):
        self.stream = stream
        self.name = name
        self.failure = failure

    def write(self, text: str) -> int:
        """Write a text, or lose it; return its length."""
        if self.failure is None:
            try:
                return self.stream.write(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what is in the buffer, or lose it."""
        if self.failure is None:
            try:
                self.stream.flush()
            except OSError as error:
                self._fail(error)

    @property
    def reader_left(self) -> bool:
        """Whether it failed because the reader of a pipe has ended, as `head` does when it has enough."""
        return self.failure is not None and self.failure.errno == errno.EPIPE

    def reason(self) -> str:
        """Return why text was lost, as a sentence without its full stop."""
        assert self.failure is not None
        return f"{self.name} cannot be written ({self.failure.strerror})"

    def _fail(self, error: OSError) -> None:
        self.failure = error
        _open_null(self.stream.fileno(), os.O_WRONLY)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def make_streams_last() -> None:
    """Replace sys.stdout and sys.stderr by streams that never raise; call it before any file is opened.

    A descriptor from 0 to 2 that is closed is opened on the null device: else the next file that is opened gets its
    number, and what is meant for the terminal ends up in a checkpoint.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        _open_null(number, os.O_RDONLY if number == 0 else os.O_WRONLY)
    for number, attribute in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, attribute)
        if stream is None:  # the interpreter found it closed
            stream = open(number, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 it stays open
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # an arrow becomes a question mark where there is none
        failure = OSError(errno.EBADF, "it is closed") if number in closed else None
        setattr(sys, attribute, cast("TextIO", LastingStream(stream, NAMES[number], failure)))


def failed_streams() -> list[LastingStream]:
    """Return the standard streams that have lost text; flushes both first."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, LastingStream)]
    for stream in streams:
        stream.flush()
    return [stream for stream in streams if stream.failure is not None]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _open_null(number: int, flags: int) -> None:
    """Make a descriptor that of the null device."""
    null = os.open(os.devnull, flags)
    if null != number:
        os.dup2(null, number)
        os.close(null)
