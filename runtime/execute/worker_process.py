"""The executor with a worker process, which computes the second lane of every training step in parallel.

Python runs one thread at a time, and two threads running short operations contend for the interpreter lock; two
processes do not. The worker is a fork: it has a copy of all earlier objects, and shares with this process the arrays in
`shared_memory`. A message says what to do, and two semaphores order reading after writing.

Imported only where a worker can exist: it needs POSIX semaphores.
"""

import ctypes
import gc
import mmap
import multiprocessing
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from enum import IntEnum
from typing import Any, NoReturn

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.execute.executor import Update
from nnspec.runtime.execute.shared_memory import shared
from nnspec.runtime.execute.watch import Watch

SPIN = 0.002
"""Seconds for which a process polls before it sleeps: waking up takes as long as a short step."""

POLL = 0.1
"""Seconds of sleep between two checks whether the other process still runs."""

START = 10.0
"""Seconds within which a new worker must have multiplied two matrices."""

PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>


class Task(IntEnum):
    """What a worker is asked to do."""

    CHECK_BLAS = 0
    RUN = 1
    APPLY = 2


class Message(ctypes.Structure):
    """The message in shared memory.

    RUN: compute the second lane of the program of this number; `result` is its loss. APPLY: update the parameters from
    `start` to `stop`, and where `program` is not -1, sum the gradients of its lanes there first.
    """

    _fields_ = (
        ("task", ctypes.c_int),
        ("program", ctypes.c_int),
        ("step", ctypes.c_int64),
        ("rate", ctypes.c_double),
        ("start", ctypes.c_int64),
        ("stop", ctypes.c_int64),
        ("result", ctypes.c_double),
        ("failed", ctypes.c_int),
    )


class WorkerProcess:
    """Computes one lane here and one in a forked process, for the given `programs` and `update` only.

    Raises OSError if the system has no process or memory left, or the new process hangs because another thread held a
    lock during the fork.
    """

    def __init__(self, programs: Sequence[BoundProgram], update: Update):
        context = multiprocessing.get_context("fork")
        self._here, self._there = context.Semaphore(0), context.Semaphore(0)
        self._message = Message.from_buffer(mmap.mmap(-1, ctypes.sizeof(Message)))
        self._programs = programs
        self._numbers = {id(program): number for number, program in enumerate(programs)}
        self._update = update
        self._parent = os.getpid()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # about threads: those of BLAS end before a fork
            self.pid = os.fork()
        if not self.pid:
            try:
                self._serve()
            finally:
                os._exit(1)
        self._watch = Watch(self.pid)
        try:
            self._begin(Task.CHECK_BLAS)
            self._end(time.perf_counter() + START)
        except TrainingError as error:
            self.close()
            raise OSError(str(error)) from error
        except BaseException:
            self.close()
            raise

    def run(self, program: BoundProgram) -> list[Any]:
        """Compute the first lane here and the second one in the worker."""
        message = self._message
        message.program = self._numbers[id(program)]
        self._begin(Task.RUN)
        first = self._walk(program, 0, self._meet)
        self._end()
        return [first, message.result]

    def apply(self, update: Update, slices: Sequence[slice]) -> None:
        """Apply the update to the first slice here and to the second one in the worker."""
        message, (first, second) = self._message, slices
        message.program = -1 if update.program is None else self._numbers[id(update.program)]
        message.step, message.rate = update.step, update.rate
        message.start, message.stop = second.start, second.stop
        self._begin(Task.APPLY)
        update(first)
        self._end()

    def close(self) -> None:
        """End the worker. Does nothing in a fork of this process."""
        if self._parent == os.getpid():
            self._watch.kill()

    def _begin(self, task: Task) -> None:
        self._message.task = task
        self._there.release()

    def _end(self, until: float = float("inf")) -> None:
        """Wait until the worker has done its task. Raises TrainingError if it has failed or ended."""
        self._await(self._here, self._watch.check, until)
        if self._message.failed:
            raise TrainingError("the worker process of the training failed; its error is printed above")

    def _meet(self) -> None:
        """Wait at a barrier for the worker. Raises as `_end` does."""
        self._there.release()
        self._end()

    def _meet_parent(self) -> None:
        """Wait at a barrier for the parent, in the worker."""
        self._here.release()
        self._await(self._there, self._check_parent)

    def _walk(self, program: BoundProgram, number: int, meet: Callable[[], None]) -> Any:
        """Compute one lane of a program, from barrier to barrier."""
        if not program.barriers:
            return program.steps[number]()
        lane = program.steps[number]()
        for _ in range(program.barriers):
            next(lane)
            meet()
        return next(lane)

    def _await(self, semaphore: Any, check: Callable[[], None], until: float = float("inf")) -> None:
        """Wait for a semaphore; meanwhile `check` raises if the other process is gone."""
        sleep_at = time.perf_counter() + SPIN
        while not semaphore.acquire(False):
            os.sched_yield()
            if time.perf_counter() > sleep_at:
                while not semaphore.acquire(True, POLL):
                    check()
                    if time.perf_counter() > until:
                        raise TrainingError("the worker process of the training does not answer")
                return

    def _check_parent(self) -> None:
        if os.getppid() != self._parent:
            os._exit(0)

    def _serve(self) -> NoReturn:
        """Serve tasks in the worker until the parent ends, without the parent's files, signals and exit handlers."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        self._check_parent()  # it may have ended before prctl
        gc.disable()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        tasks = {Task.CHECK_BLAS: check_blas, Task.RUN: self._run_second_lane, Task.APPLY: self._apply_second_slice}
        with np.errstate(all="ignore"):
            while True:
                self._await(self._there, self._check_parent)
                try:
                    tasks[self._message.task]()
                except BaseException:
                    with suppress(OSError):
                        os.write(2, traceback.format_exc().encode())  # sys.stderr may be a file that is closed here
                    self._message.failed = 1
                self._here.release()

    def _run_second_lane(self) -> None:
        self._message.result = self._walk(self._programs[self._message.program], 1, self._meet_parent)

    def _apply_second_slice(self) -> None:
        message, update = self._message, self._update
        update.program = None if message.program < 0 else self._programs[message.program]
        update.step, update.rate = message.step, message.rate
        update(slice(message.start, message.stop))


def check_blas() -> None:
    """Multiply two matrices: a worker whose BLAS hangs does not answer."""
    for kind in (np.float32, np.float64):
        np.ones((64, 64), kind) @ np.ones((64, 64), kind)


@contextmanager
def worker_process(
    programs: Sequence[BoundProgram], update: Update, arrays: Sequence[Array]
) -> Iterator[WorkerProcess | None]:
    """Provide a worker process that shares the memory of `arrays`; None if there cannot be one."""
    with ExitStack() as stack:
        worker = None
        with suppress(OSError, ImportError):  # ImportError: no semaphores
            stack.enter_context(shared(arrays))
            worker = stack.enter_context(closing(WorkerProcess(programs, update)))
        yield worker
