"""The interface of executors, which compute the lanes of a bound program and the slices of an optimizer's step.

All executors give the same bytes: each lane writes into its own memory up to a barrier, and results are combined in the
order of the lanes.
"""

from typing import Any, Protocol

from nnspec.runtime.compiler.bind import BoundProgram


class Update(Protocol):
    """A step of an optimizer; call it with each slice of the parameters.

    `program` is set where the gradients of its lanes are still to be summed, slice by slice. `step` counts from 1,
    `size` is the number of parameters.
    """

    program: BoundProgram | None
    step: int
    rate: float
    size: int

    def __call__(self, part: slice) -> None:
        """Update a slice of the parameters."""


class Executor(Protocol):
    """Computes lanes and slices. It raises the error of a lane or slice after all of them have ended."""

    at_once: int
    """How many lanes this process computes at the same time."""

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute one step of every lane; return their results in order."""

    def apply(self, update: Update) -> None:
        """Apply an update to all parameters."""
