"""Signals to the processes of a run that trains in two: to the first, to the second, and to both."""

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnspec import checkpoints
from tests.support.commands import differing, lasting
from tools.soak.children import Children, children, left_in_group, process_states
from tools.soak.experiments import Tally, experiment, tries
from tools.soak.stopping import IN_TWO, go_on, prepare

LENGTH = "train 120 iterations batch=8 evaluate_every=40 checkpoint_every=15 keep=2 seed=5"
SHARED = Path("/dev/shm")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP)
TARGETS = ("the first", "the second", "both")
KILLED = "worker process of the training was killed"


@experiment(
    "SIGINT, SIGTERM, SIGKILL, or SIGSTOP and later SIGCONT, at a random instant to the first process of a run in two, "
    "to the second or to both: the run goes on, or is saved and ends with 130 or 143, or is killed, or ends with a "
    "sentence; it ends in the same bytes, resumed where it had ended; no process is left and nothing in /dev/shm",
    soak=2_400,
)
def signals_to_each(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of runs in two processes that got a signal; a run that ended before it is tried again."""
    tally, drawn = Tally(), random.Random(seed)
    whole, run = prepare(folder, LENGTH, IN_TWO, 300), folder / "run"
    before = _shared()
    with children() as commands:
        longest = _seconds_in_two(commands, folder)
        for number in tries(count * 10, seconds):
            if tally.tried >= count:
                break
            kind, target = SIGNALS[tally.tried % len(SIGNALS)], TARGETS[tally.tried // len(SIGNALS) % len(TARGETS)]
            first = commands.start(folder, "train", "net.nnspec", "--out", "run", "--quiet")
            second = second_process(first)
            time.sleep(drawn.uniform(0, longest))
            if second is not None and _send(kind, target, first, second):
                code, left = commands.end(), left_in_group(first)
                wrong = _wrong(commands, folder, whole, code, kind, target)
                told = f"{kind.name} to {target}: {code}, left {left}, {wrong}"
                tally.count(not wrong and not left, told)
            elif code := commands.end():
                tally.count(False, f"without a signal: {code}, {(folder / 'errors.txt').read_text()[-500:]}")
            shutil.rmtree(run, ignore_errors=True)
            (folder / "errors.txt").unlink(missing_ok=True)
            assert number or second is not None, "no step was made in two processes"
    new = _shared() - before
    tally.count(not new, f"new in {SHARED}: {sorted(new)}")
    return tally


def _seconds_in_two(commands: Children, folder: Path) -> float:
    """Return how long a run has two processes."""
    first = commands.start(folder, "train", "net.nnspec", "--out", "timed", "--quiet")
    second_process(first)
    began = time.monotonic()
    assert commands.end() == 0
    return time.monotonic() - began


def second_process(first: int, patience: float = 30.0) -> int | None:
    """Wait until a process has forked another one, and return that; None where it ended before."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        states = list(process_states())
        for status in states:
            if status.parent == first and status.state not in "ZX":
                return status.process
        if not any(status.process == first and status.state not in "ZX" for status in states):
            return None
    return None


def _send(kind: signal.Signals, target: str, first: int, second: int) -> bool:
    """Send the signal, where both processes are there; after SIGSTOP, SIGCONT. Return whether it was sent."""
    if {first, second} - set(_running(first)):
        return False
    with suppress(ProcessLookupError):
        _to(target, first, second, kind)
        if kind == signal.SIGSTOP:
            time.sleep(0.15)
            _to(target, first, second, signal.SIGCONT)
    return True


def _to(target: str, first: int, second: int, kind: signal.Signals) -> None:
    if target == "both":
        os.killpg(first, kind)
    else:
        os.kill(first if target == "the first" else second, kind)


def _running(group: int) -> Iterator[int]:
    for status in process_states():
        if status.group == group and status.state not in "ZX":
            yield status.process


def _wrong(
    commands: Children, folder: Path, whole: dict[str, Any], code: int, kind: signal.Signals, target: str
) -> list[str]:
    """Return what is wrong with how a run ended, and with the bytes in which it ends after that."""
    run, wrong = folder / "run", list[str]()
    errors = (folder / "errors.txt").read_text() if (folder / "errors.txt").exists() else ""
    if code not in _codes(kind, target):
        wrong.append(f"the exit code, {errors[-300:]}")
    if code == 1 and KILLED not in errors:
        wrong.append(f"the sentence, {errors[-300:]}")
    if "Traceback" in errors:
        wrong.append(f"a traceback, {errors[-300:]}")
    files = [run / name for name in ("last.h5", "best.h5", "last.h5.prev")]
    wrong += [f"{file.name} is damaged" for file in files if file.exists() and not checkpoints.is_whole(str(file))]
    again = commands.run(folder, *go_on(run)) if code else 0
    if again:
        wrong.append(f"resumed, it ended with {again}")
    return wrong + [f"{name} differs" for name in differing(whole, lasting(run))]


def _codes(kind: signal.Signals, target: str) -> set[int]:
    """Return the exit codes that are right; 0 too, for a signal after the last step changes nothing."""
    if kind == signal.SIGSTOP or (target == "the second" and kind != signal.SIGKILL):
        return {0}
    if kind == signal.SIGKILL:
        return {0, 1} if target == "the second" else {0, -signal.SIGKILL}
    return {0, 128 + kind}


def _shared() -> set[str]:
    """Return what is in the folder of shared memory, but for what other programs have there for a moment."""
    found = set(os.listdir(SHARED)) if SHARED.exists() else set[str]()
    if found:
        time.sleep(0.5)
        found &= set(os.listdir(SHARED))
    return found
