"""The executor with threads for lanes: NumPy releases the interpreter lock, so long operations run in parallel.

This thread takes each lane that no other has begun, so that a core which another program uses holds up none.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.runtime.compiler.bind import ALL, BoundProgram
from nnspec.runtime.execute.executor import Update
from nnspec.runtime.execute.forks import after_fork

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MOST = 16

NAME = "nnspec-lane"
"""The prefix of the names of these threads."""


class Threads:
    """Computes lanes in the calling thread and in others, as many as there are `workers`."""

    def __init__(self, workers: int):
        self.workers = self.at_once = workers

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the lanes at the same time; all reach a barrier before any continues."""
        numbers = range(len(program.steps))
        if not program.barriers:
            return run_together([partial(program.lane, number) for number in numbers], self.workers)
        lanes = [program.lane(number) for number in numbers]
        for _ in range(program.barriers):
            run_together([lane.__next__ for lane in lanes], self.workers)
        return run_together([lane.__next__ for lane in lanes], self.workers)

    def apply(self, update: Update) -> None:
        """Apply the update in one: memory bandwidth is the limit, so threads would gain nothing."""
        update(ALL)


def run_together(tasks: Sequence[Callable[[], Any]], workers: int = MOST) -> list[Any]:
    """Run tasks that share no memory, in this thread and others; return their results in order.

    If the system refuses a thread, this one runs them all. After an error no task runs any more.
    """
    if workers == 1 or len(tasks) == 1:
        return [task() for task in tasks]
    waiting: list[Future[Any]] = []
    try:
        for task in tasks[1:]:
            waiting.append(_pool(workers - 1).submit(task))
    except RuntimeError:  # "can't start new thread", or the interpreter is shutting down
        _pool.cache_clear()
    try:
        results = [tasks[0]()]
        for task, future in zip(tasks[1:], waiting, strict=False):
            results.append(task() if future.cancel() else future.result())
        return results + [task() for task in tasks[1 + len(waiting) :]]
    except BaseException:
        for future in waiting:
            if not future.cancel():
                future.exception()  # it must not write during a later step
        raise


@after_fork
def forget_threads() -> None:
    """Drop the pool: its threads do not exist in a fork."""
    _pool.cache_clear()


@cache
def _pool(threads: int) -> "ThreadPoolExecutor":
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, NAME, initializer=np.seterr, initargs=("ignore",))
