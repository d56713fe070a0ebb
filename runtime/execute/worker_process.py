"""A worker process, which computes some lanes of every training step while its parent computes others.

Python runs one thread at a time, and threads running short operations contend for the interpreter lock; processes do
not. A worker is a fork: it has a copy of all earlier objects, and shares with its parent the arrays in `shared_memory`.
A message says what to do, and two semaphores for each worker order reading after writing.

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
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import IntEnum
from typing import Any, NoReturn

import numpy as np

from nnspec.runtime.compiler.bind import ALL, BoundProgram
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.execute.executor import Update
from nnspec.runtime.execute.in_turn import walk
from nnspec.runtime.execute.watch import Watch

SPIN = 0.002
"""Seconds for which a process polls before it sleeps: waking up takes as long as a short step."""

POLL, IDLE = 0.1, 2.0
"""Seconds of sleep between two checks whether a worker, or the parent, still runs."""

MOST = 64
"""Lanes and workers for which a message has room."""

PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>


class Task(IntEnum):
    """What a worker is asked to do."""

    CHECK_BLAS = 0
    RUN = 1
    APPLY = 2


class Message(ctypes.Structure):
    """The message in shared memory, the same for every worker.

    `workers` share the task, this process among them. RUN: compute lanes of the program of this number; `results` are
    their losses. APPLY: update parameters, and where `program` is not -1, sum the gradients of its lanes there first.
    """

    _fields_ = (
        ("task", ctypes.c_int),
        ("workers", ctypes.c_int),
        ("program", ctypes.c_int),
        ("step", ctypes.c_int64),
        ("rate", ctypes.c_double),
        ("results", ctypes.c_double * MOST),
        ("failed", ctypes.c_int * MOST),
    )


def new_message() -> Message:
    """Return a message that this process shares with its forks."""
    return Message.from_buffer(mmap.mmap(-1, ctypes.sizeof(Message)))


def share_of(count: int, number: int, workers: int) -> range:
    """Return which of a number of lanes a worker computes, consecutive ones."""
    return range(count * number // workers, count * (number + 1) // workers)


def slice_of(size: int, number: int, workers: int) -> slice:
    """Return which part of an array a worker updates; parts begin at whole vectors of the processor."""
    if workers == 1:
        return ALL
    bounds = [size * n // workers // 16 * 16 for n in (number, number + 1)]
    return slice(bounds[0], bounds[1] if number + 1 < workers else size)


class WorkerProcess:
    """A forked process that serves the tasks of a message, for the given `programs` and `update` only.

    Workers have numbers from 1; the parent is worker 0. Raises OSError if the system has no process or memory left.
    """

    def __init__(self, number: int, message: Message, programs: Sequence[BoundProgram], update: Update):
        context = multiprocessing.get_context("fork")
        self.go, self.done = context.Semaphore(0), context.Semaphore(0)
        self.number = number
        self._message = message
        self._programs = programs
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
        self.watch = Watch(self.pid)

    def wait(self, until: float = float("inf")) -> None:
        """Wait until the worker has done its task, or has come to a barrier.

        Raises TrainingError if it has failed or ended.
        """
        if not await_semaphore(self.done, SPIN):
            while not self.done.acquire(True, POLL):
                self.watch.check()
                if time.perf_counter() > until:
                    raise TrainingError("a worker process of the training does not answer")
        if self._message.failed[self.number]:
            raise TrainingError("a worker process of the training failed; its error is printed above")

    def kill(self) -> None:
        """Kill the worker. Does nothing in a fork of its parent."""
        if self._parent == os.getpid():
            self.watch.kill()

    def close(self) -> None:
        """Kill the worker and wait for its end. Does nothing in a fork of its parent."""
        self.kill()
        if self._parent == os.getpid():
            self.watch.reap()

    def _wait_for_parent(self) -> None:
        if not await_semaphore(self.go, SPIN):
            while not self.go.acquire(True, IDLE):
                self._check_parent()

    def _meet(self) -> None:
        """Wait at a barrier for the parent."""
        self.done.release()
        self._wait_for_parent()

    def _check_parent(self) -> None:
        if os.getppid() != self._parent:
            os._exit(0)

    def _serve(self) -> NoReturn:
        """Serve tasks until the parent ends, without the parent's files, signals and exit handlers."""
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
        tasks: dict[int, Callable[[], Any]] = {
            Task.CHECK_BLAS: check_blas, Task.RUN: self._run, Task.APPLY: self._apply
        }  # fmt: skip
        with np.errstate(all="ignore"):
            while True:
                self._wait_for_parent()
                try:
                    tasks[self._message.task]()
                except BaseException:
                    with suppress(OSError):
                        os.write(2, traceback.format_exc().encode())  # sys.stderr may be a file that is closed here
                    self._message.failed[self.number] = 1
                self.done.release()

    def _run(self) -> None:
        message = self._message
        program = self._programs[message.program]
        lanes = share_of(len(program.steps), self.number, message.workers)
        for lane, result in zip(lanes, walk(program, lanes, self._meet), strict=True):
            message.results[lane] = result if isinstance(result, float) else 0.0

    def _apply(self) -> None:
        message, update = self._message, self._update
        update.program = None if message.program < 0 else self._programs[message.program]
        update.step, update.rate = message.step, message.rate
        update(slice_of(update.size, self.number, message.workers))


def await_semaphore(semaphore: Any, seconds: float) -> bool:
    """Poll a semaphore for some seconds, and let other processes of this core run meanwhile; return whether it came."""
    if semaphore.acquire(False):
        return True
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        os.sched_yield()
        if semaphore.acquire(False):
            return True
    return False


def check_blas() -> None:
    """Multiply two matrices: a worker whose BLAS hangs does not answer."""
    for kind in (np.float32, np.float64):
        np.ones((64, 64), kind) @ np.ones((64, 64), kind)
