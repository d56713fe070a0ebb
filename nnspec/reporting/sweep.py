"""The report of a sweep: its ranking, its trials in a table that sorts, and curves that a reader picks.

It reads sweep.json and the metrics.jsonl of the trials, and neither checkpoints nor data.
"""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from nnspec.cli.format import format_count, format_metric
from nnspec.reporting.blocks import Block, Chart, Code, Page, Paragraph, Section, Table
from nnspec.reporting.sections.origin import coloured
from nnspec.reporting.sections.pictures import drawn
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.train.run_folder import RunFolder
from nnspec.runtime.views import PICTURES

SWEEP = "sweep.json"
SPEC = "spec.nnspec"

PICKED = 5
"""The trials whose curves are shown until a reader picks others."""

MOST_POINTS, MOST_DRAWN, MOST_TRIALS = 200, 24, 2000

_NOT_METRICS = ("event", "step", "epoch", "lr", "format_version")

Course = tuple[list[int], list[float | None]]


@dataclass(frozen=True)
class ReportedTrial:
    """A trial of a sweep as sweep.json has it; `curves` are step and value by metric, from the log of its run.

    `group` is the name by which it is ranked: trials that differ in their seed alone have one.
    """

    name: str
    group: str
    variant: str
    settings: Mapping[str, str]
    seed: str
    state: str
    metrics: Mapping[str, float]
    error: str
    curves: Mapping[str, Course]


@dataclass(frozen=True)
class ReportedSweep:
    """A sweep: its trials, and its ranking as (name, mean, deviation, seeds), best first, by `metric`."""

    path: Path
    trials: Sequence[ReportedTrial]
    ranking: Sequence[tuple[str, float | None, float | None, Sequence[int]]]
    metric: str

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.resolve().name

    @property
    def best_first(self) -> list[ReportedTrial]:
        """The trials in the order of the ranking, those without a rank last."""
        places = {name: place for place, (name, *_) in enumerate(self.ranking)}
        return sorted(self.trials, key=lambda trial: places.get(trial.group, len(places)))


def is_sweep(path: Path) -> bool:
    """Return whether a folder is that of a sweep."""
    return (path / SWEEP).is_file()


def open_sweep(path: Path) -> ReportedSweep:
    """Return the sweep in a folder. Raises CheckpointError where its sweep.json cannot be read as one."""
    file = path / SWEEP
    try:
        found = json.loads(file.read_bytes())
        trials = [_trial(entry, path) for entry in islice(found["trials"], MOST_TRIALS)]
        ranking = [
            (str(rank["name"]), _real(rank["mean"]), _real(rank["deviation"]), list(rank["seeds"]))
            for rank in found.get("ranking") or ()
        ]
        metric = str((found.get("asked") or {}).get("metric") or "")
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror}", 2) from None
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{file} is not the file of a sweep ({type(error).__name__}: {error})") from None
    return ReportedSweep(path, trials, ranking, metric)


def _trial(entry: Mapping[str, Any], path: Path) -> ReportedTrial:
    metrics = {str(name): value for name, value in entry["metrics"].items() if _real(value) is not None}
    settings = {str(key): str(value) for key, value in entry["settings"].items()}
    name = str(entry["name"])
    return ReportedTrial(
        name=name,
        group=str(entry.get("group") or name),
        variant=str(entry["variant"] or ""),
        settings=settings,
        seed=str(entry["seed"]),
        state=str(entry["state"]),
        metrics=metrics,
        error=str(entry.get("error") or "").partition("\n")[0],
        curves=_curves(_folder_of(path, str(entry.get("out") or ""))),
    )


def _folder_of(path: Path, out: str) -> Path | None:
    """Return the folder of a trial's run, None unless it is inside the sweep's: a sweep may be someone else's."""
    folder = (path / out).resolve()
    return folder if folder.is_relative_to(path.resolve()) else None


def _curves(folder: Path | None) -> dict[str, Course]:
    """Return step and value of each metric in a run's log, at most MOST_POINTS of each."""
    found: dict[str, Course] = {}
    try:
        logged = RunFolder(folder).events() if folder is not None else []
        events = [event for event in logged if event["event"] == "evaluation"]
        for event in events[:: max(1, len(events) // MOST_POINTS)]:
            for name, value in event.items():
                if name not in _NOT_METRICS and not isinstance(value, str | bool):
                    steps, values = found.setdefault(str(name), ([], []))
                    steps.append(int(event["step"]))
                    values.append(_real(value))
    except (LookupError, TypeError, ValueError):
        return found
    return found


def _real(value: object) -> float | None:
    """Return a finite number, None for everything else."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(str(value)) if number else None


def sweep_page(sweep: ReportedSweep) -> Page:
    """Return the page of a sweep."""
    sections = [_ranking(sweep), _trials(sweep), _curves_section(sweep), _origin(sweep)]
    kept = [section for section in sections if section.blocks]
    return Page(f"Sweep {sweep.name}", _subtitle(sweep), kept, script=True)


def sweep_tables(sweep: ReportedSweep) -> list[Section]:
    """Return what Markdown shows of a sweep: the ranking and the trials."""
    return [_ranking(sweep), _trials(sweep)]


def _subtitle(sweep: ReportedSweep) -> str:
    states: dict[str, int] = {}
    for trial in sweep.trials:
        states[trial.state] = states.get(trial.state, 0) + 1
    counted = ", ".join(f"{number:,} {state}" for state, number in states.items())
    best = next(((name, mean) for name, mean, *_ in sweep.ranking if mean is not None), None)
    said = f"; best: {best[0]}, {_named(sweep.metric)} {format_metric(sweep.metric, best[1])}" if best else ""
    return f"{format_count(len(sweep.trials), 'trial')}: {counted}{said}" if sweep.trials else "no trial yet"


def _ranking(sweep: ReportedSweep) -> Section:
    rows = []
    for place, (name, mean, deviation, seeds) in enumerate(sweep.ranking, 1):
        shown = ["" if value is None else format_metric(sweep.metric, value) for value in (mean, deviation)]
        rows.append((name, str(place) if mean is not None else "", *shown, ", ".join(map(str, seeds))))
    caption = f"Mean and deviation of {_named(sweep.metric)} over the seeds, best first"
    table = Table(caption, ("trials", "rank", "mean", "± deviation", "seeds"), rows, (1, 2, 3), id="ranking")
    return Section("ranking", "Ranking", [table] if rows else [])


def _trials(sweep: ReportedSweep) -> Section:
    keys = list(dict.fromkeys(key for trial in sweep.trials for key in trial.settings))
    names = list(dict.fromkeys(name for trial in sweep.trials for name in trial.metrics))
    variants = any(trial.variant for trial in sweep.trials)
    rows = [
        (
            trial.name,
            trial.state,
            *((trial.variant,) if variants else ()),
            *(trial.settings.get(key, "") for key in keys),
            trial.seed,
            *(format_metric(name, trial.metrics[name]) if name in trial.metrics else "" for name in names),
        )
        for trial in sweep.best_first
    ]
    heading = ("trial", "state", *(("variant",) if variants else ()), *keys, "seed", *map(_named, names))
    right = range(len(heading) - len(names) - 1, len(heading))
    blocks: list[Block] = [Table("Every trial; the headings sort", heading, rows, right, id="trials")]
    failed = [(trial.name, trial.state, trial.error) for trial in sweep.trials if trial.error]
    if failed:
        blocks.append(Table("What went wrong", ("trial", "state", "error"), failed))
    return Section("trials", "Trials", blocks)


def _curves_section(sweep: ReportedSweep) -> Section:
    trials = [trial for trial in sweep.best_first if trial.curves]
    if not trials:
        return Section("curves", "Curves", [])
    quantities: dict[str, dict[str, Course]] = {}
    for trial in trials:
        for name, course in trial.curves.items():
            quantities.setdefault(name, {})[trial.name] = course
    order = sorted(quantities, key=lambda name: (name != sweep.metric, name))
    names = [trial.name for trial in trials]
    document = {"names": names, "picked": names[:PICKED], "quantities": {name: quantities[name] for name in order}}
    chart = Chart("Curves of the picked trials", json.dumps(document, allow_nan=False, separators=(",", ":")))
    histories = [RunHistory(trial.name, _for_picture(trial.curves)) for trial in trials[:MOST_DRAWN]]
    some = f" the first {MOST_DRAWN} of" if len(trials) > MOST_DRAWN else ""
    words = (
        f"Curves of{some} {format_count(len(trials), 'trial')} over the training steps; the table above has the ends."
    )
    return Section(
        "curves", "Curves", [chart, *drawn(lambda: [PICTURES["curves"](histories)], words, "All curves at once")]
    )


def _for_picture(curves: Mapping[str, Course]) -> dict[str, tuple[list[int], list[float]]]:
    return {
        ("training_loss" if name == "loss" else name): (steps, [math.nan if v is None else v for v in values])
        for name, (steps, values) in curves.items()
    }


def _origin(sweep: ReportedSweep) -> Section:
    blocks: list[Block] = []
    try:
        blocks.append(Code(list(coloured((sweep.path / SPEC).read_text(encoding="utf-8"))), "The spec"))
    except (OSError, ValueError):
        blocks.append(Paragraph(f"The folder has no {SPEC} that can be read."))
    command = f"nnspec sweep {shlex.quote(str(sweep.path))}"
    blocks.append(Code([(command, "")], "To go on with the trials that are not finished"))
    trial = next((trial for trial in sweep.best_first if trial.curves), None)
    if trial is not None:
        folder = shlex.quote(str(sweep.path / "trials" / trial.name))
        blocks.append(Code([(f"nnspec reproduce {folder}", "")], "To train the first one again and compare every bit"))
    return Section("repeat", "The spec, and to repeat it", blocks)


def _named(metric: str) -> str:
    return metric.replace("_", " ") or "the metric"
