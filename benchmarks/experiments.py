"""The experiments of the from-scratch notes as they were meant, and the tuned specs against their goals.

    python -m benchmarks.experiments                      train what has changed, write docs/experiments.md
    python -m benchmarks.experiments notes/cnn            train no other than these
    python -m benchmarks.experiments --table              train nothing, write the page

An experiment is a variant of a spec in specs/; the comment right above it says why its results differ from the notes'.
Results are kept in benchmarks/results/experiments.json under the digest of what the spec says, so a run is made
again only where its spec says something else than before.
"""

import argparse
import re
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nnspec
from benchmarks import own_data_page, segmentation, sequence_results
from benchmarks.notes import page as notes_page
from benchmarks.shipped import (
    PAGE,
    RESULTS,
    SEEDS,
    Experiment,
    comments,
    described_machine,
    digest,
    length,
    missing_runs,
    read_kept,
    spread,
    table,
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

FAULTS = """\
The notebook had faults that a declared run cannot have, and they affect its figures:

- Gradients of single samples were divided by ten, so its learning rates are ten times those here.
- The learning rate decayed across experiments: each began at the rate that the previous one had ended with.
- Momentum was a moving average of gradients, and the convolutional network used it only for the last layer.
- RMSProp multiplied by the squared gradient instead of dividing by its root; Adam added 1 under the root.
- The curves showed the entropy of the prediction, not the cross-entropy, so they could not reveal these faults.

Experiment by experiment, from the comments in the specs:"""

CHOICE = (
    "Settings were chosen by loss and accuracy on the validation split, with seeds other than those below; "
    "the test digits were used a few times to confirm a choice."
)


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


def page(results: Results, sequences: sequence_results.Results | None = None) -> str:
    """The text of docs/experiments.md: what the results are, nothing typed by hand.

    `sequences` are those of benchmarks.sequences; left out they are what is kept of them.
    """
    sequences = sequence_results.read_results() if sequences is None else sequences
    runs = {e: [results[e, seed] for seed in SEEDS if (e, seed) in results] for e in experiments()}
    seeds = ", ".join(map(str, SEEDS))
    parts = [
        "# Experiments",
        "`python -m benchmarks.experiments` writes this page, training only specs that have changed. Figures are "
        "percent of the 10,000 test digits of MNIST classified correctly: the median over the seeds "
        f"{seeds}, in parentheses the lowest and the highest.",
        "## Tuned specs",
        CHOICE,
        table(
            ("spec", "parameters", "trained for", "goal", "here"),
            [_tuned_row(spec, runs[Experiment(spec)]) for spec in GOALS],
        ),
        "## The notes' experiments",
        "[notes.nnspec](../specs/notes.nnspec) holds the eleven on one page, each a variant that declares an "
        "experiment as the notes intended it; `nnspec sweep specs/notes.nnspec --seeds 1,2,3` trains them all. "
        "The convolutional network with the notes' settings as written is a variant of mnist_cnn.nnspec.",
        table(
            ("experiment", "init", "optimizer", "lr", "trained for", "the notes", "here"),
            [_notes_row(experiment, runs[experiment]) for experiment in reasons()],
        ),
        "## Why they differ",
        FAULTS,
        "\n".join(f"- **{experiment.name}**: {reason}" for experiment, reason in reasons().items()),
        *filter(None, (notes_page.text(),)),
        "## Time",
        "Seconds of training only, the median over the seeds; they depend on the machine, and on what else it runs.",
        table(("experiment", "seconds", "machine"), [row for e in runs if (row := _time_row(e, runs[e]))]),
        sequence_results.section(sequences),
        segmentation.section(segmentation.read_results()),
        own_data_page.section(own_data_page.read_results()),
    ]
    return "\n\n".join(parts) + "\n"


def _tuned_row(spec: str, results: Sequence[Result]) -> tuple[str, ...]:
    link, checked = f"[{spec}.nnspec](../specs/{spec}.nnspec)", Experiment(spec).check()
    settings = (f"{checked.parameter_count:,}", length(checked), f"≥ {GOALS[spec]:.1f}")
    return link, *settings, accuracy(results)


def _notes_row(experiment: Experiment, results: Sequence[Result]) -> tuple[str, ...]:
    spec, reported = experiment.check(), REPORTED.get(experiment.name)
    reported_text = "not reported" if reported is None else f"{reported:.2f}"
    settings = (spec.init.word, spec.optimizer.word, f"{spec.optimizer.lr:g}", length(spec))
    return experiment.name, *settings, reported_text, accuracy(results)


def _time_row(experiment: Experiment, results: Sequence[Result]) -> tuple[str, ...] | None:
    """None where no run came to its end."""
    seconds = [result.seconds for result in results if result.seconds is not None]
    if not seconds:
        return None
    machines = dict.fromkeys(result.machine for result in results)
    return experiment.name, f"{statistics.median(seconds):.1f}", "; ".join(machines)


def run_missing(chosen: Iterable[Experiment], results: dict[tuple[Experiment, int], Result], path: Path) -> None:
    """Train what has no result yet; each is added to the results and kept before the next one begins.

    What another call of the command has kept since is read again, so that two at once keep what each has found.
    """
    for experiment in chosen:
        for seed in SEEDS:
            if (experiment, seed) not in results:
                print(f"{experiment.name} seed {seed} …", file=sys.stderr, flush=True)
                results[experiment, seed] = train(experiment, seed)
                print(f"  {_summary(results[experiment, seed])}", file=sys.stderr, flush=True)
                results |= {key: result for key, result in read_results(path).items() if key not in results}
                write_results(results, path)


def _summary(result: Result) -> str:
    if result.accuracy is None:
        return f"diverged at step {result.diverged_at}"
    return f"{100 * result.accuracy:.2f} % in {result.seconds:.0f} s"


def main(arguments: Sequence[str] | None = None, kept: Path = KEPT, written: Path = PAGE) -> int:
    """The command; returns its exit code. What is known is written whatever ends it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiments", description="The notes' experiments.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a spec, or a variant as notes/cnn")
    parser.add_argument("--table", action="store_true", help="train nothing, write the page from what is known")
    asked = parser.parse_args(arguments)
    known = {experiment.name: experiment for experiment in experiments()}
    unknown = [name for name in asked.names if name not in known]
    if unknown:
        parser.error(f"there is no experiment {unknown[0]}; there are {', '.join(known)}")
    results = read_results(kept)
    try:
        if not asked.table:
            run_missing([known[name] for name in asked.names or known], results, kept)
    except nnspec.NNSpecError as error:
        print(error, file=sys.stderr)
        return int(getattr(error, "exit_code", 1))
    finally:
        written.write_text(page(results), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
