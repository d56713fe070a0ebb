"""The executor for short steps: the calling thread computes one lane after the other."""

from collections.abc import Sequence
from typing import Any

from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.execute.executor import Update


class InTurn:
    """Computes all lanes and slices in the calling thread."""

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the lanes in order; all reach a barrier before any continues."""
        if not program.barriers:
            return [step() for step in program.steps]
        lanes = [step() for step in program.steps]
        for _ in range(program.barriers):
            for lane in lanes:
                next(lane)
        return [next(lane) for lane in lanes]

    def apply(self, update: Update, slices: Sequence[slice]) -> None:
        """Apply the update slice by slice."""
        for part in slices:
            update(part)


IN_TURN = InTurn()
