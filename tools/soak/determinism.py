"""Equal specs give equal bytes; another arithmetic of the machine is recorded and reported."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from nnspec import checkpoints
from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.execute import processors
from nnspec.runtime.execute.executor import Executor
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.execute.threads import Threads
from nnspec.runtime.execute.worker_processes import WorkerProcesses
from nnspec.runtime.infer import program_cache
from tests.support.commands import child_command, child_environment, differing, lasting, nnspec, no_fsync
from tools.soak.experiments import Tally, experiment, tries

NETWORKS = {
    "two lanes": "conv 3x3 x8 relu -> maxpool 2 -> dropout 0.2 -> dense 10 softmax",
    "dense, in two lanes": "dense 256 relu -> dropout 0.2 -> dense 10 softmax",
    "one thread": "maxpool 4 -> dense 16 relu -> batchnorm -> dense 10 softmax",
    "over time": "reshape 28x28 -> gru 16 -> dense 10 softmax",
}
LENGTH = "train 8 iterations batch=64 evaluate_every=4 checkpoint_every=3 lanes=2 seed=3"
CORES = ("Haswell", "SkylakeX", "Zen", "Sandybridge", "Nehalem", "Prescott", "Core2")
"""Kernels of OpenBLAS that a machine may have; on one that has less it takes what it has."""


def write_spec(folder: Path, network: str, length: str = LENGTH) -> None:
    """Write net.nnspec on the MNIST sample of the package."""
    lines = (network, "data mnist_sample", "optimizer adam lr=0.001", "schedule cosine", length)
    (folder / "net.nnspec").write_text("\n".join(lines) + "\n")


def run_apart(folder: Path, *arguments: object, processors: int | None = None, **environment: str) -> int:
    """Run the command in a process limited to a number of processors; return its exit code."""
    command = child_command(*arguments, "--quiet")

    def confined() -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:processors])

    return subprocess.run(
        command, cwd=folder, env=child_environment(**environment), capture_output=True, preexec_fn=confined
    ).returncode


@experiment(
    "runs of one spec in processes of their own, with other folders, hash seeds, numbers of BLAS threads allowed and "
    "numbers of processors, are equal in every byte but /run",
    soak=60,
)
def processes(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Try `count` processes."""
    tally, firsts = Tally(), dict[str, dict[str, Any]]()
    for number in tries(count, seconds):
        label, network = list(NETWORKS.items())[number % len(NETWORKS)]
        place = folder / f"{number}" / ("x" * (1 + number % 5))
        place.mkdir(parents=True)
        write_spec(place, network)
        threads, processors = 1 + number // len(NETWORKS) % 2, (None, 1)[number // len(NETWORKS) % 3 % 2]
        environment = {"PYTHONHASHSEED": str(seed + number), "OPENBLAS_NUM_THREADS": str(threads)}
        arguments = ("train", "net.nnspec", "--out", f"run{number}")
        code = run_apart(place, *arguments, processors=processors, **environment)
        run = lasting(place / f"run{number}") if code == 0 else {}
        found = differing(firsts.setdefault(label, run), run)
        tally.count(code == 0 and not found, f"{label}, {environment}, {processors}: {code}, {found}")
    return tally


@experiment(
    "a run whose lanes are computed one after the other equals one whose lanes have a thread or a process each",
    soak=10,
)
def lanes(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Try `count` runs in threads and as many in processes, each against one in turn."""
    tally = Tally()
    for number in tries(count, seconds):
        write_spec(folder, NETWORKS["two lanes"], LENGTH.replace("seed=3", f"seed={seed + number}"))
        with no_fsync():
            for way, computed in LANES.items():
                with computed() as made:
                    assert nnspec(folder, "train", "net.nnspec", "--out", way, "--quiet").exit_code == 0
                found = differing(lasting(folder / "in turn"), lasting(folder / way))
                if way != "in turn":
                    tally.count(not found and len(made) > 0, f"{way}: {found}, {len(made)} steps of two lanes")
        for way in LANES:
            shutil.rmtree(folder / way)
    return tally


@contextmanager
def _counted(executor: type[Executor]) -> Iterator[list[int]]:
    """Count the steps whose lanes an executor computes, by how many lanes they have."""
    made: list[int] = []
    run = executor.run

    def counted(self: Executor, program: BoundProgram) -> list[Any]:
        made.append(len(program.steps))
        return run(self, program)

    with patch.object(executor, "run", counted):
        yield made


@contextmanager
def _in_this_process(executor: Executor) -> Iterator[list[int]]:
    """Let an executor within this process compute all lanes, and count the steps."""
    with (
        patch.object(processors, "worker_pays", lambda: False),
        patch.object(program_cache, "executor_for", lambda _: executor),
        _counted(type(executor)) as made,
    ):
        yield made


def in_two_processes() -> AbstractContextManager[list[int]]:
    """Compute lanes as usual, and count the steps of the worker process."""
    return _counted(WorkerProcesses)


LANES: dict[str, Callable[[], AbstractContextManager[list[int]]]] = {
    "in turn": partial(_in_this_process, IN_TURN),
    "threads": partial(_in_this_process, Threads(2)),
    "processes": in_two_processes,
}
"""The ways in which lanes are computed."""


@experiment(
    "under another kernel of OpenBLAS (OPENBLAS_CORETYPE) resuming is refused, and works with --allow-inexact; or the "
    "kernel is the same, and so are the bits",
    soak=len(CORES),
)
def core_types(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Try `count` kernels. The notes say how far results differ after eight steps."""
    tally = Tally()
    write_spec(folder, NETWORKS["dense, in two lanes"])
    assert run_apart(folder, "train", "net.nnspec", "--out", "here") == 0
    here = checkpoints.read(folder / "here" / "last.h5")
    former = folder / "here" / "last.h5.prev"
    for number in tries(min(count, len(CORES)), seconds):
        core = CORES[(number + seed) % len(CORES)]
        code = run_apart(folder, "train", "net.nnspec", "--out", core, OPENBLAS_CORETYPE=core)
        there = checkpoints.read(folder / core / "last.h5") if code == 0 else here
        kernel = there.meta["environment"]["blas_kernel"]
        apart = _apart(here, there)
        tally.notes.append(f"{core} (runs as {kernel}): weights at most {apart:.1e} apart after eight steps")
        place = folder / f"resumed-{core}"
        place.mkdir()
        shutil.copy(former, place / "last.h5")
        refused = run_apart(folder, "resume", place, OPENBLAS_CORETYPE=core)
        allowed = run_apart(folder, "resume", place, "--allow-inexact", OPENBLAS_CORETYPE=core)
        same_kernel = kernel == here.meta["environment"]["blas_kernel"]
        right = (refused, apart) == (0, 0.0) if same_kernel else refused == 1
        tally.count(code == 0 and allowed == 0 and right, f"{core}: {code}, {refused}, {allowed}, {apart}")
    return tally


def _apart(a: checkpoints.Checkpoint, b: checkpoints.Checkpoint) -> float:
    names = [name for name in a.entries if name.startswith("weights/")]
    return max(float(np.abs(np.asarray(a.entries[n]) - np.asarray(b.entries[n])).max()) for n in names)
