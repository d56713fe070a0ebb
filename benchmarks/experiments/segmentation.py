"""The spec that marks the strokes of noisy digits, beside the best threshold of gray.

    python -m benchmarks.experiments.segmentation             train what has changed, write docs/experiments.md
    python -m benchmarks.experiments.segmentation --table     train nothing, write the page

Results are kept in benchmarks/results/segmentation.json as those of benchmarks.experiments are.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import nnspec
from benchmarks.experiments import mnist
from benchmarks.experiments.page import page
from benchmarks.experiments.segmentation_results import KEPT, METRICS, STROKES, Result, read_results
from benchmarks.experiments.shipped import (
    PAGE,
    SEEDS,
    Experiment,
    described_machine,
    digest,
    write_kept,
)
from nnspec.runtime.data import Split
from nnspec.runtime.metrics import measure

GRAYS = 256


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


def main(arguments: Sequence[str] | None = None, kept: Path = KEPT, written: Path = PAGE) -> int:
    """The command; returns its exit code. What is known is written whatever ends it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.experiments.segmentation", description="Strokes of noisy digits."
    )
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
        written.write_text(page(mnist.read_results()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
