"""The executor for short steps: the calling thread computes one lane after the other."""

from collections.abc import Callable, Iterable
from typing import Any

from nnspec.runtime.compiler.bind import ALL, BoundProgram
from nnspec.runtime.execute.executor import Update


class InTurn:
    """Computes all lanes and parameters in the calling thread."""

    at_once = 1

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the lanes in order; all reach a barrier before any continues."""
        return walk(program, range(len(program.steps)))

    def apply(self, update: Update) -> None:
        """Apply the update to all parameters."""
        update(ALL)


def walk(program: BoundProgram, lanes: Iterable[int], meet: Callable[[], None] = lambda: None) -> list[Any]:
    """Compute some lanes of a program one after the other, from barrier to barrier; `meet` waits there for others."""
    if not program.barriers:
        return [program.lane(number) for number in lanes]
    begun = [program.lane(number) for number in lanes]
    for _ in range(program.barriers):
        for lane in begun:
            next(lane)
        meet()
    return [next(lane) for lane in begun]


IN_TURN = InTurn()
