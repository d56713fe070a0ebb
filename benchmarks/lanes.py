"""What a lane costs, and how a training step scales with workers: measured on the cores there are, and a model of more.

    python -m benchmarks --workers 1,2,4,8   measures steps with these numbers of workers, all of the same lanes
    python -m benchmarks.lanes               the model and what it is made of, as docs/performance.md has it

The model adds up parts that are measured in one run: what one process does alone (drawing a batch), a lane of that
size, a worker's share of the sum of gradients and of the update, and the messages. Lanes and shares are multiplied by
how much longer they take while the other core computes too, which is memory bandwidth and clock; that this factor stays
as it is with more cores is an assumption.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.workloads import WORKLOADS
from nnspec.runtime.data import Data
from nnspec.runtime.execute.in_turn import walk
from nnspec.runtime.execute.processors import Workers, processor_count, with_workers
from nnspec.runtime.execute.shared_memory import shared_zeros
from nnspec.runtime.execute.worker_process import slice_of
from nnspec.runtime.execute.worker_processes import WorkerProcesses
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import with_lanes
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.source import Source

NAMES = ("W2", "W3-64", "W4")
"""The workloads whose steps are modelled: batches that may have sixteen lanes."""

SCALED = ("W1", *NAMES)
"""The workloads that `--workers` measures."""

CORES = (1, 2, 4, 8, 16)
MODELLED = (4, 8, 16)

Report = Callable[[str], None]


def request(name: str, lanes: int | None = None) -> Request:
    """Return a workload on the digits of the package, in a number of lanes; None leaves that open."""
    workload, count = WORKLOADS[name], "" if lanes is None else f" lanes={lanes}"
    text = f"{workload.network}\ndata mnist_sample\noptimizer {workload.optimizer}\ntrain batch={workload.batch}{count}"
    return Request(Source(name, text, None))


@contextmanager
def training(spec: Spec, data: Data, workers: Workers) -> Iterator[Stepper]:
    """Provide a trainer of a spec with this number of workers."""
    network = Network(with_lanes(spec), data.preprocessing)
    network.initialize(0)
    stepper = Stepper(initial_state(network, len(data.train), 0), data, 1e9)
    with with_workers(workers), stepper.ready():
        yield stepper


def speed(stepper: Stepper, seconds: float) -> float:
    """Return the steps a second of some seconds of training, after a quarter as long."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < seconds / 4:
        stepper.advance(1_000)
    made, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        made += len(stepper.advance(1_000))
    return made / (time.perf_counter() - begun)


def measure_workers(counts: Sequence[int], rounds: int, seconds: float, report_line: Report) -> list[dict[str, Any]]:
    """Return a row for each workload and number of workers, in turns in one process, all in as many lanes as the most
    workers: samples a second, and the median of the ratio to one worker."""
    rows = []
    lanes = max(count for count in CORES if count <= max(counts))
    for name in SCALED:
        report_line(f"{name}: {', '.join(map(str, counts))} workers")
        spec, data = check_with_data(request(name, lanes))
        with ExitStack() as stack:
            ways = [stack.enter_context(training(spec, data, count)) for count in (1, *counts)]
            found = [[speed(way, seconds) * spec.train.batch for way in ways] for _ in range(rounds)]
        for place, count in enumerate(counts, 1):
            rate = statistics.median(times[place] for times in found)
            ratio = statistics.median(times[place] / times[0] for times in found)
            rows.append({"name": name, "lanes": lanes, "workers": count, "rate": rate, "ratio": ratio})
    return rows


def workers_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows of `measure_workers` as Markdown."""
    counts = list(dict.fromkeys(row["workers"] for row in rows))
    lines = [
        f"| samples a second, {rows[0]['lanes']} lanes | {' | '.join(_workers(count) for count in counts)} |",
        "|---|" + "---|" * len(counts),
    ]
    for name in dict.fromkeys(row["name"] for row in rows):
        cells = [f"{row['rate']:,.0f} ({row['ratio']:.2f})" for row in rows if row["name"] == name]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


class _Nothing:
    """Stands in for a program of lanes without work, and for its update."""

    program: Any = None
    step, rate, size = 0, 0.0, 0

    def __init__(self, barriers: int):
        self.barriers, self.steps = barriers, [None, None]
        self.numbers = shared_zeros(16, "f8")

    def lane(self, number: int) -> Any:
        """Return at once, or at each barrier."""
        return 0.0 if not self.barriers else iter([0.0] * (self.barriers + 1))

    def __call__(self, part: slice) -> None:
        """Do nothing."""


def measure_messages(rounds: int) -> float:
    """Return the seconds of a message to a worker and its answer."""
    nothing: Any = _Nothing(0)
    workers = WorkerProcesses(2, [nothing], nothing)
    try:
        return _fastest(lambda: workers.run(nothing), rounds * 200)
    finally:
        workers.close()


def measure_lanes(rounds: int, report_line: Report) -> list[dict[str, Any]]:
    """Return, for each workload and number of lanes, the parts of a step in seconds, each timed alone on one core.

    `lane` is a lane, `slice` a worker's share of the sum of gradients and of the update where there are as many workers
    as lanes, `serial` all else, `message` a message to a worker and back, `meetings` how many of them a step has.
    `beside` is how many times as long a lane takes while the other core computes one too. `measured` is a step of one
    worker, or two, in turns.
    """
    message = measure_messages(rounds)
    rows = []
    for name in NAMES:
        for lanes in CORES:
            report_line(f"{name}: {lanes} lanes")
            spec, data = check_with_data(request(name, lanes))
            with training(spec, data, 1) as stepper:
                row: dict[str, Any] = dict(_parts(stepper, spec, lanes, rounds))
            beside = None
            if lanes == 2 and processor_count() > 1:
                with training(spec, data, 1) as one, training(spec, data, 2) as two:
                    _pin(two)
                    pairs = [(1 / speed(one, 0.3), 1 / speed(two, 0.3)) for _ in range(rounds)]
                row["measured"] = [statistics.median(times) for times in zip(*pairs, strict=True)]
                shared = max(row["measured"][1] - row["serial"] - row["meetings"] * message, 0)
                beside = shared / (row["lane"] + row["slice"])
            rows.append({"name": name, "lanes": lanes, "message": message, "beside": beside, **row})
    return rows


def _pin(stepper: Stepper) -> None:
    """Let all workers take part in every step, whatever it costs."""
    pace = getattr(stepper.workers, "pace", None)
    if pace is not None:
        pace.made = lambda *_: None


def _parts(stepper: Stepper, spec: Spec, lanes: int, rounds: int) -> dict[str, float]:
    """Return the seconds of the parts of a step of a trainer that is alone."""
    batch, update = spec.train.batch, stepper.update
    program = stepper.program(batch)
    step = 1 / statistics.median(speed(stepper, 0.2) for _ in range(rounds))
    lane = _fastest(lambda: walk(program, [0]), rounds * 5)
    update.program, update.step, update.rate = program, stepper.state.step, 0.0
    whole = _fastest(lambda: update(slice(None)), rounds * 5)
    part = _fastest(lambda: update(slice_of(update.size, 0, lanes)), rounds * 5)
    update.program = None
    serial = max(step - lanes * lane - whole, 0.0)
    return {"step": step, "lane": lane, "slice": part, "serial": serial, "meetings": 2 + program.barriers}


def _fastest(work: Callable[[], object], times: int) -> float:
    """Return the seconds of the fastest tenth of some calls."""
    found = []
    for _ in range(max(times, 10)):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(sorted(found)[: len(found) // 10 or 1])


def modelled(row: Mapping[str, Any], beside: float) -> float:
    """Return the seconds of a step with as many workers as lanes, by the model."""
    meetings = row["meetings"] * (row["lanes"] - 1) * row["message"]
    return float(row["serial"] + beside * (row["lane"] + row["slice"]) + meetings)


def section(rows: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the section of docs/performance.md; `results` are those of the same run, for PyTorch's own gain."""
    lines = [
        "| | 1 lane, µs | 2 workers: model | measured | PyTorch, 2 threads | "
        + " | ".join(f"{count} cores: model" for count in MODELLED)
        + " | serial |",
        "|---|" + "---|" * (len(MODELLED) + 5),
    ]
    costs = ["| | " + " | ".join(f"{count} lanes" for count in CORES[1:]) + " |", "|---|" + "---|" * len(CORES[1:])]
    for name in dict.fromkeys(row["name"] for row in rows):
        of = {row["lanes"]: row for row in rows if row["name"] == name}
        whole, beside = of[1]["step"], of[2]["beside"] or 1.0
        measured = of[2].get("measured")
        times = [f"{whole / modelled(of[count], beside):.1f} times" for count in MODELLED]
        reached = f"{measured[0] / measured[1] * whole / of[2]['step']:.2f} times" if measured else "one core"
        two = f"{whole / modelled(of[2], 1.0):.2f} times"
        lines.append(
            f"| {name} | {whole * 1e6:,.0f} | {two} | {reached} | {_torch_gain(name, results)} | {' | '.join(times)} "
            f"| {of[1]['serial'] / whole:.0%} |"
        )
        shares = [f"{of[count]['step'] / whole:.2f}" for count in CORES[1:]]
        costs.append(f"| {name} | {' | '.join(shares)} |")
    message = rows[0]["message"] * 1e6
    table, shares_table = "\n".join(lines), "\n".join(costs)
    return f"""## More cores

**The figures for four and more cores are a model**, not a measurement: this machine has {processor_count()}. It adds up
parts of a step that this run measured on one core each: what one process does alone, a lane, a worker's share of the
sum of gradients and of the update, and the messages between processes, {message:.0f} µs each there and back. Lanes and
shares are multiplied by how much longer they took while the other core computed too; that more cores share memory no
worse than these two do is an assumption. A step has as many lanes as cores.

{table}

`python -m benchmarks --workers 1,2,4,8` measures it on a machine with more cores.

What lanes cost: the time of a step that one worker computes, its lanes in turn, divided by that of one lane.

{shares_table}

`python -m benchmarks.lanes` prints this part of a run."""


def _torch_gain(name: str, results: Sequence[Mapping[str, Any]]) -> str:
    """Return how many times as fast PyTorch is on two threads as on one, by the run's results."""
    found: dict[int, float] = {}
    for result in results:
        for way in result["ways"] if result["name"] == name else ():
            threads = next((n for n in (1, 2) if f"{n} thread" in way["way"]), None)
            if way["peer"] == "torch" and threads is not None:
                found[threads] = min(found.get(threads, float("inf")), statistics.median(way["seconds"]))
    return f"{found[1] / found[2]:.2f} times" if {1, 2} <= set(found) else ""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lanes", description="What lanes cost, and a model.")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    print(section(measure_lanes(given.rounds, lambda line: print(line, file=sys.stderr))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
