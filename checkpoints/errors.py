"""The errors of this package, worded for the user.

Every error has `path` (empty where there is no file), a message that begins with it, and `help`: what to do next.
"""

import errno
import os
import shlex


class FormatError(Exception):
    """The base class of this package's errors. `str(error)` is the message; `error.help` says what to do next."""

    advice = ""  # the default `help` of the class

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason = reason
        self.path = path
        self.help = self.advice

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason

    def about(self, path: str, whole_former: str = "") -> "FormatError":
        """Add the file's path and replace the default help by how to resume from `whole_former`, a whole file."""
        self.path = path
        if whole_former and self.help == self.advice:
            self.help = f"{whole_former} is whole: nnspec resume {shlex.quote(whole_former)}"
        return self


class NotACheckpoint(FormatError):
    """The bytes do not begin with the first line of an nnspec checkpoint."""

    advice = "give a file that nnspec train wrote, such as runs/NAME/last.h5"


class Damaged(FormatError):
    """A checkpoint whose bytes have changed since it was written, or are missing in part."""

    advice = "no byte of it was used: take the file from a copy, or train again"


class Refused(FormatError):
    """Something outside the format, in a file from another program or in a checkpoint about to be written."""

    advice = "checkpoints/FORMAT.md says what a checkpoint may hold; nothing of this one was used"


class Newer(FormatError):
    """A whole checkpoint of a later format: `version` of the format, `program` is the nnspec that wrote it."""

    def __init__(self, version: int, known: int, program: str) -> None:
        super().__init__(
            f"it has format version {version}, written by nnspec {program}; this nnspec reads versions up to {known}"
        )
        self.version = version
        self.program = program
        self.help = f"read it with nnspec {program} or a later one: pip install --upgrade nnspec"


class SaveFailed(FormatError):
    """The system refused a step of saving, locking or sweeping. `errno` is 0 if the file differs when read back."""

    def __init__(self, path: str, doing: str, number: int = 0) -> None:
        reason = f": {os.strerror(number)} ({errno.errorcode.get(number, '?')}, errno {number})" if number else ""
        super().__init__(f"failed while {doing}{reason}", path)
        self.errno = number
        folder = os.path.dirname(path) or "."
        if number in (errno.ENOSPC, errno.EDQUOT):
            self.help = f"make room in {folder}, then go on; a file that was there before is unchanged"
        elif number in (errno.EACCES, errno.EPERM, errno.EROFS):
            self.help = f"make {folder} writable, or write elsewhere; a file that was there before is unchanged"
        else:
            self.help = "write to another disk; a file that was there before is unchanged"


class Locked(FormatError):
    """Another process holds the lock of this file."""

    advice = "let the other process finish, stop it, or write to another folder"
