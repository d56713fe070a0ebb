"""A second process that computes its share of every step of training beside this one.

Python runs one thread at a time, and two that take turns at short operations hinder each other; two processes do not.
The second one is a fork: it has whatever was made before it, and the two see of each other what lies in `shared`
memory. Two semaphores order what they do, so that nothing is read before it is written.
"""

import gc
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.arrays import shared
from nnspec.runtime.errors import TrainingError

SPIN = 0.002
"""Seconds for which a process looks again and again before it sleeps: to be woken takes as long as a short step."""

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""How much of the processors a container may use: microseconds in a period, or "max"."""

LOOK = 0.1
"""Seconds of sleep until a process sees whether the other one is still there."""


def possible() -> bool:
    """Whether a partner helps: this process may use a second core, and a fork of it keeps what it needs."""
    needed = hasattr(os, "fork") and hasattr(signal, "SIGKILL") and hasattr(os, "sched_getaffinity")
    if sys.platform != "linux" or not needed or len(os.sched_getaffinity(0)) < 2:
        return False
    try:
        share, period = QUOTA.read_text().split()
    except (OSError, ValueError):
        return True
    return share == "max" or int(share) >= 2 * int(period)


class Partner:
    """The second process. It does one of its `works`, by number, whenever it is asked; its answer is what they write
    into shared memory. A work is given the partner, to `meet` the first process half-way."""

    def __init__(self, works: "Sequence[Callable[[Partner], None]]"):
        context = multiprocessing.get_context("fork")
        self._here, self._there = context.Semaphore(0), context.Semaphore(0)
        self._works = works
        self._order = shared(2, np.int64)  # the number of the work, and whether it failed
        self._parent = os.getpid()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of other threads, which the fork has no need of
            self._child = os.fork()
        if not self._child:
            try:
                self._serve()
            finally:
                os._exit(1)

    @classmethod
    def of(cls, works: "Sequence[Callable[[Partner], None]]") -> "Partner | None":
        """A partner for these works; None where there can be none, and this process does them alone."""
        if not possible():
            return None
        try:
            return cls(works)
        except (OSError, ImportError):  # no more processes, no memory for them, or no semaphores
            return None

    def begin(self, work: int) -> None:
        """Have it begin."""
        self._order[0] = work
        self._there.release()

    def end(self) -> None:
        """Wait until it has done what it began. Raises TrainingError where it cannot."""
        self._wait(self._here, self._alive)
        if self._order[1]:
            raise TrainingError("the second process of the training failed; what it said stands above")

    def meet(self) -> None:
        """Wait for the other process, on either side, in the middle of a work. Raises as `end` does."""
        if self._child:
            self._there.release()
            self.end()
        else:
            self._here.release()
            self._wait(self._there, self._wanted)

    def close(self) -> None:
        """End it."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            self._child = 0

    def _alive(self) -> None:
        if self._child and os.waitpid(self._child, os.WNOHANG)[0]:
            self._child = 0
            raise TrainingError(
                "the second process of the training was ended from outside, perhaps for want of memory; "
                "nnspec resume goes on from what was saved last"
            )

    def _wanted(self) -> None:
        if os.getppid() != self._parent:
            os._exit(0)

    def _wait(self, semaphore: Any, check: Callable[[], None]) -> None:
        until = time.perf_counter() + SPIN
        while not semaphore.acquire(False):
            os.sched_yield()
            if time.perf_counter() > until:
                while not semaphore.acquire(True, LOOK):
                    check()
                return

    def _serve(self) -> None:
        """The life of the second process. It has nothing to do with the first one's files, signals and exit."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        gc.disable()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        with np.errstate(all="ignore"):
            while True:
                self._wait(self._there, self._wanted)
                try:
                    self._works[self._order[0]](self)
                except BaseException:
                    os.write(2, traceback.format_exc().encode())  # of what stood behind sys.stderr nothing is left
                    self._order[1] = 1
                self._here.release()
