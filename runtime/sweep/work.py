"""One trial, trained from wherever its folder stands: begun, resumed, or found at its end. It runs in any process."""

import math
import signal
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nnspec.runtime.errors import Interrupted, LockedError
from nnspec.runtime.execute.processors import Workers
from nnspec.runtime.sweep.trial import Outcome, Trial
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.events import Event, Listener
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.runtime.train.run_folder import LAST, RunFolder
from nnspec.runtime.train.signals import StopRequest
from nnspec.runtime.train.spec_and_data import Given
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import NNSpecError

PATIENCE = 60.0
"""Seconds to wait for the lock of a run: a worker whose sweep was killed saves and ends within one step."""

REPORTED = ("start", "progress", "evaluation", "warning")
"""The events of a run that its sweep is told; notes on the data would be the same for every trial."""


class PruneRule(Protocol):
    """Says from the evaluations of a trial so far whether it is hopeless."""

    def __call__(self, values: Sequence[float]) -> bool:
        """Return whether to end a trial with these values, an evaluation each."""


@dataclass(frozen=True)
class Task:
    """A trial to train: the spec with all its settings, and the folder of the run.

    `metric` is the one that ranks the trials; `prune` ends a hopeless trial. `given` are data in memory.
    """

    trial: Trial
    request: Request
    path: Path
    metric: str
    workers: Workers = 1
    prune: PruneRule | None = None
    given: Given | None = None

    @property
    def name(self) -> str:
        """The name of the trial."""
        return self.trial.name


class _Stopped(Exception):
    """A rule has found a trial hopeless before its run was resumed."""


def run_trial(task: Task, listen: Listener, stop: StopRequest) -> Outcome:
    """Train a trial to its end, from where it stopped if it was begun, and return what came of it.

    Raises nothing that a trial can cause: an error is its outcome. `stop` asks it to save and end; it is set where a
    signal has asked for that.
    """
    watch = _Watch(task, listen, stop)
    try:
        found = settled_outcome(task.path, task.metric)
        if found is not None:
            return found
        _train(task, watch)
    except _Stopped:
        return watch.outcome("pruned")
    except Interrupted as interrupted:
        if watch.hopeless:
            return watch.outcome("pruned")
        stop.signal = stop.signal or interrupted.signal
        return watch.outcome("interrupted")
    except NNSpecError as error:
        return watch.outcome("diverged" if watch.diverged else "failed", str(error))
    except MemoryError:
        return watch.outcome("failed", "this machine has too little memory: use a smaller batch, or fewer jobs")
    except Exception:
        return watch.outcome("failed", f"a fault of nnspec itself:\n{traceback.format_exc()}")
    return settled_outcome(task.path, task.metric) or watch.outcome("done")


def settled_outcome(path: Path, metric: str) -> Outcome | None:
    """Return what the log of a run says has come of it; None where it is not at its end."""
    events = RunFolder(path).events()
    last: Mapping[str, Any] = events[-1] if events else {}
    if last.get("event") not in ("end", "diverged") or (last["event"] == "end" and not (path / LAST).exists()):
        return None
    evaluations = [event for event in events if event.get("event") == "evaluation"]
    values = tuple(float(event[metric]) for event in evaluations if isinstance(event.get(metric), float | int))
    steps, seconds = int(last.get("steps", 0)), float(last.get("seconds", 0.0))
    if last["event"] == "diverged":
        measured = measurements(evaluations[-1]) if evaluations else {}
        reason = f"training diverged at step {steps}: {last.get('reason')}\n  help: {last.get('help')}"
        return Outcome("diverged", measured, steps, seconds, reason, values)
    return Outcome("done", measurements(last), steps, seconds, None, values)


def logged_outcome(path: Path, metric: str) -> Outcome:
    """Return how far a run has come that is not at its end, by its log: interrupted, or pending without one."""
    evaluations = [event for event in RunFolder(path).events() if event.get("event") == "evaluation"]
    if not evaluations:
        return Outcome()
    values = tuple(float(event[metric]) for event in evaluations if isinstance(event.get(metric), float | int))
    return Outcome("interrupted", measurements(evaluations[-1]), int(evaluations[-1]["step"]), values=values)


def measurements(event: Mapping[str, Any]) -> dict[str, float]:
    """Return the measurements of an event: the loss, and the metrics of the splits."""
    prefixes = ("validation_", "training_", "test_")
    named = {name: value for name, value in event.items() if name == "loss" or name.startswith(prefixes)}
    return {name: float(value) for name, value in named.items() if isinstance(value, float | int)}


def _train(task: Task, watch: "_Watch") -> None:
    """Train the run of a task from its start or its last checkpoint. Raises as `train` and `resume` do."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if (task.path / LAST).exists():
                watch.begin_again(load_run(task.path / LAST).state.history)
                resume(task.path, listen=watch, given=task.given, workers=task.workers, stop=watch.inner)
            else:
                train(task.request, task.path, task.given, None, listen=watch, workers=task.workers, stop=watch.inner)
            return
        except LockedError:
            if time.monotonic() > until or watch.stop.signal is not None:
                raise
            time.sleep(0.2)


class _Watch:
    """The listener of a trial: it hands events on, remembers measurements, and asks for the end of the run."""

    def __init__(self, task: Task, listen: Listener, stop: StopRequest):
        self.task = task
        self.listen = listen
        self.stop = stop
        self.inner = StopRequest()
        self.inner.signal = stop.signal
        self.hopeless = self.diverged = False
        self._values: list[float] = []
        self._measured: dict[str, float] = {}
        self._steps = 0
        self._seconds = 0.0

    def __call__(self, event: Event) -> None:
        """Take an event of the run."""
        kind = event["event"]
        self._steps = int(event.get("step", event.get("steps", self._steps)) or 0)
        self._seconds = float(event.get("seconds", self._seconds))
        self.diverged = self.diverged or kind == "diverged"
        if kind == "evaluation":
            self._measured = measurements(event)
            self._judge(event.get(self.task.metric))
        if kind in REPORTED:
            self.listen({**event, "trial": self.task.name})
        if self.hopeless or self.stop.signal is not None:
            self.inner.signal = self.inner.signal or self.stop.signal or signal.SIGINT

    def begin_again(self, history: Mapping[str, Any]) -> None:
        """Take the evaluations of a run that is resumed, and judge each as if it came now."""
        self._values = []
        for value in history[self.task.metric].values if self.task.metric in history else ():
            self._judge(value)
            if self.hopeless:
                self._measured = {name: float(series.values[-1]) for name, series in history.items() if name != "lr"}
                raise _Stopped

    def outcome(self, state: Any, error: str | None = None) -> Outcome:
        """Return the outcome of the trial as far as it has come."""
        return Outcome(state, self._measured, self._steps, self._seconds, error, tuple(self._values))

    def _judge(self, value: object) -> None:
        if isinstance(value, float | int) and math.isfinite(value):
            self._values.append(float(value))
            rule = self.task.prune
            self.hopeless = self.hopeless or (rule is not None and rule(self._values))
