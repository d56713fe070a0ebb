"""The summary after a training run, and the commands to try next."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.checkpoint import classifies_images
from nnspec.cli.format import format_count, format_metric, format_table
from nnspec.cli.output import FOUND, lost_progress, print_error, print_result
from nnspec.spec_lang.report.errors import NNSpecError

if TYPE_CHECKING:
    from nnspec.runtime.train.cross_validation import CrossValidation
    from nnspec.runtime.train.events import Event
    from nnspec.runtime.train.expectations import Outcome
    from nnspec.runtime.train.run import Run


def print_summary(run: "Run", quiet: bool) -> None:
    """Print the metrics, the run's folder if there is one and, unless quiet, commands to try next."""
    end = run.end
    prefix, *others = [p for p in ("test_", "validation_", "training_") if f"{p}loss" in end] or [""]
    names = [metric.word for metric in run.network.spec.metrics if f"{prefix}{metric.word}" in end] + ["loss"]
    print_result(_measured(end, prefix, names))
    print_result(_baseline(end["baseline"], names))
    if "training_" in others:
        print_result(_measured(end, "training_", names))
    stopped = ", stopped early" if end["early_stopped"] else ""
    speed = f"{end['samples_per_second']:,.0f} samples/s"
    length = f"{format_count(end['steps'], 'step')}, {format_count(end['epochs'], 'epoch')}"
    print_result(f"{length}, {end['seconds']:.1f} s of training, {speed}{stopped}")
    if end["still_falling"] is not None:
        print_result(_still_falling(end["still_falling"]))
    if (lost := lost_progress()) is not None:
        print_result(f"{lost}: progress and warnings are lost")
    if run.path is None:
        return
    of = f" of {run.network.spec.title}" if run.network.spec.variant is not None else ""
    print_result(f"the run{of} is in {run.path}")
    if not quiet:
        print_result("\ntry next")
        print_result(format_table(list(_next(run))))


def report_expectations(found: "Iterable[Outcome]", as_json: bool = False) -> None:
    """Print which expectations are met, unless as JSON, and for missed ones an error and exit with 1."""
    from nnspec.runtime.train.expectations import missed

    found = tuple(found)
    if not as_json:
        for outcome in found:
            if outcome.met:
                print_result(outcome.sentence())
    if short := missed(found):
        for outcome in short:
            print_error(NNSpecError(outcome.sentence()))
        raise click.exceptions.Exit(FOUND)


def _measured(end: "Event", prefix: str, names: list[str]) -> str:
    """Return what the end event has of one split; without a prefix it is the loss of the training steps."""
    part = prefix.removesuffix("_") or "training"
    return ", ".join(f"{part} {name} {format_metric(name, end[prefix + name])}" for name in names)


def print_folds(result: "CrossValidation") -> None:
    """Print the mean and the deviation of each metric over the folds, its value in each, and the folder of the runs."""
    rows = [("", "mean", "± deviation", *(f"fold {number}" for number in range(1, len(result.runs) + 1)))]
    for name, found in result.metrics.items():
        values = (found.mean, found.deviation, *found.values)
        rows.append((name.replace("_", " "), *(format_metric(name, value) for value in values)))
    print_result(format_table(rows, right=range(1, len(rows[0])), indent=""))
    if result.path is not None:
        print_result(f"the runs are in {result.path}")


def _baseline(baseline: "Event", names: list[str]) -> str:
    """Return the line beside the result: what the baseline reaches, and whether the network is better."""
    reached = ", ".join(f"{name} {format_metric(name, baseline[name])}" for name in names if name in baseline)
    worse = "; the network is no better than that" if baseline["beaten"] is False else ""
    return f"baseline ({baseline['name']}): {reached}{worse}"


def _still_falling(found: "Event") -> str:
    """Return the line of a run that was too short, with what to write."""
    loss = found["metric"].replace("_", " ")
    over = "evaluation" if found["evaluations"] == 1 else f"{found['evaluations']} evaluations"
    return (
        f"the {loss} was still falling, by {100 * found['by']:.0f} % over the last {over}: "
        f"write {found['write']}, or --set {found['set']}"
    )


def _next(run: "Run") -> Iterator[tuple[str, str]]:
    """Yield commands that work as printed, and what they do."""
    from nnspec.runtime.infer.forecasting import predicts_series
    from nnspec.runtime.infer.sampling import generates_text
    from nnspec.runtime.train.spec_and_data import split_of

    network, folder, nnspec = run.network, shlex.quote(str(run.path)), _called()
    sample = _sample(run)
    if sample is not None:
        yield f"{nnspec} predict {folder} {shlex.quote(str(sample))}", "predict samples"
    if classifies_images(network):
        yield f"{nnspec} occlude {folder}", "show where in the images it looks"
    if generates_text(network):
        yield f"{nnspec} sample {folder}", "generate text"
    if predicts_series(network, split_of(run.data)[1]):
        yield f"{nnspec} plot predictions {folder}", "draw truth and prediction over time"
    yield f"{nnspec} plot curves {folder}", "draw loss and metrics"


def _called() -> str:
    """Return how to call the command from this shell: by name if PATH finds it, else as it was called."""
    called = Path(sys.argv[0])
    found = shutil.which("nnspec")
    if called.name != "nnspec" or (found is not None and Path(found).resolve() == called.resolve()):
        return "nnspec"
    return shlex.quote(str(called))


def _sample(run: "Run") -> Path | None:
    """Return a file that can be given to predict: a picture of a sample, or the data's own file."""
    from nnspec.runtime.data import DataError, read_inputs
    from nnspec.runtime.data.images import write_picture
    from nnspec.runtime.train.data_files import data_outside
    from nnspec.runtime.train.spec_and_data import split_of

    assert run.path is not None
    preprocessing = run.network.preprocessing
    _, split = split_of(run.data)
    try:
        path = run.path / "pictures" / "sample.png"
        write_picture(path, split.inputs[0], preprocessing)
        return path
    except (DataError, OSError):  # not an image, or the disk is full
        pass
    word = run.network.spec.data
    if word is None or not word.paths or data_outside(run.network.spec) is not None:
        return None
    path = Path(os.path.relpath(run.network.spec.folder / getattr(word, word.paths[0])))
    try:
        read_inputs(path, preprocessing)
    except DataError:  # such as an archive of several arrays
        return None
    return path
