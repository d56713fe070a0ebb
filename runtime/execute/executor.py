"""The interface of executors, which compute the lanes of a bound program and the slices of an optimizer's step.

All executors give the same bytes: each lane writes into its own memory up to a barrier, and results are combined in the
order of the lanes.
"""

from typing import Any, NamedTuple, Protocol

from nnspec.runtime.arrays import Array
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


class ForkedExecutor(Executor, Protocol):
    """An executor with processes of its own."""

    def dismiss(self) -> None:
        """Begin to end the processes, after the last step: it takes the system milliseconds."""


class Lent(NamedTuple):
    """An array that is shared with worker processes, made by `nnspec.runtime.arrays.pages`.

    `filled` says whether it holds more than zeros, which need no copying. It is `returned` to private memory when the
    workers end, unless nobody but this process will use it.
    """

    array: Array
    filled: bool = True
    returned: bool = True
