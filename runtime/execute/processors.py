"""The processors that this process may use, and the executor for a program on them."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from nnspec.runtime.arrays import pages
from nnspec.runtime.compiler.bind import Allocate, BoundProgram
from nnspec.runtime.compiler.schedule import STEP_WORTH_A_THREAD, ExecutionSchedule
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.execute import threads
from nnspec.runtime.execute.executor import Executor, ForkedExecutor, Lent, Update
from nnspec.runtime.execute.in_turn import IN_TURN

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""The file with a container's share of the processors: microseconds in a period, or "max"."""

Workers = int | Literal["auto"]
"""How many processes train a run, this one among them; as many as pay."""

MOST_WORKERS = 64

_workers: ContextVar[Workers] = ContextVar("workers", default="auto")

NEEDED = ("fork", "sched_getaffinity", "sched_yield", "sysconf", "waitid")
"""The functions of `os` that a worker process needs; semaphores and shared memory are tried."""


def executor_for(schedule: ExecutionSchedule) -> Executor:
    """Return the executor within this process: threads if a step is long enough to be worth handing over a lane."""
    workers = min(thread_count(), len(schedule.lanes))
    long = workers > 1 and schedule.step_flops() >= STEP_WORTH_A_THREAD
    return threads.Threads(workers) if long else IN_TURN


def thread_count() -> int:
    """Return how many threads of this process may compute at the same time."""
    wanted = _workers.get()
    return processor_count() if wanted == "auto" else wanted


@contextmanager
def with_workers(count: Workers) -> Iterator[None]:
    """Train with this many processes inside. Raises TrainingError where several are asked for and cannot be."""
    whole = isinstance(count, int) and not isinstance(count, bool)
    if count != "auto" and not (whole and 1 <= count <= MOST_WORKERS):
        raise TrainingError(f"workers is {count!r}: give 1 to {MOST_WORKERS}, or 'auto'", exit_code=2)
    if count not in (1, "auto") and (obstacle := worker_obstacle()) is not None:
        raise TrainingError(f"there cannot be {count} workers: {obstacle}; use 1 or auto", exit_code=2)
    token = _workers.set(count)
    try:
        yield
    finally:
        _workers.reset(token)


def worker_pays() -> bool:
    """Return whether a worker process is wanted, may be forked, and would have a core of its own."""
    if _workers.get() == 1 or worker_obstacle() is not None:
        return False
    return _workers.get() != "auto" or processor_count() >= 2


def worker_count() -> int:
    """Return how many processes may train, this one among them."""
    wanted = _workers.get()
    if not worker_pays():
        return 1
    return max(processor_count(), 2) if wanted == "auto" else wanted


def worker_obstacle() -> str | None:
    """Return why a worker process cannot be forked, None if it can.

    A fork copies the locks of other threads, including those of BLAS; one that is held is never released in the child.
    So a process with other Python threads does not fork a worker. Idle threads for lanes do not count.
    """
    if sys.platform != "linux" or not all(hasattr(os, name) for name in NEEDED) or not hasattr(signal, "SIGKILL"):
        return "this system has no fork that shares memory"
    lanes = {thread.ident for thread in threading.enumerate() if thread.name.startswith(threads.NAME)}
    if sys._current_frames().keys() - lanes != {threading.get_ident()}:  # noqa: SLF001
        return "other Python threads run in this process"
    return None


def processor_count() -> int:
    """Return how many processors this process may use: its affinity, and the whole ones of a container's share."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    try:
        share, period = QUOTA.read_text().split()
        return count if share == "max" else max(1, min(count, int(share) // int(period)))
    except (OSError, ValueError):
        return count


def allocator() -> Allocate:
    """Return the allocator of the arrays that the lanes of a training program share: of shared memory if a worker
    process may compute a lane."""
    if worker_pays():
        try:
            from nnspec.runtime.execute.shared_memory import shared_zeros
        except ImportError:
            return pages
        return shared_zeros
    return pages


@contextmanager
def workers_for(
    count: int, programs: Sequence[BoundProgram], update: Update, arrays: Sequence[Lent]
) -> Iterator[ForkedExecutor | None]:
    """Provide `count` − 1 worker processes that share the memory of `arrays`; None if there cannot be any."""
    try:
        from nnspec.runtime.execute.worker_processes import worker_processes
    except ImportError:  # no POSIX semaphores
        yield None
        return
    with worker_processes(count, programs, update, arrays) as workers:
        yield workers
