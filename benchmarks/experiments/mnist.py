"""The experiments of the notes and the tuned specs against their goals: what there is, one run, and what is kept.

An experiment is a variant of a spec in specs/; the comment right above it says why its results differ from the notes'.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nnspec
from benchmarks.experiments.shipped import (
    RESULTS,
    Experiment,
    comments,
    described_machine,
    digest,
    missing_runs,
    read_kept,
    spread,
    write_kept,
)

KEPT = RESULTS / "experiments.json"


GOALS = {
    "mnist_mlp": 97.7,
    "mnist_cnn": 97.2,
    "mnist_best": 99.6,
    "lenet5": 98.9,
    "mnist_inception": 99.0,
    "mnist_resnet": 99.3,
}
"""What each tuned spec is to reach: percent of the test digits, the median over the seeds."""


NOTES = "notes"
"""The spec whose variants are the experiments of the notes; a tuned spec may have one more."""


REPORTED = {
    "notes/normal_sgd": 9.81,
    "notes/very_large_sgd": 9.80,
    "notes/zeros_sgd": 11.35,
    "notes/xavier_sgd": 96.04,
    "notes/paper_sgd": 96.50,
    "notes/paper_momentum": 96.09,
    "notes/paper_rmsprop": 9.53,
    "notes/paper_adam": 9.80,
    "notes/paper_adam_slow": 95.53,
    "notes/cnn": 95.14,
    "notes/cnn_long": 95.67,
}
"""What the notes reported: percent of the test digits, one run each."""


@dataclass(frozen=True)
class Result:
    """A run: its accuracy on the test and the validation split, or the step at which it diverged.

    `seconds` are those of training alone.
    """

    digest: str
    accuracy: float | None
    validation_accuracy: float | None
    diverged_at: int | None
    seconds: float | None
    machine: str


Results = Mapping[tuple[Experiment, int], Result]
"""What is known: a result for each experiment and seed that has run on the spec as it is now."""


def experiments() -> list[Experiment]:
    """The tuned specs, then every variant of theirs, in the order of the files."""
    return [*map(Experiment, GOALS), *reasons()]


def reasons() -> dict[Experiment, str]:
    """Every experiment of the notes, and why its results differ."""
    return {
        Experiment(spec, variant): comment
        for spec in (NOTES, *GOALS)
        for variant, comment in comments(Experiment(spec).path).items()
    }


def train(experiment: Experiment, seed: int) -> Result:
    """Train an experiment. Raises NNSpecError for whatever ends it but divergence."""
    key, place = digest(experiment, seed), described_machine()
    with tempfile.TemporaryDirectory() as folder:
        try:
            run = nnspec.train(experiment.path, Path(folder) / "run", variant=experiment.variant, seed=seed)
        except nnspec.TrainingError as error:
            return Result(key, None, None, step_of_divergence(error), None, place)
    end = run.end
    return Result(key, end["test_accuracy"], end["validation_accuracy"], None, end["seconds"], place)


def step_of_divergence(error: nnspec.TrainingError) -> int:
    """The step at which a run diverged; raises the error itself where that is not what ended it."""
    match = re.match(r"training diverged at step (\d+):", str(error))
    if match is None:
        raise error
    return int(match[1])


def read_results(path: Path = KEPT) -> dict[tuple[Experiment, int], Result]:
    """The kept results of experiments that there still are and whose specs say the same as when they ran."""
    return read_kept(path, Result, experiments())


def write_results(results: Results, path: Path) -> None:
    """Keep the results, sorted, whole or not at all."""
    write_kept(results, path)


def accuracy(results: Sequence[Result]) -> str:
    """The median of what an experiment's runs reached, the lowest and the highest, and where runs diverged."""
    reached = sorted(100 * result.accuracy for result in results if result.accuracy is not None)
    steps = sorted({result.diverged_at for result in results if result.diverged_at is not None})
    said = []
    if reached:
        said.append(spread(reached, 2))
    if steps:
        runs = f"{len(results) - len(reached)} of {len(results)} runs diverge" if reached else "diverges"
        said.append(f"{runs} at step {' to '.join(map(str, dict.fromkeys((steps[0], steps[-1]))))}")
    return "; ".join(filter(None, (*said, missing_runs(len(results)))))
