"""Progress of a sweep: a live table of the running trials on a terminal, a line for each finished one, the ranking."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from nnspec.cli.format import format_count, format_metric, format_table
from nnspec.cli.output import print_note, print_result, print_warning
from nnspec.spec_lang.report.escapes import escaped

if TYPE_CHECKING:
    from nnspec.runtime.sweep.conductor import SweepResult
    from nnspec.runtime.train.events import Event, Listener

REDRAW = 0.1
"""The least seconds between two drawings of the table."""

BAR = 12
"""The width of a trial's bar in characters."""


@contextmanager
def sweep_listener(quiet: bool) -> "Iterator[Listener]":
    """Provide a listener for a sweep that shows its events as they arrive. Warnings are shown even if quiet, once."""
    shown = None if quiet else _Table() if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else _Lines()
    warned: set[str] = set()

    def listen(event: "Event") -> None:
        if event["event"] == "warning":
            if event["text"] not in warned:
                warned.add(event["text"])
                if isinstance(shown, _Table):
                    shown.clear()
                print_warning(event["text"])
        elif shown is not None:
            shown(event)

    try:
        yield listen
    finally:
        if isinstance(shown, _Table):
            shown.clear()


def print_sweep(sweep: "SweepResult") -> None:
    """Print the ranking, and where the trials are."""
    test = "test_" + sweep.metric.removeprefix("validation_") if sweep.metric.startswith("validation_") else ""
    means = _test_means(sweep, test)
    tested = [test.replace("_", " ")] if means else []
    head = ["", sweep.metric.replace("_", " "), "± deviation", "seeds", *tested, ""]
    rows = [head]
    for rank in sweep.ranking:
        values = [_metric(sweep.metric, rank.mean), _metric(sweep.metric, rank.deviation), str(len(rank.seeds) or "")]
        values += [_metric(test, means.get(rank.name))] if means else []
        states = ", ".join(f"{rank.others.count(state)} {state}" for state in dict.fromkeys(rank.others))
        rows.append([rank.name, *values, states])
    print_result(format_table(rows, right=range(1, len(head) - 1), indent=""))
    print_result(f"{format_count(len(sweep.trials), 'trial')} in {sweep.path}: sweep.csv has them all")
    picture = sweep.path / "pictures" / "curves.png"
    if picture.exists():
        print_result(f"their curves are in {picture}")


def _test_means(sweep: "SweepResult", test: str) -> dict[str, float]:
    """Return the mean of the ranking metric on the test split, by group."""
    found: dict[str, list[float]] = {}
    for trial in sweep.trials:
        if trial.state == "done" and test in trial.metrics:
            found.setdefault(trial.trial.group, []).append(trial.metrics[test])
    return {group: sum(values) / len(values) for group, values in found.items()}


def _metric(name: str, value: float | None) -> str:
    return "" if value is None else format_metric(name, value)


def _beginning(event: "Event") -> str:
    kept = f", {event['kept']} of them finished" if event["kept"] else ""
    return f"sweeping {format_count(event['trials'], 'trial')}{kept}, into {event['out']}"


def _finished(event: "Event", metric: str) -> str:
    """Return the line of a trial that has ended; of a failed one its error too."""
    text = f"{event['name']}: {event['state']}"
    if event["state"] == "failed":
        return f"{text}: {event['error']}".replace("\n", "\n  ")
    if event["state"] == "diverged":
        reason = str(event["error"]).splitlines()[0]
        return f"{text} {reason.removeprefix('training diverged ')}"
    value = event["metrics"].get(metric)
    measured = f", {metric.replace('_', ' ')} {format_metric(metric, value)}" if value is not None else ""
    return f"{text}{measured}, {event['seconds']:.1f} s"


class _Meter:
    """How many trials have ended, and how long the others will take."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.kept = self.finished = self.trials = 0
        self.metric = ""

    def begin(self, event: "Event") -> None:
        """Take the event of the sweep's beginning."""
        self.kept = self.finished = event["kept"]
        self.trials, self.metric = event["trials"], event["metric"]
        self.began = time.monotonic()

    def text(self) -> str:
        """Return the count and the times: 3/12 [00:10<00:30, 3.33s/trial]."""
        from tqdm import tqdm

        elapsed = time.monotonic() - self.began
        meter = "{n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_inv_fmt}]"
        found = tqdm.format_meter(
            self.finished, self.trials, elapsed, unit="trial", initial=self.kept, bar_format=meter
        )
        return str(found).strip()


class _Lines:
    """A line for each trial that has ended."""

    def __init__(self) -> None:
        self.meter = _Meter()

    def __call__(self, event: "Event") -> None:
        """Show an event."""
        kind = event["event"]
        if kind == "note":
            print_note(event["text"])
        elif kind == "sweep":
            self.meter.begin(event)
            print_note(_beginning(event))
        elif kind == "trial":
            self.meter.finished = event["finished"]
            print_note(f"{self.meter.text()} {_finished(event, self.meter.metric)}")
        elif kind == "stopping" and event["running"]:
            print_note(f"stopping: {format_count(event['running'], 'trial')} will be saved")


class _Table:
    """The running trials, a line each with a bar, redrawn in place; trials that have ended are lines above them."""

    def __init__(self) -> None:
        self.meter = _Meter()
        self.running: dict[str, dict[str, Any]] = {}
        self.drawn = 0
        self.drawn_at = 0.0
        self.stopping = False

    def __call__(self, event: "Event") -> None:
        """Show an event."""
        kind = event["event"]
        if kind in ("note", "sweep", "trial"):
            self.clear()
        if kind == "note":
            print_note(event["text"])
        elif kind == "sweep":
            self.meter.begin(event)
            print_note(_beginning(event))
        elif kind == "trial":
            self.meter.finished = event["finished"]
            self.running.pop(event["name"], None)
            print_note(_finished(event, self.meter.metric))
        elif kind in ("start", "progress", "evaluation"):
            known = self.running.setdefault(event["trial"], {"step": 0, "total": 0})
            known.update({key: event[key] for key in ("step", "total", "loss", self.meter.metric) if key in event})
        elif kind == "stopping":
            self.stopping = True
        elif kind == "swept":
            self.running = {}
            self.clear()
            return
        if kind == "trial" or time.monotonic() - self.drawn_at > REDRAW:
            self.draw()

    def clear(self) -> None:
        """Remove the table, so that lines can be printed where it was."""
        if self.drawn:
            self._write(f"\x1b[{self.drawn}F\x1b[J")
            self.drawn = 0

    def draw(self) -> None:
        """Draw the table, as much of it as the terminal has room for."""
        columns, rows = _size()
        names = list(self.running)[: max(1, rows - 3)]
        width = max((len(name) for name in names), default=0)
        lines = [_row(name, self.running[name], min(width, columns // 2), self.meter.metric) for name in names]
        more = len(self.running) - len(names)
        lines += [f"… and {more} more"] if more > 0 else []
        lines.append(self.meter.text() + (", saving all" if self.stopping else ""))
        self.clear()
        self._write("".join(f"{escaped(line)[: columns - 1]}\n" for line in lines))
        self.drawn, self.drawn_at = len(lines), time.monotonic()

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _size() -> tuple[int, int]:
    """Return the columns and rows of the terminal; 80 x 24 if it reports none."""
    with suppress(OSError):
        size = os.get_terminal_size(sys.stderr.fileno())
        if min(size) > 0:
            return size.columns, size.lines
    return 80, 24


def _row(name: str, known: dict[str, Any], width: int, metric: str) -> str:
    done = known["step"] / known["total"] if known["total"] else 0.0
    bar = "█" * int(done * BAR)
    parts = [f"loss {known['loss']:.4f}"] if "loss" in known else []
    parts += [f"{metric.replace('_', ' ')} {format_metric(metric, known[metric])}"] if metric in known else []
    shown = name if len(name) <= width else f"{name[: width - 1]}…"
    return f"{shown:<{width}} {100 * done:3.0f}% {bar:<{BAR}} {', '.join(parts)}"
