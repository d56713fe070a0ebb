"""The executor with a thread for each lane: NumPy releases the interpreter lock, so long operations run in parallel."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np

from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.execute.executor import Update
from nnspec.runtime.execute.forks import after_fork

NAME = "nnspec-lane"
"""The prefix of the names of these threads."""


class Threads:
    """Computes one lane in the calling thread and one in a second thread."""

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the lanes at the same time; all reach a barrier before any continues."""
        if not program.barriers:
            return run_together(program.steps)
        lanes = [step() for step in program.steps]
        for _ in range(program.barriers):
            run_together([lane.__next__ for lane in lanes])
        return run_together([lane.__next__ for lane in lanes])

    def apply(self, update: Update, slices: Sequence[slice]) -> None:
        """Apply the update slice by slice: memory bandwidth is the limit, so threads would gain nothing."""
        for part in slices:
            update(part)


THREADS = Threads()


def run_together(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run tasks that share no memory, the first of them in this thread; return their results in order.

    If the system refuses a thread, this one runs them all.
    """
    waiting: list[Future[Any]] = []
    try:
        for task in tasks[1:]:
            waiting.append(_pool().submit(task))
    except RuntimeError:  # "can't start new thread", or the interpreter is shutting down
        _pool.cache_clear()
    try:
        results = [tasks[0]()]
    except BaseException:
        for future in waiting:
            future.exception()  # it must not write during a later step
        raise
    results += [future.result() for future in waiting]
    return results + [task() for task in tasks[1 + len(waiting) :]]


@after_fork
def forget_threads() -> None:
    """Drop the pool: its threads do not exist in a fork."""
    _pool.cache_clear()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, NAME, initializer=np.seterr, initargs=("ignore",))
