"""Train the notes' experiments by one sweep, keep what they reach, draw them, and measure the notes' claims.

    python -m benchmarks.experiments.notes [--out FOLDER] [--jobs N]

The sweep is that of `nnspec sweep specs/notes.nnspec --seeds 1,2,3`; called again it goes on. Accuracies are kept in
benchmarks/results/experiments.json, the answers in benchmarks/results/notes.json, pictures in docs/pictures, and
docs/experiments.md is written from them.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import nnspec
from benchmarks.experiments import mnist
from benchmarks.experiments.notes import claims, pictures
from benchmarks.experiments.notes.page import KEPT
from benchmarks.experiments.page import page
from benchmarks.experiments.shipped import PAGE, ROOT, SEEDS, SPECS, Experiment, described_machine, digest
from nnspec.checkpoints import replace_file
from nnspec.runtime.sweep.conductor import SweepResult
from nnspec.runtime.train.spec_and_data import network_data

FIRST = {"paper_sgd": "dense1", "cnn": "conv1"}
"""The experiments whose weights are shown, and their first layers."""

SPEC = SPECS / "notes.nnspec"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.experiments.notes", description="The notes' experiments, by a sweep."
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "notes", help="the folder of the sweep")
    parser.add_argument("--jobs", type=int, default=None, help="how many train at once")
    asked = parser.parse_args(arguments)
    found = nnspec.sweep(SPEC, asked.out, seeds=SEEDS, jobs=asked.jobs)
    unfinished = [trial.name for trial in found.trials if trial.state not in ("done", "diverged")]
    if unfinished:
        print(f"not finished: {', '.join(unfinished)}", file=sys.stderr)
        return 1
    keep_results(found)
    answer(found)
    PAGE.write_text(page(mnist.read_results()), encoding="utf-8")
    return 0


def keep_results(found: SweepResult) -> None:
    """Keep what the trials reach beside the other experiments.

    A result that is reached again keeps its seconds: those of a trial beside others say little.
    """
    results, place = mnist.read_results(), described_machine()
    for trial in found.trials:
        experiment = Experiment("notes", trial.variant)
        key = digest(experiment, trial.seed)
        if trial.state == "diverged":
            step = mnist.step_of_divergence(nnspec.TrainingError(trial.error or ""))
            results[experiment, trial.seed] = mnist.Result(key, None, None, step, None, place)
            continue
        metrics = trial.metrics
        made = mnist.Result(
            key, metrics["test_accuracy"], metrics["validation_accuracy"], None, trial.outcome.seconds, place
        )
        known = results.get((experiment, trial.seed))
        if known is None or replace(known, seconds=made.seconds, machine=place) != made:
            results[experiment, trial.seed] = made
    mnist.write_results(results, mnist.KEPT)


def answer(found: SweepResult) -> None:
    """Measure the claims, keep the numbers, and draw the pictures."""
    trained = {name: [found.network(f"{name},seed={seed}") for seed in SEEDS] for name in FIRST}
    untrained = {name: [nnspec.compile(SPEC, variant=name, seed=seed) for seed in SEEDS] for name in FIRST}
    data = network_data(trained["cnn"][0])  # that of all of them
    test = data.test
    assert test is not None
    weights = {
        name: claims.Meaning.median(
            claims.meaning(after, before, test, FIRST[name])
            for after, before in zip(trained[name], untrained[name], strict=True)
        )
        for name in FIRST
    }
    fits: dict[str, list[claims.Fit]] = {}
    for trial in found.trials:
        if trial.state == "diverged":
            continue
        run = pictures.saved_run(trial.path)
        losses = run.state.history["validation_loss"].values
        fits.setdefault(trial.variant or "", []).append(claims.fit(run.network, data, losses))
    details = {f"{window}x{window}": claims.detail(trained["cnn"], test, window) for window in (2, 3)}
    kept = {
        "format_version": 1,
        "weights": {name: one.as_json() for name, one in weights.items()},
        "fits": {name: claims.Fit.median(every).as_json() for name, every in fits.items()},
        "details": {window: claims.Detail.median(every).as_json() for window, every in details.items()},
    }
    replace_file(KEPT, f"{json.dumps(kept, indent=1)}\n".encode())
    first = {name: every[0] for name, every in trained.items()}
    before = {name: every[0] for name, every in untrained.items()}
    pictures.draw(found, first, before, test, ROOT / "docs" / "pictures")


if __name__ == "__main__":
    sys.exit(main())
