"""One thread computes everything, lane after lane: where handing a lane over would cost more than it saves."""

from collections.abc import Sequence
from typing import Any

from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.execute.executor import Update


class InTurn:
    """The executor that is the calling thread."""

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the lanes in their order, all of them up to a barrier before any goes on."""
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
