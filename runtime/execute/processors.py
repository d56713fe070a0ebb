"""The processors that this process may use, and the executor for a program on them."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nnspec.runtime.arrays import Array, pages
from nnspec.runtime.compiler.bind import Allocate, BoundProgram
from nnspec.runtime.compiler.schedule import STEP_WORTH_A_THREAD, ExecutionSchedule
from nnspec.runtime.execute import threads
from nnspec.runtime.execute.executor import Executor, Update
from nnspec.runtime.execute.in_turn import IN_TURN

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""The file with a container's share of the processors: microseconds in a period, or "max"."""

NEEDED = ("fork", "sched_getaffinity", "sched_yield", "sysconf", "waitid")
"""The functions of `os` that a worker process needs; semaphores and shared memory are tried."""


def executor_for(schedule: ExecutionSchedule) -> Executor:
    """Return the executor within this process: threads if a step is long enough to be worth handing over a lane."""
    long = len(schedule.lanes) > 1 and schedule.step_flops() >= STEP_WORTH_A_THREAD
    return threads.THREADS if long else IN_TURN


def worker_pays() -> bool:
    """Return whether a worker process may be forked and would have a core of its own.

    A fork copies the locks of other threads, including those of BLAS; one that is held is never released in the child.
    So a process with other Python threads does not fork a worker. Idle threads for lanes do not count.
    """
    if sys.platform != "linux" or not all(hasattr(os, name) for name in NEEDED) or not hasattr(signal, "SIGKILL"):
        return False
    if len(os.sched_getaffinity(0)) < 2:
        return False
    lanes = {thread.ident for thread in threading.enumerate() if thread.name.startswith(threads.NAME)}
    if sys._current_frames().keys() - lanes != {threading.get_ident()}:  # noqa: SLF001
        return False
    try:
        share, period = QUOTA.read_text().split()
    except (OSError, ValueError):
        return True
    return share == "max" or int(share) >= 2 * int(period)


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
def worker_for(programs: Sequence[BoundProgram], update: Update, arrays: Sequence[Array]) -> Iterator[Executor | None]:
    """Provide a worker process that shares the memory of `arrays`; None if there cannot be one."""
    try:
        from nnspec.runtime.execute.worker_process import worker_process
    except ImportError:  # no POSIX semaphores
        yield None
        return
    with worker_process(programs, update, arrays) as worker:
        yield worker
