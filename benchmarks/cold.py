"""W8: what starting and short calls cost, and memory. Every figure comes from a process of its own, peers in turns."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.drive import PEERS, ROOT, Peer, Worker, environment
from benchmarks.workloads import WORKLOADS, Workload

STARTING = ("nnspec", "torch", "jax")
"""Peers that are started afresh."""

SAMPLES, CALLS = 2_000, 7
"""Samples of a short training, and how often it is called in a process; the median is taken."""

SHORT = {"nnspec": {"arrays": "arrays", "file": "epoch"}, "torch": {"arrays": "arrays"}}
"""The ways in which a peer makes such a call, by measure. PyTorch reads no files of samples."""

QUICKSTART = ROOT / "specs" / "quickstart.nnspec"

PREDICTING = {
    "nnspec": ("nnspec", "predict", "run", "digit.png"),
    "torch": ("benchmarks.peers.pytorch_predict", "weights.pt", "digit.png"),
}
"""The module and arguments of a process that loads a network and predicts the class of one picture."""

LOOK = 0.02
"""Seconds from one look at a process's memory to the next."""


def measure_cold(
    workload: Workload, peers: Sequence[str], rounds: int, report_line: Callable[[str], None]
) -> dict[str, Any]:
    """What each peer takes in each round, by measure; every figure is from a new process.

    import: seconds of the import; import_all: of one that has a training's parts imported too.
    first_loss: seconds from the start of the process to the first loss of W2.
    arrays, file: seconds of a call that builds the network of W2 and trains it for an epoch of SAMPLES, in a process
    that has made such a call before.
    predict: seconds of a process that loads the network of quickstart and predicts the class of a picture.
    train: seconds of `nnspec train` of quickstart, less those of its training.
    memory: the most bytes that a process and its children have had during an epoch.
    """
    taking_part = [peer for peer in STARTING if peer in peers]
    found: dict[str, dict[str, list[float]]] = {peer: {} for peer in taking_part}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, taking_part)
        for number in range(rounds):
            report_line(f"{workload.name}: round {number + 1} of {rounds}")
            for peer in taking_part:
                for measure, value in measures(peer, workload, folder, number):
                    found[peer].setdefault(measure, []).append(value)
    return {**workload.as_dict(), "peers": found}


def measures(peer: str, workload: Workload, folder: Path, number: int) -> Iterator[tuple[str, float]]:
    """Yield the measures of a peer with their values."""
    known = PEERS[peer]
    yield "import", import_seconds(known.imports)
    yield "import_all", import_seconds(with_parts(known))
    yield "first_loss", seconds_to_first_loss(known.module)
    yield from seconds_of_calls(peer, workload)
    if peer in PREDICTING:
        module, *arguments = PREDICTING[peer]
        yield "predict", process_seconds(folder, module, *arguments)[0]
    if peer == "nnspec":
        yield "train", seconds_beside_training(folder, f"again-{number}")
    yield "memory", memory_of_an_epoch(known.module, workload)


def prepare(folder: Path, peers: Sequence[str]) -> None:
    """Make what is predicted with: a picture of a bar, a run, and the weights of the same network in PyTorch."""
    picture = np.zeros((28, 28), np.uint8)
    picture[4:24, 12:16] = 255
    Image.fromarray(picture).save(folder / "digit.png")
    if "nnspec" in peers:
        process_seconds(
            folder, "nnspec", "train", str(QUICKSTART), "--out", "run", "--set", "train.epochs=1", "--quiet"
        )
    if "torch" in peers:
        process_seconds(folder, "benchmarks.peers.pytorch_predict", "weights.pt")


def process_seconds(folder: Path, module: str, *arguments: str) -> tuple[float, str]:
    """What a whole process takes in a folder, and what it has printed."""
    here = environment() | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], env=here, cwd=folder, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - began, done.stdout


def seconds_beside_training(folder: Path, out: str) -> float:
    """What `nnspec train` of quickstart takes besides its training, the seconds of which it reports itself."""
    whole, printed = process_seconds(folder, "nnspec", "train", str(QUICKSTART), "--out", out, "--json")
    return whole - float(json.loads(printed.splitlines()[-1])["seconds"])


def seconds_of_calls(peer: str, workload: Workload) -> Iterator[tuple[str, float]]:
    """Yield the medians of calls that train on few samples, by where the samples are."""
    few = replace(workload, name="W8 short", samples=SAMPLES)
    worker = Worker(PEERS[peer].module)
    for measure, way in SHORT.get(peer, {}).items():
        worker.ask("time", few, way=way, steps=1)
        yield measure, median(worker.ask("time", few, way=way, steps=1) for _ in range(CALLS))
    worker.close()


def with_parts(peer: Peer) -> str:
    """The statements that import a peer and what it leaves for later."""
    return "; ".join(filter(None, (peer.imports, peer.uses)))


def import_seconds(statement: str) -> float:
    """What an import takes in a new interpreter, by the interpreter's own clock."""
    program = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def seconds_to_first_loss(module: str) -> float:
    """From the start of a process until it has made the first step of W2."""
    began = time.perf_counter()
    worker, workload = Worker(module), replace(WORKLOADS["W2"], kind="first")
    ways = worker.ask("list", workload)
    worker.ask("check", workload, way=ways[0], steps=1)
    took = time.perf_counter() - began
    worker.close()
    return took


def memory_of_an_epoch(module: str, workload: Workload) -> int:
    """The most bytes of memory that a process and its children have at once in an epoch of a workload."""
    worker = Worker(module)
    with watched(worker.process) as most:
        worker.ask("time", workload, way="epoch", steps=1)
    worker.close()
    return most()


@contextmanager
def watched(process: int) -> Iterator[Callable[[], int]]:
    """Poll the memory of a process and its children; the yielded function returns the maximum."""
    over, found = threading.Event(), [memory_of(process)]

    def look() -> None:
        while not over.wait(LOOK):
            found.append(memory_of(process))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: max(found)
    finally:
        over.set()
        thread.join()


def memory_of(process: int) -> int:
    """Bytes that a process and its children have; what several have in common counts to each in equal parts."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    own = next((int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:")), 0)
    return own + sum(memory_of(int(child)) for child in children)
