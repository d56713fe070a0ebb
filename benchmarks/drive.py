"""Runs workloads side by side: one process for each peer, every way of each checked first, then timed in turns.

Machines drift within minutes, so a round times every way once, and only times of one round are compared.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import difference
from benchmarks.workloads import GEMM, Workload

ROOT = Path(__file__).parents[1]
HIDDEN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables that would have BLAS use other kernels than the machine's own."""

TOLERANCE = 1e-3
"""How far a peer's losses may be from the reference after a few steps, relative: each step of Adam rounds again."""

WORTH_KEEPING = 1.5
"""A way that is slower than its peer's best by more than this in the trial is not timed further."""


@dataclass(frozen=True)
class Peer:
    """A peer: the module that its process runs, its name in tables, and how it is imported.

    `uses` is what has a training's parts imported as well, where the import leaves them for later.
    """

    module: str
    title: str
    imports: str
    uses: str = ""


PEERS: dict[str, Peer] = {
    "nnspec": Peer("benchmarks.peers.ours", "nnspec", "import nnspec", "nnspec.train"),
    "torch": Peer("benchmarks.peers.pytorch", "PyTorch", "import torch"),
    "jax": Peer("benchmarks.peers.jax_jit", "JAX", "import jax"),
    "sklearn": Peer("benchmarks.peers.sklearn_mlp", "scikit-learn", "import sklearn.neural_network"),
    "notes": Peer("benchmarks.peers.notes", "the notes' style", "import numpy"),
}
"""Every peer by its short name, in the order of the tables."""

REFERENCE = "torch"
"""The peer whose losses the others must have; where it does not take part, the first one that does."""


class PeerError(RuntimeError):
    """A peer could not do what it was asked."""


class Worker:
    """A peer's process, asked line by line."""

    def __init__(self, module: str):
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 it is closed with the worker
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            cwd=ROOT,
            text=True,
        )

    def ask(self, do: str, workload: Workload | None = None, **more: Any) -> Any:
        """The answer to a request. Raises PeerError with the peer's own words."""
        assert self._process.stdin is not None and self._process.stdout is not None
        request = {"do": do, **({"workload": workload.as_dict()} if workload is not None else {}), **more}
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise PeerError(f"the process ended: {self._errors.read()[-400:].strip() or 'without a word'}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer["ok"]

    @property
    def process(self) -> int:
        """The number of the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process by ending its input."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        self._errors.close()


def environment() -> dict[str, str]:
    """The variables of a peer's process: as here, but for those that slow a BLAS down."""
    return {name: value for name, value in os.environ.items() if name not in HIDDEN}


@contextmanager
def workers(names: Sequence[str]) -> Iterator[tuple[dict[str, Worker], dict[str, str]]]:
    """A process for each peer, and why those that are missing could not start. All end after the block."""
    running: dict[str, Worker] = {}
    absent: dict[str, str] = {}
    try:
        for name in names:
            worker = Worker(PEERS[name].module)
            try:
                worker.ask("about")
            except PeerError as error:
                absent[name] = str(error).splitlines()[-1]
                worker.close()
            else:
                running[name] = worker
        yield running, absent
    finally:
        for worker in running.values():
            worker.close()


@dataclass(frozen=True)
class Effort:
    """How long to measure: `rounds` of `seconds` for each way, `steps` compared before."""

    rounds: int = 7
    seconds: float = 0.2
    steps: int = 20


QUICK = Effort(rounds=2, seconds=0.05, steps=5)


@dataclass
class Contender:
    """One way of one peer in a workload: how far its losses are from the reference, and what a step took in each round.

    `steps` fill a round, by the seconds of a step in the `trial`.
    """

    peer: str
    way: str
    worker: Worker
    workload: Workload
    steps: int = 1
    off: float = 0.0
    trial: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def time(self, steps: int) -> float:
        """Seconds a step."""
        return float(self.worker.ask("time", self.workload, way=self.way, steps=steps))

    def try_out(self, seconds: float) -> str | None:
        """Find out how many steps last so long; why that failed, or None.

        The first timing warms up: what is compiled or allocated on the way is there afterwards.
        """
        try:
            self.time(1)
            self.trial = self.time(1)
            for part in (seconds / 20, seconds / 4):
                steps = int(part / self.trial)
                if steps > 1:
                    self.trial = self.time(steps)
        except PeerError as error:
            return str(error)
        self.steps = max(1, int(seconds / self.trial))
        return None


def measure(
    workload: Workload,
    running: Mapping[str, Worker],
    effort: Effort,
    report_line: Callable[[str], None],
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """A workload's result: every way of every peer that agrees with the reference, timed in turns. See figures.py.

    `only` names the ways that are to take part, all where it is empty.
    """
    contenders, failed = [], []
    for peer, worker in running.items():
        for way in worker.ask("list", workload):
            if not only or way in only:
                contenders.append(Contender(peer, way, worker, workload))
    report_line(f"{workload.name}: comparing what {len(contenders)} ways compute")
    able = []
    steps = min(effort.steps, workload.compared, workload.cycle)  # after a cycle each peer draws in its own order
    for contender, why in list(compared(contenders, steps)):
        if why is None:
            why = contender.try_out(effort.seconds)
        if why is None:
            able.append(contender)
        else:
            failed.append({"peer": contender.peer, "way": contender.way, "why": why})
    kept, dropped = worth_timing(able)
    if "nnspec" in running and workload.flops:
        kept.append(Contender("machine", "gemm", running["nnspec"], GEMM))
        kept[-1].try_out(effort.seconds)
    for number in range(effort.rounds):
        report_line(f"{workload.name}: round {number + 1} of {effort.rounds}")
        for contender in kept:
            contender.seconds.append(contender.time(contender.steps))
    for worker in running.values():
        worker.ask("forget")
    return {
        **workload.as_dict(),
        "flops": workload.flops,
        "gemm_flops": 2 * GEMM.batch**3,
        "ways": [{"peer": c.peer, "way": c.way, "seconds": c.seconds, "steps": c.steps, "off": c.off} for c in kept],
        "dropped": [{"peer": c.peer, "way": c.way, "seconds": c.trial} for c in dropped],
        "failed": failed,
    }


def compared(contenders: Sequence[Contender], steps: int) -> Iterator[tuple[Contender, str | None]]:
    """Each contender, how far its first losses are off noted in it, and why it may not take part, or None."""
    ordered = sorted(contenders, key=lambda contender: contender.peer != REFERENCE)
    reference: list[float] | None = None
    for contender in ordered:
        try:
            found = contender.worker.ask("check", contender.workload, way=contender.way, steps=steps)
        except PeerError as error:
            yield contender, str(error)
            continue
        reference = found if reference is None else reference
        contender.off = difference(found, reference)
        right = contender.off <= TOLERANCE
        what = f"computes something else: {contender.off:.1e} from {ordered[0].peer} after {steps} steps"
        yield contender, None if right else what


def worth_timing(contenders: Sequence[Contender]) -> tuple[list[Contender], list[Contender]]:
    """Those that are, or may turn out to be, the best of their peer, and the others; nnspec's are all kept."""
    best: dict[str, float] = {}
    for contender in contenders:
        best[contender.peer] = min(best.get(contender.peer, contender.trial), contender.trial)
    kept: list[Contender] = []
    dropped: list[Contender] = []
    for contender in contenders:
        near = contender.trial <= WORTH_KEEPING * best[contender.peer]
        (kept if near or contender.peer == "nnspec" else dropped).append(contender)
    return kept, dropped
