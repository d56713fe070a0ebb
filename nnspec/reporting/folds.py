"""The report of a cross-validation: its metrics over the folds, and what each fold's network got wrong."""

import shlex
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from nnspec.cli.format import format_count, format_metric
from nnspec.reporting.blocks import Block, Code, Image, Page, Paragraph, Section, Table
from nnspec.reporting.run import ReportedRun, open_reported
from nnspec.reporting.sections import mistakes, origin, pictures, result
from nnspec.runtime.train.cross_validation import folds_in
from nnspec.runtime.train.expectations import outcomes
from nnspec.runtime.train.history import history_of
from nnspec.runtime.train.spec_and_data import Given
from nnspec.runtime.views import PICTURES

MOST_SHOWN = 10
"""The most folds with a section of their own; the table has all."""

_OF_A_FOLD: tuple[Callable[[ReportedRun], Section | None], ...] = (
    pictures.predictions,
    pictures.confusion,
    mistakes.mistakes,
)


@dataclass(frozen=True)
class ReportedFolds:
    """The folder of a cross-validation: how many folds it has, and the run of each that has a checkpoint, by number."""

    path: Path
    asked_for: int
    runs: Mapping[int, ReportedRun]

    @property
    def first(self) -> ReportedRun:
        """The run of the first fold, whose spec is that of all but for the number of the fold."""
        return next(iter(self.runs.values()))

    @property
    def complete(self) -> bool:
        """Whether every fold is trained to its end."""
        ended = all(run.saved.state.step >= run.total or run.saved.state.stopped for run in self.runs.values())
        return ended and len(self.runs) == self.asked_for

    def values(self) -> dict[str, list[float]]:
        """Return each metric that all folds have, such as validation_accuracy, with its value in each."""
        measured = [_flat(result.measurements(run)) for run in self.runs.values()]
        return {name: [one[name] for one in measured] for name in measured[0] if all(name in one for one in measured)}


def open_folds(path: Path, given: Given | str | None = None, split: str | None = None) -> ReportedFolds:
    """Return the folds in a folder, the validation split of each judged unless `split` names another.

    The arguments are those of `open_reported`. Raises CheckpointError, DataError.
    """
    asked_for, folders = folds_in(path)
    runs = {number: open_reported(folder, given, split or "validation") for number, folder in folders.items()}
    return ReportedFolds(path, asked_for, runs)


def folds_page(folds: ReportedFolds) -> Page:
    """Return the page of a cross-validation."""
    before, after = [_result(folds), _table(folds)], [origin.environment(folds.first), _repeat(folds)]
    shown = [_fold(number, run) for number, run in islice(folds.runs.items(), MOST_SHOWN)]
    network = [_spec(folds), pictures.graph(folds.first), _curves(folds)]
    sections = [*before, *network, *shown, *after]
    return Page(folds_title(folds), headline(folds), [section for section in sections if section.blocks])


def folds_tables(folds: ReportedFolds) -> list[Section]:
    """Return what Markdown shows of a cross-validation."""
    return [
        _result(folds), _table(folds), _spec(folds), origin.environment(folds.first), _repeat(folds),
    ]  # fmt: skip


def folds_title(folds: ReportedFolds) -> str:
    """Return the title of the page."""
    return f"{folds.first.spec.title} in {folds.asked_for} folds"


def headline(folds: ReportedFolds) -> str:
    """Return the most important metric with its deviation, in a sentence."""
    baseline = _baseline(folds)
    for name, values in folds.values().items():
        if name.startswith("validation_"):
            beside = f", baseline {format_metric(name, baseline[name])}" if name in baseline else ""
            return f"{_named(name)} {_mean_and_deviation(name, values)}{beside}"
    return "nothing was measured in all folds yet"


def _result(folds: ReportedFolds) -> Section:
    values, baseline = folds.values(), _baseline(folds)
    blocks: list[Block] = []
    if not folds.complete:
        text = f"{len(folds.runs)} of {folds.asked_for} folds have a checkpoint, and not all are trained to their end."
        blocks.append(Paragraph(text, warning=True))
    if absent := folds.first.absent:
        text = f"The data are not here, so sections that need samples are left out: {absent}"
        blocks.append(Paragraph(text, warning=True))
    rows = []
    for name, each in values.items():
        deviation = statistics.stdev(each) if len(each) > 1 else None
        numbers: tuple[float | None, ...] = (statistics.fmean(each), deviation, min(each), max(each))
        numbers = (*numbers, baseline.get(name)) if baseline else numbers
        rows.append((_named(name), *("" if value is None else format_metric(name, value) for value in numbers)))
    caption = f"Mean and standard deviation over {format_count(len(folds.runs), 'fold')}"
    heading = ("", "mean", "± deviation", "lowest", "highest", *(("baseline, mean",) if baseline else ()))
    blocks.append(Table(caption, heading, rows, range(1, len(heading))))
    if folds.complete:
        means = {name: statistics.fmean(each) for name, each in values.items()}
        reached = [outcome.as_json() for outcome in outcomes(folds.first.spec.expectations, means)]
        blocks.append(result.expectations_table(reached, "What the spec expects of the means"))
    kept = [block for block in blocks if not isinstance(block, Table) or block.rows]
    return Section("result", "Result", kept)


def _baseline(folds: ReportedFolds) -> dict[str, float]:
    """Return the mean of what the baseline reaches in the folds by metric, where it is known of all of them."""
    found = [result.baseline_of(run) for run in folds.runs.values()]
    each = [{f"{one['split']}_{name}": value for name, value in one.items()} if one else {} for one in found]
    shared = [name for name, value in each[0].items() if isinstance(value, float) and all(name in one for one in each)]
    return {name: statistics.fmean(one[name] for one in each) for name in shared}


def _table(folds: ReportedFolds) -> Section:
    names = list(folds.values())
    rows = [
        (
            f"fold {number}",
            result.how_far(run),
            *(format_metric(name, _flat(result.measurements(run))[name]) for name in names),
        )
        for number, run in folds.runs.items()
    ]
    heading = ("fold", "training", *map(_named, names))
    return Section("folds", "Folds", [Table("Every fold", heading, rows, range(2, len(heading)))])


def _spec(folds: ReportedFolds) -> Section:
    found = origin.spec(folds.first)
    text = "Spec, environment and data are those of the first fold; the others differ in data.fold."
    return replace(found, blocks=[*found.blocks, Paragraph(text)])


def _curves(folds: ReportedFolds) -> Section:
    histories = [history_of(run.saved, f"fold {number}") for number, run in folds.runs.items()]
    words = f"Curves of {format_count(len(histories), 'fold')}; the table of the folds has the ends."
    return Section("curves", "Curves", pictures.drawn(lambda: [PICTURES["curves"](histories)], words))


def _fold(number: int, run: ReportedRun) -> Section:
    """Return what a fold's network got wrong on its own validation split, and where its whole report comes from."""
    measured = next(iter(_flat(result.measurements(run)).items()), None)
    reached = f"{_named(measured[0])} {format_metric(*measured)}; " if measured is not None else ""
    blocks: list[Block] = [Paragraph(f"{reached}{result.how_far(run)}.")]
    for make in _OF_A_FOLD:
        if (section := make(run)) is not None:
            blocks += [_of_fold(number, block) for block in section.blocks]
    blocks.append(Code([(f"nnspec report {shlex.quote(run.name)}", "")], f"The whole report of fold {number}"))
    return Section(f"fold-{number}", f"Fold {number}", blocks)


def _of_fold(number: int, block: Block) -> Block:
    """Return a block whose name says of which fold it is, since every fold has one like it."""
    if isinstance(block, Image):
        caption = block.caption and f"Fold {number}: {block.caption}"
        return replace(block, alt=f"Fold {number}: {block.alt}", caption=caption)
    if isinstance(block, Table):
        return replace(block, caption=f"Fold {number}: {block.caption}")
    return block


def _repeat(folds: ReportedFolds) -> Section:
    data = folds.first.spec.data
    if data is None or data.in_memory:
        call = f"nnspec.reproduce({str(folds.path)!r}, data=(x, y))"
        code = Code([(f"import nnspec\n{call}", "")], "Train every fold again with the same arrays, in Python")
    else:
        command = f"nnspec reproduce {shlex.quote(str(folds.path))}"
        code = Code([(command, "")], "Train every fold again and compare every bit")
    return Section("repeat", "To repeat it", [code])


def _flat(measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return measurements under one name each, the splits that were validated and tested on first."""
    order = ("validation", "test", "training")
    return {f"{split}_{name}": by[split] for split in order for name, by in measured.items() if split in by}


def _mean_and_deviation(name: str, values: Sequence[float]) -> str:
    shown = format_metric(name, statistics.fmean(values))
    return f"{shown} ± {format_metric(name, statistics.stdev(values))}" if len(values) > 1 else shown


def _named(metric: str) -> str:
    return metric.replace("_", " ")
