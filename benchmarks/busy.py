"""A machine on which other programs compute: how a run with as many workers as pay fares against one worker alone.

    python -m benchmarks.busy            every network, beside no, one and two processes that burn a core each
    python -m benchmarks.busy W2 --quick

Both train in turns, in one process, beside the same other processes. A ratio is the median over the rounds.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.drive import ROOT
from benchmarks.lanes import request, speed, training
from nnspec.runtime.execute.processors import processor_count
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.spec_lang.check.spec_request import Request

BURNERS = (0, 1, 2)
"""How many other processes compute."""

GOAL = 0.9
"""The least share of one worker's speed beside other processes."""

NETWORKS: dict[str, Callable[[], Request]] = {
    "mnist_mlp": lambda: _shipped("mnist_mlp", data="mnist_sample"),
    "sine_rnn, stateful": lambda: _shipped("sine_rnn", variant="stateful"),
    "W2": lambda: request("W2"),
    "W4": lambda: request("W4"),
}
"""What is trained, by its name."""


def _shipped(name: str, **given: Any) -> Request:
    return Request(ROOT / "specs" / f"{name}.nnspec", **given)


def measure_busy(
    names: Sequence[str], rounds: int, seconds: float, report_line: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Return a row for each network and number of other processes: steps a second of one worker and of several.

    Arguments:
        names: of NETWORKS.
        rounds: how many times each is measured, in turns.
        seconds: how long each time, without the first quarter of it.
        report_line: is given what is being done.
    """
    rows: list[dict[str, Any]] = []
    for name in names:
        spec, data = check_with_data(NETWORKS[name]())
        with ExitStack() as stack:
            ways = [stack.enter_context(training(spec, data, workers)) for workers in (1, "auto")]
            lanes = len(ways[0].program(spec.train.batch).plan.schedule.lanes)
            for burners in BURNERS:
                report_line(f"{name} beside {burners} other processes")
                with burning(burners):
                    found = [[speed(way, seconds) for way in ways] for _ in range(rounds)]
                one, several = (statistics.median(times) for times in zip(*found, strict=True))
                ratio = statistics.median(pair[1] / pair[0] for pair in found)
                batch = spec.train.batch
                rows.append(
                    {
                        "name": name,
                        "lanes": lanes,
                        "others": burners,
                        "one": one * batch,
                        "several": several * batch,
                        "ratio": ratio,
                    }
                )
    return rows


@contextmanager
def burning(count: int) -> Iterator[None]:
    """Let other processes compute without end inside."""
    program = [sys.executable, "-S", "-c", "while True: pass"]
    processes = [subprocess.Popen(program) for _ in range(count)]
    try:
        time.sleep(0.3)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| network | lanes | other processes | one worker, samples/s | workers as they pay | ratio |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['lanes']} | {row['others']} | {row['one']:,.0f} | {row['several']:,.0f} "
        f"| {row['ratio']:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def section(rows: Sequence[dict[str, Any]]) -> str:
    """Return the section of docs/performance.md."""
    return f"""## A busy machine

Samples a second of training in one process and with as many workers as pay ({processor_count()} cores), in turns in
one run, beside other processes that burn a core each. Who computes a lane changes no bit, so a run that has to wait for
its workers computes their lanes itself, and tries again later. The goal is {GOAL} of one worker's speed.

{table(rows)}

`python -m benchmarks.busy` prints this part of a run."""


def main() -> int:
    """The command; 1 where a ratio is below the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.busy", description="Train beside other processes.")
    parser.add_argument("names", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    given = parser.parse_args()
    rounds, seconds = (3, 0.4) if given.quick else (given.rounds, given.seconds)
    rows = measure_busy(given.names or list(NETWORKS), rounds, seconds, lambda line: print(line, file=sys.stderr))
    print(table(rows))
    return int(any(row["ratio"] < GOAL for row in rows))


if __name__ == "__main__":
    sys.exit(main())
