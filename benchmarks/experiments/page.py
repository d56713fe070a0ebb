"""The page docs/experiments.md: what the results are, nothing typed by hand."""

import statistics
from collections.abc import Sequence

from benchmarks.experiments import own_data_page, segmentation_results, sequence_results
from benchmarks.experiments.mnist import GOALS, REPORTED, Result, Results, accuracy, experiments, reasons
from benchmarks.experiments.notes import page as notes_page
from benchmarks.experiments.shipped import SEEDS, Experiment, length, table

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


def page(results: Results, sequences: sequence_results.Results | None = None) -> str:
    """The text of docs/experiments.md: what the results are, nothing typed by hand.

    `sequences` are those of benchmarks.experiments.sequences; left out they are what is kept of them.
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
        segmentation_results.section(segmentation_results.read_results()),
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
