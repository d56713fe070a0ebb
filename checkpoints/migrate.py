"""From old format versions to today's: each step is a pure function from a checkpoint of version N to one of N + 1."""

from collections.abc import Callable

from nnspec.checkpoints.content import Checkpoint
from nnspec.checkpoints.seal import FORMAT_VERSION

STEPS: dict[int, Callable[[Checkpoint], Checkpoint]] = {}  # the version a step starts from → the step


def migrate(checkpoint: Checkpoint, version: int, target: int = FORMAT_VERSION) -> Checkpoint:
    """A checkpoint from a file of format `version`, as one of format `target`. No step changes what it is given."""
    for old in range(version, target):
        checkpoint = STEPS[old](checkpoint)
    return checkpoint
