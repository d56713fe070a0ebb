"""Runs that are stopped at the worst moments: killed at any instant, interrupted during a save, signalled twice."""

import random
import shutil
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

from nnspec import checkpoints
from nnspec.runtime.execute.processors import worker_pays
from tests.support.commands import differing, lasting, nnspec, write_data, write_spec
from tools.soak.children import Children, at_call, children
from tools.soak.determinism import in_two_processes
from tools.soak.experiments import Tally, experiment, tries

LENGTH = "train 16 iterations batch=8 evaluate_every=5 checkpoint_every=3 keep=2 seed=5"
SHORT = "train 8 iterations batch=8 evaluate_every=4 checkpoint_every=3 seed=5"


SMALL = "dense 8 relu -> dropout 0.4 -> batchnorm -> dense 3 softmax"
IN_TWO = "dense 400 relu -> dropout 0.4 -> dense 3 softmax"  # with 300 features two processes compute a step


def prepare(folder: Path, length: str, network: str = SMALL, features: int = 4) -> dict[str, Any]:
    """A spec with a whole run of it in whole/; gives what must be equal."""
    write_data(folder, features=features)
    write_spec(folder, network, "optimizer adam lr=0.01", "schedule cosine warmup=5", length)
    assert nnspec(folder, "train", "net.nnspec", "--out", "whole", "--quiet").exit_code == 0
    return lasting(folder / "whole")


def go_on(run: Path) -> tuple[str, ...]:
    """Return the arguments that resume a run, or start it if it has no checkpoint yet."""
    if (run / "last.h5").exists():
        return ("resume", run.name, "--quiet")
    return ("train", "net.nnspec", "--out", run.name, "--quiet")


@experiment(
    "a run killed by SIGKILL at random instants has whole checkpoints each time, can be resumed, and ends in "
    "the same bytes",
    soak=3_000,
)
def kills(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of kills that met a living process; each is one try, held where what it left and the end are right."""
    return _killed(prepare(folder, LENGTH), count, seed, folder, seconds)


@experiment("the same of a run that trains in two processes, the first of which is killed", soak=1_000)
def kills_in_two(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of kills too. What is resumed begins at once, whether the second process has gone or not."""
    with in_two_processes() as begun:
        whole = prepare(folder, LENGTH, IN_TWO, 300)
    tally = _killed(whole, count, seed, folder, seconds)
    tally.count(bool(begun) or not worker_pays(), "no step was made in two processes")
    return tally


def _killed(whole: dict[str, Any], count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Kill the run of net.nnspec in a folder again and again, going on each time, until it ends."""
    tally, random_, run = Tally(), random.Random(seed), folder / "run"
    with children() as commands:
        started = time.monotonic()
        assert commands.run(folder, "train", "net.nnspec", "--out", "timed", "--quiet") == 0
        longest = time.monotonic() - started
        waiting: list[bool] = []  # kills of the run under way, by whether they left whole files
        for _ in tries(count * 10, seconds):
            code = commands.run_and_kill(folder, random_.uniform(0, longest), *go_on(run))
            if code == -signal.SIGKILL:
                files = [run / name for name in ("last.h5", "best.h5", "last.h5.prev")]
                waiting.append(all(checkpoints.is_whole(str(file)) for file in files if file.exists()))
            if code != -signal.SIGKILL or len(waiting) > 8:
                if code == -signal.SIGKILL:
                    code = commands.run(folder, *go_on(run))
                _settle(tally, waiting, code, differing(whole, lasting(run)), run)
                waiting = []
            if tally.tried >= count:
                break
        if waiting:
            code = commands.run(folder, *go_on(run))
            _settle(tally, waiting, code, differing(whole, lasting(run)), run)
    return tally


def _settle(tally: Tally, waiting: list[bool], code: int, found: list[str], run: Path) -> None:
    """Count the kills of a run that has come to its end, and clear it away."""
    for whole in waiting:
        tally.count(whole and code == 0 and not found, f"whole {whole}, ended with {code}, differs in {found}")
    shutil.rmtree(run)


def _first_save(made: list[str]) -> int:
    """The number of the call with which the first save opens its file: before its flock, the fourth.

    The first three are those of the run, of spec.nnspec and of resolved.nnspec.
    """
    return [at for at, name in enumerate(made) if name == "flock"][3]


@experiment(
    "SIGINT and SIGTERM before any system call of any save: saved, 130 or 143; the resumed run ends in the same bytes",
    soak=100_000,
)
def signals_in_saves(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of places, spread over all there are."""
    tally = Tally()
    whole, run = prepare(folder, SHORT), folder / "run"
    with at_call(0, lambda: None) as made:
        assert nnspec(folder, "train", "net.nnspec", "--out", "counted", "--quiet").exit_code == 0
    places = range(_first_save(made), len(made) + 1)
    for number in tries(min(count, len(places)), seconds):
        place = places[(number * len(places)) // min(count, len(places))]
        kind = (signal.SIGINT, signal.SIGTERM)[(number + seed) % 2]
        with at_call(place, partial(signal.raise_signal, kind)):
            code = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet").exit_code
        saved = checkpoints.is_whole(str(run / "last.h5"))
        again = code  # 0 inside the last saves: the run is at its end all the same
        if code == 128 + kind:
            again = nnspec(folder, "resume", "run", "--quiet").exit_code
        found = differing(whole, lasting(run))
        tally.count(saved and again == 0 and not found, f"at call {place}: {code}, {again}, differs in {found}")
        shutil.rmtree(run)
    return tally


@experiment(
    "a second SIGINT, before any system call of any save, ends the process at once with 130; the former file is whole, "
    "and the resumed run ends in the same bytes",
    soak=100_000,
)
def second_signals(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """`count` is of places, spread over all there are."""
    tally = Tally()
    whole, run = prepare(folder, SHORT), folder / "run"
    with at_call(0, lambda: None) as made:
        assert nnspec(folder, "train", "net.nnspec", "--out", "counted", "--quiet").exit_code == 0
    places = range(_first_save(made) + 22, len(made) + 1)  # the first file of all has no former one
    with children() as commands:
        for number in tries(min(count, len(places)), seconds):
            place = places[(number * len(places)) // min(count, len(places))]
            _twice(commands, folder, run, place, whole, tally)
    return tally


def _twice(commands: Children, folder: Path, run: Path, place: int, whole: dict[str, Any], tally: Tally) -> None:
    code = commands.run(folder, "train", "net.nnspec", "--out", "run", "--quiet", twice_at=place)
    saved = checkpoints.is_whole(str(run / "last.h5"))
    again = commands.run(folder, *go_on(run))
    found = differing(whole, lasting(run))
    seen = f"at call {place}: {code}, {again}, whole {saved}, differs in {found}"
    tally.count(code == 130 and saved and again == 0 and not found, seen)
    shutil.rmtree(run)
