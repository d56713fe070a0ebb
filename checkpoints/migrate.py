"""Migration from old format versions: each step is a pure function from a checkpoint of version N to one of N + 1."""

from collections.abc import Callable

from nnspec.checkpoints.content import Checkpoint
from nnspec.checkpoints.seal import FORMAT_VERSION

STEPS: dict[int, Callable[[Checkpoint], Checkpoint]] = {}  # version N → its step


def migrate(checkpoint: Checkpoint, version: int, target: int = FORMAT_VERSION) -> Checkpoint:
    """Return a checkpoint of format `version` as one of format `target`. No step changes its argument."""
    for old in range(version, target):
        checkpoint = STEPS[old](checkpoint)
    return checkpoint
