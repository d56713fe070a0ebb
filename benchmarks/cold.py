"""W8: what starting costs, and memory. Every figure comes from a process of its own, peers in turns."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.drive import PEERS, ROOT, Peer, Worker, environment
from benchmarks.workloads import WORKLOADS, Workload

STARTING = ("nnspec", "torch", "jax")
"""Peers that are started afresh."""

MEASURES = ("import", "import_all", "first_loss", "memory")
"""Seconds of the import, and of one that has a training's parts imported too; seconds from the start of the process to
the first loss of W2; the most bytes of memory that it and its children have had during an epoch."""

LOOK = 0.02
"""Seconds from one look at a process's memory to the next."""


def measure_cold(
    workload: Workload, peers: Sequence[str], rounds: int, report_line: Callable[[str], None]
) -> dict[str, Any]:
    """The MEASURES of each peer in each round, every one from a new process."""
    taking_part = [peer for peer in STARTING if peer in peers]
    found: dict[str, dict[str, list[float]]] = {peer: {measure: [] for measure in MEASURES} for peer in taking_part}
    for number in range(rounds):
        report_line(f"{workload.name}: round {number + 1} of {rounds}")
        for peer in taking_part:
            known = PEERS[peer]
            found[peer]["import"].append(import_seconds(known.imports))
            found[peer]["import_all"].append(import_seconds(with_parts(known)))
            found[peer]["first_loss"].append(seconds_to_first_loss(known.module))
            found[peer]["memory"].append(memory_of_an_epoch(known.module, workload))
    return {**workload.as_dict(), "peers": found}


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
    worker = Worker(module)
    ways = worker.ask("list", WORKLOADS["W2"])
    worker.ask("check", WORKLOADS["W2"], way=ways[0], steps=1)
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
