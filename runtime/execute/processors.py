"""Which processors this process may use, and which executor serves a program there."""

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
"""How much of the processors a container may use: microseconds in a period, or "max"."""

NEEDED = ("fork", "sched_getaffinity", "sched_yield", "sysconf", "waitid")
"""What a worker process needs of the operating system; semaphores and pages of memory are tried."""


def executor_for(schedule: ExecutionSchedule) -> Executor:
    """Return the executor within this process: threads where a step is long enough to pay for handing over a lane."""
    long = len(schedule.lanes) > 1 and schedule.step_flops() >= STEP_WORTH_A_THREAD
    return threads.THREADS if long else IN_TURN


def worker_pays() -> bool:
    """Return whether a worker process may be forked and would have a core of its own.

    A fork copies the locks of other threads as they are, BLAS's too; one that is held then is never released in the
    child. So a process with more threads of Python than the calling one forks none. Idle threads for lanes do not
    count.
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
    """Return what allocates the arrays that a training program's lanes have in common: shared memory if a worker
    process may compute one of them."""
    if worker_pays():
        try:
            from nnspec.runtime.execute.shared_memory import shared_zeros
        except ImportError:
            return pages
        return shared_zeros
    return pages


@contextmanager
def worker_for(programs: Sequence[BoundProgram], update: Update, arrays: Sequence[Array]) -> Iterator[Executor | None]:
    """Share the memory of `arrays` with a worker process while this lasts; None where there cannot be one."""
    try:
        from nnspec.runtime.execute.worker_process import worker_process
    except ImportError:  # no POSIX semaphores
        yield None
        return
    with worker_process(programs, update, arrays) as worker:
        yield worker
