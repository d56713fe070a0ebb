"""The results of benchmarks.experiments.own_data and their section of docs/experiments.md."""

import hashlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.experiments.shipped import (
    RESULTS,
    SEEDS,
    SPECS,
    Experiment,
    missing_runs,
    read_kept,
    table,
    write_kept,
)

KEPT = RESULTS / "own_data.json"
FOLDS = 5


class Measure(NamedTuple):
    """A figure: its name, its digits, and whether more is better."""

    name: str
    digits: int
    larger_is_better: bool


ACCURACY, LABELS, RMSE = Measure("accuracy, %", 2, True), Measure("labels right, %", 2, True), Measure("rmse", 3, False)

NAMES: Mapping[str, tuple[str, Measure]] = {
    "iris": ("a table, three classes", ACCURACY),
    "wine": ("a table, three classes", ACCURACY),
    "breast_cancer": ("a table, two classes", ACCURACY),
    "passengers": ("numbers, text, missing cells", ACCURACY),
    "diabetes": ("a regression", RMSE),
    "friedman": ("a larger regression", RMSE),
    "labels": ("several labels", LABELS),
    "images": ("pictures of 8x8 in folders", ACCURACY),
    "hourly": ("24 hours ahead of a series", RMSE),
}
"""Each spec, what its data are, and what is measured."""


@dataclass(frozen=True)
class Result:
    """The figures of one seed by who made them: nnspec, mlp, linear; the seconds of nnspec's training."""

    digest: str
    figures: Mapping[str, float]
    seconds: float
    machine: str


Results = Mapping[tuple[str, int], Result]


def known_digest(name: str, seed: int) -> str:
    """SHA-256 of what a result depends on: the text of the spec, and the seed."""
    return hashlib.sha256(f"{(SPECS / f'{name}.nnspec').read_text(encoding='utf-8')}\n{seed}".encode()).hexdigest()


def measure_of(name: str, answers: Any, truth: Any) -> float:
    """The figure of answers (samples, outputs) to the truth: classes, labels or numbers."""
    measure = NAMES[name][1]
    if measure is ACCURACY:
        return 100 * float(np.mean(np.argmax(answers, axis=-1) == truth))
    if measure is LABELS:
        return 100 * float(np.mean((np.asarray(answers) > 0.5) == (np.asarray(truth) > 0.5)))
    return float(np.sqrt(np.mean(np.square(np.asarray(answers) - truth))))


def read_results(path: Path = KEPT) -> dict[tuple[str, int], Result]:
    """The kept results of specs that say the same as when they were measured."""
    return read_kept(path, Result, NAMES, known_digest)


def write_results(results: Results, path: Path) -> None:
    """Keep the results, sorted, whole or not at all."""
    write_kept(results, path)


def section(results: Results) -> str:
    """The section of docs/experiments.md."""
    rows = [_row(name, [results[name, seed] for seed in SEEDS if (name, seed) in results]) for name in NAMES]
    return "\n\n".join(
        [
            "## One's own data",
            "`python -m benchmarks.experiments.own_data` measures these and writes this section; the data are those of "
            "`nnspec data example`. Each seed divides a table into five folds of its own. Each fold is predicted by a "
            "run on the others, so that each sample is predicted once. The series is cut in time, and its last fifth "
            "is predicted. scikit-learn's MLP, with its own defaults, and a linear model (logistic or least squares) "
            "have the same splits and the same standardized inputs and targets. Figures are medians over three seeds, "
            "in parentheses the lowest and the highest; settings were chosen with other seeds.",
            table(("spec", "data", "figure", "nnspec", "scikit-learn's MLP", "linear"), rows),
        ]
    )


def _row(name: str, results: Sequence[Result]) -> tuple[str, ...]:
    about, measure = NAMES[name]
    link = Experiment(name).link
    if not results:
        return link, about, measure.name, missing_runs(0), "", ""
    shown = [_spread([result.figures[kind] for result in results], measure) for kind in ("nnspec", "mlp", "linear")]
    return link, about, measure.name, *shown


def _spread(values: Sequence[float], measure: Measure) -> str:
    found = [f"{value:.{measure.digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return f"{found[0]} ({found[1]} to {found[2]})"
