"""Times nnspec, PyTorch, JAX, scikit-learn and the notes' style, and writes the results.

    python -m benchmarks                 everything: the results, docs/performance.md and its pictures
    python -m benchmarks W2 W3 --quick   two workloads, roughly; nothing is written
    python -m benchmarks --workers 1,2,4 only how a training step scales with worker processes; nothing is written
    python -m benchmarks --render        the page and pictures again, from the results that are there

A run is written down only where every workload and peer took part, in rounds enough, on a machine of its own.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nnspec
from benchmarks import busy, lanes, pictures, report
from benchmarks.accuracy import measure_accuracy
from benchmarks.cold import measure_cold
from benchmarks.drive import PEERS, QUICK, ROOT, Effort, environment, measure, workers
from benchmarks.machine import BUSY, Watch, machine
from benchmarks.scaling import measure_growth
from benchmarks.workloads import WORKLOADS, Workload, chosen

RESULTS = ROOT / "benchmarks" / "results" / "performance.json"
PAGE = ROOT / "docs" / "performance.md"
LEAST_ROUNDS = 7
"""Rounds of a run whose figures are published."""


def main() -> int:
    """The command; 1 where a peer could not do, or did not agree about, what it was asked."""
    given = _arguments()
    if given.render:
        write_page(json.loads(RESULTS.read_text()))
        return 0
    if given.workers:
        effort = effort_of(given)
        print(lanes.workers_table(lanes.measure_workers(given.workers, effort.rounds, effort.seconds, report_line)))
        return 0
    try:
        workloads = chosen(given.workloads)
    except KeyError as unknown:
        print(f"no workload is called {unknown}; there are {', '.join(WORKLOADS)}", file=sys.stderr)
        return 2
    peers = given.peers.split(",") if given.peers else list(PEERS)
    if not set(peers) <= set(PEERS):
        print(f"there are the peers {', '.join(PEERS)}", file=sys.stderr)
        return 2
    run = measured(workloads, peers, effort_of(given), scaling=given.scaling or not (given.quick or given.workloads))
    print(report.comparison(run["results"]))
    for name, factor, goal in report.cold_ratios(run):
        print(f"{name}: {factor:.3g} times PyTorch{f', goal {goal:g}' if goal else ''}")
    failed = [(result["name"], way) for result in run["results"] for way in result["failed"]]
    for name, way in failed:
        print(f"{name}: {way['peer']}, {way['way']}: {way['why']}", file=sys.stderr)
    if given.json:
        given.json.write_text(json.dumps(run, indent=1) + "\n")
    reasons = unpublished_because(run, bool(failed), complete=not given.workloads and peers == list(PEERS))
    if reasons:
        print(f"the page is left as it is: {'; '.join(reasons)}", file=sys.stderr)
    else:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(run, indent=1) + "\n")
        write_page(run)
    return 1 if failed else 0


def effort_of(given: argparse.Namespace) -> Effort:
    """How long to measure, by the arguments."""
    effort = QUICK if given.quick else Effort()
    return Effort(given.rounds or effort.rounds, effort.seconds, effort.steps)


def measured(workloads: Sequence[Workload], peers: Sequence[str], effort: Effort, scaling: bool) -> dict[str, Any]:
    """A run's results, as `report` and `pictures` read them."""
    watch = Watch.start()
    warm = [workload for workload in workloads if workload.kind != "epoch"]
    cold = next((workload for workload in workloads if workload.kind == "epoch"), None)
    with workers(peers) as (running, absent):
        for peer, why in absent.items():
            report_line(f"{PEERS[peer].title} takes no part: {why}; `make bench` makes an environment with all peers")
        versions = {peer: worker.ask("about") for peer, worker in running.items()}
        results = [measure(workload, running, effort, report_line) for workload in warm]
        growths = measure_growth(running, effort, report_line) if scaling else []
    profiles = [profile(workload.name) for workload in warm if workload.kind == "train" and "nnspec" in running]
    own = "nnspec" in running and scaling
    reached = attempted(lambda: measure_accuracy(report_line)) if own and "torch" in running else []
    cores = attempted(lambda: lanes.measure_lanes(effort.rounds, report_line)) if own else []
    seconds = 5 * effort.seconds
    beside = (
        attempted(lambda: busy.measure_busy(list(busy.NETWORKS), effort.rounds, seconds, report_line)) if own else []
    )
    started = measure_cold(cold, list(running), effort.rounds, report_line) if cold is not None else None
    return {
        "format": 1,
        "when": f"{datetime.now(UTC):%Y-%m-%d}",
        "effort": vars(effort),
        "machine": machine(),
        "versions": versions,
        "absent": absent,
        "others": watch.others(),
        "results": results,
        "cold": started,
        "accuracy": reached,
        "profiles": profiles,
        "growths": growths,
        "lanes": cores,
        "busy": beside,
    }


def attempted(part: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What a part measures; nothing where it fails, which is reported: the other parts have taken their time."""
    try:
        return part()
    except (subprocess.CalledProcessError, nnspec.NNSpecError) as error:
        said = getattr(error, "stderr", None) or str(error)
        report_line(f"left out: {said.strip().splitlines()[-1]}")
        return []


def profile(name: str) -> dict[str, Any]:
    """Where a workload's time goes, from a process of its own."""
    report_line(f"{name}: where its time goes")
    program = [sys.executable, "-m", "benchmarks.profile", name, "--json"]
    done = subprocess.run(program, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True)
    return {"name": name, **json.loads(done.stdout)}


def unpublished_because(run: dict[str, Any], failed: bool, complete: bool) -> list[str]:
    """Why a run's figures are not for the page; empty where they are."""
    others = run["others"]
    reasons = {
        "not every workload and peer took part": not complete or bool(run["absent"]),
        "a peer failed": failed,
        f"fewer than {LEAST_ROUNDS} rounds": run["effort"]["rounds"] < LEAST_ROUNDS,
        "the scaling was left out": not run["growths"],
        "a part failed": bool(run["growths"]) and not (run["accuracy"] and run["lanes"] and run["busy"]),
        f"other processes used {others:.0%} of the machine, and more than {BUSY:.0%} spoils the figures": others > BUSY,
    }
    return [reason for reason, holds in reasons.items() if holds]


def write_page(run: dict[str, Any]) -> None:
    """docs/performance.md and its two pictures."""
    PAGE.write_text(report.document(run))
    pictures.draw_comparison([*run["results"], *report.cold_results(run)], PAGE.with_suffix(".png"))
    pictures.draw_scaling(run["growths"], PAGE.with_name("scaling.png"))


def report_line(line: str) -> None:
    """What is being done, to standard error."""
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Time nnspec and its peers.")
    parser.add_argument(
        "workloads", nargs="*", metavar="WORKLOAD", help=f"{', '.join(WORKLOADS)}; W3 is all of its sizes"
    )
    parser.add_argument(
        "--rounds", type=int, help=f"interleaved rounds, {Effort().rounds} or with --quick {QUICK.rounds}"
    )
    parser.add_argument(
        "--workers",
        type=lambda text: [int(count) for count in text.split(",")],
        metavar="N,…",
        help="measure how a training step scales with these numbers of workers, and nothing else",
    )
    parser.add_argument("--quick", action="store_true", help="short rounds, to see whether everything runs")
    parser.add_argument("--peers", metavar="NAMES", help=f"some of {','.join(PEERS)}")
    parser.add_argument(
        "--scaling",
        action="store_true",
        help="also with some workloads or --quick: cost as work grows, and time to an accuracy",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--render", action="store_true", help="write the page again from the results that are there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
