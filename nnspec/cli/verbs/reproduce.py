"""nnspec reproduce: train a run again and compare the two."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count, format_metric, format_table, format_weights
from nnspec.cli.options import json_flag, quiet_flag
from nnspec.cli.output import FOUND, print_json, print_result

if TYPE_CHECKING:
    from nnspec.runtime.train.reproducing import MetricChange, Reproduction
    from nnspec.runtime.train.reproducing_folds import FoldsReproduction


@click.command(
    cls=Verb,
    section=Section.TRAINING,
    examples=(
        "nnspec reproduce runs/quickstart",
        "nnspec reproduce runs/quickstart --out runs/again --json",
        "nnspec reproduce runs/iris --data 'csv \"moved/iris.csv\" target=species'",
    ),
)
@click.argument("run_or_checkpoint", metavar="RUN_OR_CHECKPOINT")
@click.option("--out", metavar="DIR", help="Keep the repetition in this folder.  [default: a temporary folder]")
@click.option(
    "--data", metavar="D", help="The data statement, in quotes, that names the run's data where they are now."
)
@json_flag
@quiet_flag
def command(run_or_checkpoint: str, out: str | None, data: str | None, as_json: bool, quiet: bool) -> None:
    """Train a run again from what it holds, and compare the two.

    The spec with its variant, settings and seed is that of the checkpoint; the data are found by their SHA-256. A run's
    folder means its last.h5. An interrupted run is repeated to the step that it reached, a diverged one until it
    diverges. Of the folder of a cross-validation every fold is trained again.

    Prints that every bit is the same, or what of the environment differs (nnspec, Python, NumPy, BLAS, processor) and
    how far weights and metrics moved. The exit code is 1 if a bit differs.
    """
    from nnspec import api
    from nnspec.cli.progress import progress_listener
    from nnspec.runtime.train.reproducing import Reproduction

    with progress_listener(False, quiet) as listen:
        found = api.reproduce(run_or_checkpoint, out, data, listen=listen)
    if as_json:
        print_json(**(_as_json(found) if isinstance(found, Reproduction) else _folds_as_json(found)))
    else:
        print_result(_as_text(found) if isinstance(found, Reproduction) else _folds_as_text(found))
    raise click.exceptions.Exit(0 if found.equal else FOUND)


def _as_json(found: "Reproduction") -> dict[str, Any]:
    differences = [
        *({"what": "environment", **asdict(change)} for change in found.environment),
        *({"what": "weights", **asdict(moved)} for moved in found.weights),
        *({"what": "metric", **asdict(change)} for change in found.metrics),
        *({"what": "end", "text": text} for text in found.events),
    ]
    return {
        "equal": found.equal,
        "differences": differences,
        "entries": list(found.entries),
        "state": found.state,
        "step": found.step,
        "total": found.total,
        "resumed": [{"step": step, "changed": list(names)} for step, names in found.resumed],
        "run": str(found.file),
        "out": str(found.path) if found.path is not None else None,
    }


def _folds_as_json(found: "FoldsReproduction") -> dict[str, Any]:
    folds = [{"fold": number, **_as_json(fold)} for number, fold in found.folds.items()]
    return {
        "equal": found.equal,
        "differences": [{"fold": f["fold"], **difference} for f in folds for difference in f["differences"]],
        "folds": folds,
        "asked_for": found.asked_for,
        "run": str(found.file),
        "out": str(found.path) if found.path is not None else None,
    }


def _folds_as_text(found: "FoldsReproduction") -> str:
    parts = [f"fold {number}: {_as_text(replace(fold, path=None))}" for number, fold in found.folds.items()]
    if missing := [str(n) for n in range(1, found.asked_for + 1) if n not in found.folds]:
        parts.append(f"without a checkpoint, so not compared: fold {', '.join(missing)}")
    same = sum(fold.equal for fold in found.folds.values())
    parts.append(f"the same bits in {same} of {format_count(len(found.folds), 'fold')} compared")
    if found.path is not None:
        parts.append(f"the repetitions are in {found.path}")
    return "\n".join(parts)


def _as_text(found: "Reproduction") -> str:
    parts = [_verdict(found), *found.events, *_history(found)]
    if found.environment:
        rows = [(change.name, change.before, change.after) for change in found.environment]
        parts.append(f"environment:\n{format_table([('', 'of the run', 'here'), *rows])}")
    if not found.equal:
        parts.append(_cause(found))
        parts += [format_weights(found.weights)] if found.weights else []
        parts += [_moved(found.metrics)] if found.metrics else []
    if found.path is not None:
        parts.append(f"the repetition is in {found.path}")
    return "\n".join(parts)


def _verdict(found: "Reproduction") -> str:
    at = f"at step {found.step:,}" if found.step == found.total else f"at step {found.step:,} of {found.total:,}"
    if found.equal:
        return f"the same bits: all weights, metrics and random states of {found.file} {at}"
    if not found.entries:
        return f"not the same, though the bits {at} are"
    others = f" and {len(found.entries) - 1} more entries" if len(found.entries) > 1 else ""
    return f"not the same bits as {found.file} {at}: {found.entries[0]}{others}"


def _history(found: "Reproduction") -> list[str]:
    """Return what a reader should know of a run that was not trained in one go to its end."""
    parts = []
    if found.state == "interrupted":
        parts.append("the run had not reached its end there, so the two are compared at that step")
    elif found.state == "diverged":
        parts.append("the run diverged after that step, the last one that it saved")
    if found.resumed:
        steps = ", ".join(f"{step:,}" for step, _ in found.resumed)
        parts.append(f"the run was resumed at step {steps}; the repetition was trained in one go")
    inexact = sorted({name for _, names in found.resumed for name in names})
    if inexact:
        parts.append(f"it was resumed with another {', '.join(inexact)}, so no machine alone gives its bits")
    return parts


def _cause(found: "Reproduction") -> str:
    decides = [change.name for change in found.environment if change.decides]
    if decides:
        return f"the bits of a result depend on {', '.join(decides)}"
    if any(names for _, names in found.resumed):
        return "that explains the difference"
    return "no entry of the environment that decides bits differs, so the cause is not known"


def _moved(changes: "tuple[MetricChange, ...]") -> str:
    rows: list[tuple[str, ...]] = [("metric", "of the run", "repeated", "moved at most by")]
    for change in changes:
        values = (change.before, change.after)
        shown = ["" if value is None else format_metric(change.name, value) for value in values]
        moved = "" if change.largest is None else f"{change.largest:.3g}"
        rows.append((change.name.replace("_", " "), *shown, moved))
    return f"metrics, {format_count(len(changes), 'value')}:\n{format_table(rows, right=(1, 2, 3))}"
