"""Executors: who computes the lanes of a bound program, and the slices of an optimizer's step.

Whoever computes them, the bytes are the same: each lane writes into memory of its own up to a barrier, and results are
combined in the order of the lanes.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from nnspec.runtime.compiler.bind import BoundProgram


class Update(Protocol):
    """An optimizer's step, to be called with each slice of the parameters.

    `program` is set where the gradients of its lanes are still to be summed, slice by slice. `step` counts from 1.
    """

    program: BoundProgram | None
    step: int
    rate: float

    def __call__(self, part: slice) -> None:
        """Update a slice of the parameters."""


class Executor(Protocol):
    """What an executor does. An error in any lane or slice is raised after all of them have ended."""

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute one step of every lane; return their results in order."""

    def apply(self, update: Update, slices: Sequence[slice]) -> None:
        """Apply an update to each slice."""
