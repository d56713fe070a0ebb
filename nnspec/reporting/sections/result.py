"""What a run reached: its metrics with those of the baseline, how long it took, and what to doubt."""

from collections.abc import Iterator, Sequence
from typing import Any

from nnspec.cli.format import format_count, format_metric
from nnspec.reporting.blocks import Block, Paragraph, Section, Table
from nnspec.reporting.run import ReportedRun

SPLITS = ("test", "validation", "training")


def result(run: ReportedRun) -> Section:
    """Return the metrics of each split, and the facts of the training."""
    blocks: list[Block] = [Paragraph(text, warning=True) for text in _doubts(run)]
    blocks += [Table("Loss and metrics", *metrics_table(run), right=_numbers(run)), _expectations(run), _facts(run)]
    return Section("result", "Result", [block for block in blocks if not isinstance(block, Table) or block.rows])


def metrics_table(run: ReportedRun) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the heading and the rows of what was measured: a row for each metric, a column for each split."""
    measured, baseline = measurements(run), baseline_of(run)
    splits = [split for split in SPLITS if any(split in by for by in measured.values())]
    heading = ["", *splits]
    if baseline:
        heading.append(f"baseline: {baseline['name']}, {baseline['split']}")
    rows = []
    for name, by in measured.items():
        row = [name.replace("_", " "), *(format_metric(name, by[split]) if split in by else "" for split in splits)]
        if baseline:
            reached = baseline.get(name)
            row.append(format_metric(name, reached) if isinstance(reached, int | float) else "")
        rows.append(tuple(row))
    return tuple(heading), rows


def measurements(run: ReportedRun) -> dict[str, dict[str, float]]:
    """Return the last value of each metric by split; the mean loss of the training steps is that of training."""
    history = run.saved.state.history
    found = {name: series.values[-1] for name, series in history.items() if series.values and name != "lr"}
    found |= {name: value for name, value in run.last_event.items() if name.startswith("test_")}
    if "loss" in found and "training_loss" not in found:
        found["training_loss"] = found.pop("loss")
    table: dict[str, dict[str, float]] = {}
    for full in sorted(found, key=lambda name: name.endswith("_loss")):
        split, _, name = full.partition("_")
        if split in SPLITS:
            table.setdefault(name, {})[split] = found[full]
    return table


def headline(run: ReportedRun) -> str:
    """Return the most important number in a sentence: test accuracy 97.2 %, baseline 10.0 %."""
    measured, baseline = measurements(run), baseline_of(run)
    for name, by in measured.items():
        split = next((split for split in SPLITS if split in by), None)
        if split is not None:
            reached = baseline.get(name) if baseline else None
            beside = f", baseline {format_metric(name, float(reached))}" if isinstance(reached, int | float) else ""
            return f"{split} {name.replace('_', ' ')} {format_metric(name, by[split])}{beside}"
    return "nothing was measured yet"


def how_far(run: ReportedRun) -> str:
    """Return whether the run is finished, in words."""
    step, event = run.saved.state.step, run.last_event
    if event.get("event") == "diverged":
        return f"diverged at step {event.get('steps')}"
    if step >= run.total:
        return f"finished after {format_count(step, 'step')}"
    if run.saved.state.stopped:
        return f"stopped early after {step:,} of {run.total:,} steps"
    return f"at step {step:,} of {run.total:,}"


def _numbers(run: ReportedRun) -> tuple[int, ...]:
    return tuple(range(1, len(metrics_table(run)[0])))


def baseline_of(run: ReportedRun) -> dict[str, Any]:
    """Return the baseline on the split of the result; empty where it is not known."""
    found = run.last_event.get("baseline") or run.saved.run.get("baseline")
    return found if isinstance(found, dict) and "name" in found and "split" in found else {}


def _doubts(run: ReportedRun) -> Iterator[str]:
    yield from run.reservations
    if run.last_event.get("event") == "diverged":
        yield f"The run diverged: {run.last_event.get('reason')}. {str(run.last_event.get('help', '')).capitalize()}."
    elif run.saved.state.step < run.total and not run.saved.state.stopped:
        yield f"The checkpoint holds step {run.saved.state.step:,} of {run.total:,}: the run has not reached its end."
    falling = run.last_event.get("still_falling")
    if isinstance(falling, dict) and isinstance(falling.get("by"), int | float):
        loss = str(falling.get("metric", "loss")).replace("_", " ")
        yield f"The {loss} was still falling, by {100 * falling['by']:.0f} %: write {falling.get('write')}."
    if run.absent:
        yield f"The data are not here, so sections that need samples are left out: {run.absent}"


def _expectations(run: ReportedRun) -> Table:
    """Return what the spec expects and what was measured; no rows where it expects nothing."""
    found = run.last_event.get("expectations")
    return expectations_table(found if isinstance(found, list) else [])


def expectations_table(outcomes: Sequence[Any], caption: str = "What the spec expects") -> Table:
    """Return outcomes as events have them in a table."""
    rows = [
        (str(one.get("expected")), "met" if one.get("met") else "missed", _shown(one))
        for one in outcomes
        if isinstance(one, dict)
    ]
    return Table(caption, ("expectation", "result", "measured"), rows)


def _shown(outcome: dict[str, Any]) -> str:
    name, value = str(outcome.get("metric")), outcome.get("value")
    shown = format_metric(name, value) if isinstance(value, int | float) else str(value)
    return f"{name.replace('_', ' ')} {shown}"


def _facts(run: ReportedRun) -> Table:
    spec, saved = run.spec, run.saved
    speed = run.last_event.get("samples_per_second")
    rows = [
        ("network", spec.title),
        ("parameters", f"{spec.parameter_count:,}"),
        ("samples in training", f"{len(saved.state.order):,}"),
        ("training", how_far(run)),
        ("epochs", f"{saved.state.epoch:,}"),
        ("time in training steps", f"{float(saved.run['seconds']):,.1f} s"),
        ("speed", f"{speed:,.0f} samples/s" if isinstance(speed, int | float) else ""),
        ("seed", str(spec.train.seed)),
        ("best evaluation", f"step {saved.state.best.step:,}" if saved.state.best is not None else ""),
    ]
    return Table("The training", ("", "value"), [row for row in rows if row[1]])
