"""The spec that marks the strokes of noisy digits, beside the best threshold of gray.

    python -m benchmarks.segmentation             train what has changed, write docs/experiments.md
    python -m benchmarks.segmentation --table     train nothing, write the page

Results are kept in benchmarks/results/segmentation.json as those of benchmarks.experiments are.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nnspec
from benchmarks.shipped import (
    PAGE,
    RESULTS,
    SEEDS,
    Experiment,
    described_machine,
    digest,
    length,
    missing_runs,
    read_kept,
    spread,
    table,
    write_kept,
)
from nnspec.runtime.data import Split
from nnspec.runtime.metrics import measure

KEPT = RESULTS / "segmentation.json"
STROKES = Experiment("unet_strokes")
METRICS = ("iou", "f1", "accuracy")
GRAYS = 256


@dataclass(frozen=True)
class Result:
    """A run's metrics on the test split and those of the best threshold, each by name, and its seconds of training."""

    digest: str
    test: dict[str, float]
    threshold: dict[str, float]
    seconds: float
    machine: str


Results = Mapping[tuple[Experiment, int], Result]


def train(experiment: Experiment, seed: int) -> Result:
    """Train an experiment and measure it, and the threshold beside it."""
    with tempfile.TemporaryDirectory() as folder:
        run = nnspec.train(experiment.path, Path(folder) / "run", seed=seed)
    assert run.data.test is not None
    test = {name: run.end[f"test_{name}"] for name in METRICS}
    words = {metric.word: metric for metric in run.network.spec.metrics}
    best = best_threshold(run.data.train)
    answers = np.asarray(run.data.test.inputs) >= best
    found = {name: measure(words[name], answers.astype(float), run.data.test.targets) for name in METRICS}
    return Result(digest(experiment, seed), test, found, run.end["seconds"], described_machine())


def best_threshold(split: Split) -> int:
    """Return the gray from which on pixels are strokes, 0 to 255, with the largest intersection over union."""
    grays, strokes = np.asarray(split.inputs).reshape(-1), split.targets.reshape(-1).astype(bool)
    light, all_light = (np.bincount(g, minlength=GRAYS)[::-1].cumsum()[::-1] for g in (grays[strokes], grays))
    return int((light / (all_light + strokes.sum() - light)).argmax())


def read_results(path: Path = KEPT) -> dict[tuple[Experiment, int], Result]:
    """The kept results of the spec as it is now."""
    return read_kept(path, Result, (STROKES,))


def section(results: Results) -> str:
    """The part of docs/experiments.md on images of targets."""
    runs = [results[STROKES, seed] for seed in SEEDS if (STROKES, seed) in results]
    spec = STROKES.check()
    rows = [(STROKES.link, f"{spec.parameter_count:,}", length(spec), *_figures([run.test for run in runs], runs))]
    rows.append(("the best threshold", "1", "every gray tried", *_figures([run.threshold for run in runs], runs)))
    return "\n\n".join(
        (
            "## Strokes of noisy digits",
            "`python -m benchmarks.segmentation` trains it and writes this part. The targets are images: for each "
            "pixel, whether it is of a stroke. Figures are of the pixels of the 1,000 test images: intersection over "
            "union and f1 of the strokes, and percent of the pixels that are right. The threshold is the gray with the "
            "largest intersection over union in the training split.",
            table(("", "parameters", "trained for", "iou", "f1", "accuracy"), rows),
        )
    )


def _figures(found: Sequence[Mapping[str, float]], runs: Sequence[Result]) -> tuple[str, ...]:
    if not runs:
        return (missing_runs(0),) * len(METRICS)
    ways = {"iou": (1, 3), "f1": (1, 3), "accuracy": (100, 2)}
    return tuple(
        f"{spread([factor * one[name] for one in found], digits)} {missing_runs(len(runs))}".strip()
        for name, (factor, digits) in ways.items()
    )


def main(arguments: Sequence[str] | None = None, kept: Path = KEPT, written: Path = PAGE) -> int:
    """The command; returns its exit code. What is known is written whatever ends it."""
    from benchmarks import experiments

    parser = argparse.ArgumentParser(prog="python -m benchmarks.segmentation", description="Strokes of noisy digits.")
    parser.add_argument("--table", action="store_true", help="train nothing, write the page from what is known")
    asked = parser.parse_args(arguments)
    results = read_results(kept)
    try:
        for seed in () if asked.table else SEEDS:
            if (STROKES, seed) not in results:
                print(f"{STROKES.name} seed {seed} …", file=sys.stderr, flush=True)
                results[STROKES, seed] = train(STROKES, seed)
                write_kept(results, kept)
    finally:
        written.write_text(experiments.page(experiments.read_results()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
