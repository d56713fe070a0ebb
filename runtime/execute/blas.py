"""BLAS with the number of threads of a plan, so that results have the same bits everywhere.

A process has one number. Python threads that need the same number compute at the same time; one that needs another
number waits until they have finished.
"""

import time
from collections.abc import Callable
from functools import cache
from threading import Condition, Lock, local
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from nnspec.runtime.execute.forks import after_fork, hold_during_fork

FORK_PATIENCE = 10.0
"""Seconds for which a fork waits until no other thread computes."""


class fixed_threads:
    """A context in which BLAS has this number of threads, and NumPy reports no overflow.

    Contexts nest: the inner one suspends the outer one. It is a class because a generator would take longer than the
    arithmetic of a short prediction.
    """

    __slots__ = ("blas", "errors", "held")

    def __init__(self, blas: int):
        self.blas = blas
        self.errors = np.errstate(all="ignore")
        self.held = False

    def __enter__(self) -> "fixed_threads":
        self.errors.__enter__()
        open_here = GATE.open_here()
        if open_here:
            GATE.leave(open_here[-1])
        open_here.append(self)
        try:
            GATE.enter(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *raised: Any) -> None:
        open_here = GATE.open_here()
        open_here.pop()
        GATE.leave(self)
        self.errors.__exit__(None, None, None)
        if open_here:
            GATE.enter(open_here[-1])

    def give_way(self) -> None:
        """Let threads that wait for another number compute before this one continues."""
        if self.held:
            GATE.leave(self)
            GATE.enter(self, last=True)


class Gate:
    """Counts the contexts in which this process computes now; all have the same number of BLAS threads.

    `waiting` is the number of Python threads that wait for another number.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._users = 0
        self._threads = 0
        self._before: list[int] = []
        self._forking = False
        self._changed = Condition(Lock())
        self._here = local()

    def open_here(self) -> list[fixed_threads]:
        """Return the open contexts of the calling thread, the innermost last."""
        try:
            found: list[fixed_threads] = self._here.contexts
        except AttributeError:
            found = self._here.contexts = []
        return found

    def enter(self, context: fixed_threads, last: bool = False) -> None:
        """Wait until a context may compute, and count it. A new context, or `last`, queues after all that wait."""
        with self._changed:
            occupied = self._users and (self.waiting or self._threads != context.blas)
            if self._forking or (self.waiting if last else occupied):
                self._wait(context)
            if not self._users:
                self._before = [library.change(context.blas) for library in libraries()]
                self._threads = context.blas
            self._users += 1
            context.held = True

    def _wait(self, context: fixed_threads) -> None:
        self.waiting += 1
        try:
            self._changed.wait()
            while self._forking or (self._users and self._threads != context.blas):
                self._changed.wait()
        except BaseException:  # an interrupt: the next thread must not wait for this one
            self._changed.notify_all()
            raise
        finally:
            self.waiting -= 1

    def leave(self, context: fixed_threads) -> None:
        """Stop counting a context; after the last one BLAS gets back its former number of threads."""
        if not context.held:  # interrupted while it waited
            return
        with self._changed:
            context.held = False
            self._users -= 1
            if not self._users:
                for library, threads in zip(libraries(), self._before, strict=True):
                    library.change(threads)
                if self.waiting:
                    self._changed.notify_all()

    def hold(self) -> None:
        """Wait until no other thread computes, and let none begin: the calling thread is about to fork.

        A fork ends the threads of BLAS, in the parent too, and a product that waits for them would never end.
        """
        until = time.monotonic() + FORK_PATIENCE
        if not self._changed.acquire(timeout=FORK_PATIENCE):
            return
        try:
            self._forking = True
            self.waiting += 1
            own = sum(context.held for context in self.open_here())
            while self._users > own and time.monotonic() < until:
                self._changed.wait(0.001)
            self.waiting -= 1
        finally:
            self._changed.release()

    def go_on(self) -> None:
        """Let threads compute again, after the fork."""
        self._forking = False
        if self._changed.acquire(timeout=FORK_PATIENCE):
            self._changed.notify_all()
            self._changed.release()

    def forget_other_threads(self) -> None:
        """Count only the calling thread, the only one in a fork."""
        self._changed = Condition(Lock())
        self._forking = False
        self.waiting = 0
        self._users = sum(context.held for context in self.open_here())


GATE = Gate()
hold_during_fork(GATE.hold, GATE.go_on)


@after_fork
def forget_other_threads() -> None:
    """See `Gate.forget_other_threads`."""
    GATE.forget_other_threads()


class Library(NamedTuple):
    """A BLAS library, by the functions that read and set its number of threads for the whole process."""

    read: Callable[[], int]
    set: Callable[[int], object]

    def change(self, threads: int) -> int:
        """Set the number of threads; return the number before."""
        before = self.read()
        if before != threads:
            self.set(threads)
        return before


FUNCTIONS = [
    *(
        (f"{prefix}openblas_get_num_threads{suffix}", f"{prefix}openblas_set_num_threads{suffix}")
        for prefix in ("", "scipy_")
        for suffix in ("", "64_", "_64")
    ),
    ("MKL_Get_Max_Threads", "MKL_Set_Num_Threads"),
]
"""The names that builds of OpenBLAS and MKL give to the functions of `Library`."""


@cache
def libraries() -> list[Library]:
    """Return the BLAS libraries of this process."""
    found = ThreadpoolController().lib_controllers
    return [_library(controller) for controller in found if controller.user_api == "blas"]


def _library(controller: Any) -> Library:
    """Return a library with its own functions where their names are known.

    threadpoolctl 3.8 sets the threads of OpenBLAS only in the first thread of Python that sets them and silently
    ignores all others; it sets those of MKL for the calling thread only.
    """
    if getattr(controller, "threading_layer", None) != "openmp":  # where every thread has a number of its own
        for read, change in FUNCTIONS:
            if hasattr(controller.dynlib, read) and hasattr(controller.dynlib, change):
                return Library(getattr(controller.dynlib, read), getattr(controller.dynlib, change))
    return Library(controller.get_num_threads, controller.set_num_threads)
