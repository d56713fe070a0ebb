"""Checkpoints: one sealed HDF5 file that holds the state of a run, written atomically and checked whole before use.

FORMAT.md is the specification. This package handles named arrays and texts and does not know what they mean.
"""

from nnspec.checkpoints.atomic import replace_file, sweep, temporary
from nnspec.checkpoints.content import GROUPS, Checkpoint, differing_entries
from nnspec.checkpoints.errors import Damaged, FormatError, Locked, Newer, NotACheckpoint, Refused, SaveFailed
from nnspec.checkpoints.locking import lock
from nnspec.checkpoints.reading import MAX_BYTES, Summary, comparable, from_bytes, is_whole, read, verify
from nnspec.checkpoints.seal import FORMAT_VERSION
from nnspec.checkpoints.system import fsync_folder
from nnspec.checkpoints.writing import image_for, to_bytes, write, write_image

__all__ = [
    "FORMAT_VERSION",
    "GROUPS",
    "MAX_BYTES",
    "Checkpoint",
    "Damaged",
    "FormatError",
    "Locked",
    "Newer",
    "NotACheckpoint",
    "Refused",
    "SaveFailed",
    "Summary",
    "comparable",
    "differing_entries",
    "from_bytes",
    "fsync_folder",
    "image_for",
    "is_whole",
    "lock",
    "read",
    "replace_file",
    "sweep",
    "temporary",
    "to_bytes",
    "verify",
    "write",
    "write_image",
]
