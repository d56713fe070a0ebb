"""The part of docs/experiments.md on images of targets, from what is kept of benchmarks.experiments.segmentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.experiments.shipped import RESULTS, SEEDS, Experiment, length, missing_runs, read_kept, spread, table

KEPT = RESULTS / "segmentation.json"
STROKES = Experiment("unet_strokes")
METRICS = ("iou", "f1", "accuracy")


@dataclass(frozen=True)
class Result:
    """A run's metrics on the test split and those of the best threshold, each by name, and its seconds of training."""

    digest: str
    test: dict[str, float]
    threshold: dict[str, float]
    seconds: float
    machine: str


Results = Mapping[tuple[Experiment, int], Result]


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
            "`python -m benchmarks.experiments.segmentation` trains it and writes this part. The targets are images: "
            "for each pixel, whether it is of a stroke. Figures are of the pixels of the 1,000 test images: "
            "intersection over union and f1 of the strokes, and percent of the pixels that are right. The threshold is "
            "the gray with the largest intersection over union in the training split.",
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
