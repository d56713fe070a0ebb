"""What lasts: one HDF5 file that holds a whole run so far, sealed, written atomically, and never half-read.

FORMAT.md is the specification. This room knows named arrays and texts; what they mean is their owner's business.
"""

from nnspec.checkpoints.content import GROUPS, Checkpoint, same
from nnspec.checkpoints.errors import Damaged, FormatError, Locked, Newer, NotACheckpoint, Refused, SaveFailed
from nnspec.checkpoints.locking import lock, sweep, temporary
from nnspec.checkpoints.reading import MAX_BYTES, Summary, comparable, is_whole, parse, read, verify
from nnspec.checkpoints.seal import FORMAT_VERSION
from nnspec.checkpoints.writing import build, fsync_folder, write

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
    "build",
    "comparable",
    "fsync_folder",
    "is_whole",
    "lock",
    "parse",
    "read",
    "same",
    "sweep",
    "temporary",
    "verify",
    "write",
]
