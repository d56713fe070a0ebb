"""Seconds of computing that do not depend on what else the machine does.

CPU time alone is not enough: a core whose other hardware thread is busy, or whose caches others fill, takes up to twice
as long for the same work. Where an action seems to take too long, it is timed again, next to a fixed computation that
says how slow the core is at that moment.
"""

import json
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

REFERENCE = 0.125
"""CPU seconds of the fixed computation on an idle core of the machine of docs/reliability.md."""

TRIES = 3
"""How often an action over its limit is timed; the shortest counts."""

_TEXT = "[" + ",".join(["[0]"] * 300_000) + "]"


def computing_seconds(action: Callable[[], T], limit: float) -> tuple[T, float]:
    """Return an action's result and its CPU seconds, as on an idle core if they exceed the limit on this one."""
    result, shortest = _timed(action)
    for _ in range(TRIES):
        if shortest < limit:
            break
        _, before = _timed(_fixed_computation)
        _, taken = _timed(action)
        _, after = _timed(_fixed_computation)
        shortest = min(shortest, taken / max(1.0, (before + after) / 2 / REFERENCE))
    return result, shortest


def _timed(action: Callable[[], T]) -> tuple[T, float]:
    started = time.process_time()
    result = action()
    return result, time.process_time() - started


def _fixed_computation() -> None:
    """Parse a text into many small lists: the costliest thing that reading a checkpoint does."""
    json.loads(_TEXT)
