"""A place in one block of memory for every buffer of a program, where buffers that live at different times may share.

A program that cannot allocate, such as one for a microcontroller, is planned so; `Lifetime` counts in its own steps.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Lifetime(NamedTuple):
    """A buffer: its size in bytes, and the first and the last step that uses it."""

    size: int
    first: int
    last: int

    def meets(self, other: "Lifetime") -> bool:
        """Return whether a step uses both, or both are alive between two that do."""
        return self.first <= other.last and other.first <= self.last


class MemoryPlan(NamedTuple):
    """Where each buffer begins, in bytes, in the order in which they were given, and the size of the whole block."""

    offsets: tuple[int, ...]
    size: int


def plan_memory(buffers: Sequence[Lifetime], alignment: int = 4) -> MemoryPlan:
    """Return a place for every buffer such that none overlaps another that is alive at the same time.

    The largest are placed first, each in the lowest gap that it fits in (Pisarchyk and Lee 2020, greedy by size).
    Places are multiples of `alignment` bytes.
    """
    order = sorted(range(len(buffers)), key=lambda i: (-buffers[i].size, buffers[i].first))
    offsets: dict[int, int] = {}
    for i in order:
        place = 0
        alive = sorted((offsets[j], buffers[j].size) for j in offsets if buffers[i].meets(buffers[j]))
        for start, size in alive:
            if place + buffers[i].size <= start:
                break
            place = max(place, _aligned(start + size, alignment))
        offsets[i] = place
    size = max((offsets[i] + buffer.size for i, buffer in enumerate(buffers)), default=0)
    return MemoryPlan(tuple(offsets[i] for i in range(len(buffers))), _aligned(size, alignment))


def _aligned(place: int, alignment: int) -> int:
    return -(-place // alignment) * alignment
