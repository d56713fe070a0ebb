"""Runs where processes, memory, threads or a right clock are lacking: they end in the same bytes all the same."""

import _multiprocessing
import errno
import os
import random
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nnspec.runtime.execute import shared_memory
from tests.support.commands import at_step, child_command, child_environment, differing, lasting, nnspec, no_fsync
from tools.soak.determinism import in_two_processes
from tools.soak.experiments import Tally, experiment, tries
from tools.soak.stopping import IN_TWO, prepare

LENGTH = "train 24 iterations batch=8 evaluate_every=8 checkpoint_every=5 seed=5"
FILES = "+dac_override,+dac_read_search"
AS_NOBODY = ["setpriv", "--reuid=65534", "--clear-groups", f"--inh-caps={FILES}", f"--ambient-caps={FILES}"]

RESOURCES: dict[str, tuple[Any, str, int]] = {
    "processes (os.fork)": (os, "fork", errno.EAGAIN),
    "semaphores (/dev/shm)": (_multiprocessing, "SemLock", errno.ENOSPC),
    "shared pages": (shared_memory, "_replace_pages", errno.ENOMEM),
    "threads": (threading.Thread, "start", errno.EAGAIN),
}


@contextmanager
def refused(owner: Any, name: str, error: int, first: int) -> Iterator[list[int]]:
    """Let the system refuse a call from its `first` use on, as it does when it has no more; gives the uses so far."""
    given, made = getattr(owner, name), list[int]()

    def refuse(*arguments: Any, **more: Any) -> Any:
        made.append(error)
        if len(made) >= first:
            if owner is threading.Thread:
                raise RuntimeError("can't start new thread")
            raise OSError(error, os.strerror(error))
        return given(*arguments, **more)

    with patch.object(owner, name, refuse):
        yield made


@experiment(
    "a run that gets no process, semaphore (/dev/shm is full), shared page or thread, from the first or from a later "
    "use on, goes on in turn and ends with 0 and in the same bytes; so does one of a user who may have no more "
    "processes (RLIMIT_NPROC)",
    soak=400,
)
def scarce_resources(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of runs; every fifth has a limit of the system instead (RLIMIT_NPROC)."""
    tally, drawn, run = Tally(), random.Random(seed), folder / "run"
    with in_two_processes() as begun:
        whole = prepare(folder, LENGTH, IN_TWO, 300)
    tally.count(bool(begun), "no step was made in two processes")
    for number in tries(count, seconds):
        if number % 5 == 4 and (os.getuid() or shutil.which(AS_NOBODY[0])):
            code, told = _in_one_process(folder), "at most one process"
        else:
            told = list(RESOURCES)[number % 5 % len(RESOURCES)]
            first = 1 if number < 5 else drawn.randint(1, 4)
            with no_fsync(), refused(*RESOURCES[told], first):
                code = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet").exit_code
            told = f"{told} from use {first} on"
        found = differing(whole, lasting(run)) if run.exists() else ["everything"]
        tally.count(code == 0 and not found, f"{told}: {code}, {found}")
        shutil.rmtree(run, ignore_errors=True)
    return tally


def _in_one_process(folder: Path) -> int:
    """Train as a user who may have one process with one thread; return the exit code.

    Root may always have more: where this is root, another user trains, who may read and write what root may.
    """
    command = child_command("train", "net.nnspec", "--out", "run", "--quiet")
    if os.getuid() == 0:
        command = [*AS_NOBODY, *command]
    environment = child_environment(OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, preexec_fn=limit).returncode


CLOCKS: dict[str, Callable[[random.Random, float], float]] = {
    "set back once": lambda drawn, now: now - 7200,
    "set back and forward": lambda drawn, now: now + drawn.uniform(-1e6, 1e6),
    "before 1970": lambda drawn, now: now - 2e9 - drawn.random(),
    "stopped": lambda drawn, now: 1.8e9,
    "in the year 2100": lambda drawn, now: now + 2.4e9,
}
"""What a clock that is set says instead of `now`."""


@contextmanager
def clock(way: str, seed: int, after: int) -> Iterator[None]:
    """Let the clocks that a run reads, the one of the day and the one that measures, go wrong after some readings."""
    drawn, readings = random.Random(seed), 0
    given = {name: getattr(time, name) for name in ("time", "perf_counter")}

    def reading(name: str) -> float:
        nonlocal readings
        readings += 1
        now: float = given[name]()
        return CLOCKS[way](drawn, now) if readings > after else now

    with patch.multiple(time, time=lambda: reading("time"), perf_counter=lambda: reading("perf_counter")):
        yield


@experiment(
    "a run whose clocks (time.time, time.perf_counter) are set back, forward, to before 1970 or to 2100, jump, or stop "
    "in the middle of it ends in the same bytes, stopped and resumed too, and in two processes",
    soak=1_000,
)
def clocks(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of runs; every other one is stopped after a step and resumed."""
    tally, drawn, run = Tally(), random.Random(seed), folder / "run"
    whole = prepare(folder, LENGTH, IN_TWO, 300)
    for number in tries(count, seconds):
        way = list(CLOCKS)[number % len(CLOCKS)]
        after, step = drawn.randint(0, 60), drawn.randint(1, 23)
        with no_fsync(), clock(way, seed + number, after):
            if number % 2:
                code = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet").exit_code
            else:
                with at_step(step):
                    code = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet").exit_code
                code = nnspec(folder, "resume", "run", "--quiet").exit_code if code == 130 else code or 1
        found = differing(whole, lasting(run))
        tally.count(code == 0 and not found, f"{way} after {after} readings: {code}, {found}")
        shutil.rmtree(run)
    return tally
