"""The training loop: a fold over batches. All that it needs to go on is in the state, and that is in the checkpoint."""

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.data import Data
from nnspec.runtime.errors import Interrupted, TrainingError
from nnspec.runtime.infer.evaluation import evaluate
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.checkpointing import alone, digest, load, save
from nnspec.runtime.train.divergence import ADVICE, first_not_finite, largest_weight
from nnspec.runtime.train.run_folder import RunFolder, checkpoint_at, new_folder
from nnspec.runtime.train.signals import StopRequest, stop_on_signals
from nnspec.runtime.train.spec_and_data import Arrays, with_data
from nnspec.runtime.train.state import Best, Series, State, start
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.vocabulary.registry import words
from nnspec.spec_lang.vocabulary.schedules import Plateau
from nnspec.spec_lang.vocabulary.statements import Metric

Event = dict[str, Any]
Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Run:
    """A finished or resumed run.

    `network` is as it is now, `history` by metric, `path` the folder (None without one), `data` what it was trained on.
    """

    network: Network
    history: dict[str, Series]
    path: Path | None
    end: Event
    data: Data

    def __repr__(self) -> str:
        """What a notebook shows of it."""
        where = f", in {self.path}" if self.path is not None else ""
        return f"<Run of {self.network.spec.name}: {self.end['steps']:,} steps, {self.data.name}{where}>"


@dataclass(frozen=True)
class Timetable:
    """How long a run is and what is due when, all in steps (batches)."""

    total: int
    unit: float  # steps in one unit of the train statement: an epoch's, or 1
    evaluate_every: int
    checkpoint_every: int

    @classmethod
    def of(cls, spec: Spec, samples: int) -> "Timetable":
        """The timetable of a spec on this many training samples."""
        train = spec.train
        unit = math.ceil(spec.samples_an_epoch(samples) / train.batch) if train.unit == "epochs" else 1
        default = 1 if train.unit == "epochs" else max(1, train.length // 10)
        every = train.evaluate_every or default
        return cls(train.length * unit, unit, every * unit, (train.checkpoint_every or every) * unit)


class Trainer:
    """One run from a state to its end. `listen` hears of evaluations, progress, warnings and the end.

    `saved_at` is the step that the folder's last.h5 stands at, None where it does not hold this run yet.
    """

    def __init__(
        self,
        state: State,
        data: Data,
        folder: RunFolder | None,
        listen: Listener,
        seconds: float = 0.0,
        saved_at: int | None = None,
    ):
        self.state = state
        self.data = data
        self.folder = folder
        self.listen = listen
        self.seconds = seconds  # of training alone: evaluation and saving are not counted
        self.saved_at = saved_at
        self.warned = False
        self.spec = state.network.spec
        self.timetable = Timetable.of(self.spec, len(data.train))
        self.stepper = Stepper(state, data, self.timetable.unit)
        self.monitor = Monitor.of(self.spec, data)

    def run(self) -> Event:
        """Train to the end, or until early stopping, a signal or a number that is none. Returns the end event.

        The state is saved before the first step too, so that a run can go on whenever it is killed.
        """
        with self.stepper.ready(), stop_on_signals() as stop:
            if self.saved_at is None:
                self._save()
            for _ in self._steps(stop, self.timetable.total):
                if self._evaluation_due():
                    self._evaluate()
                if self.state.step % self.timetable.checkpoint_every == 0 or self._finished():
                    self._keep()
                    self._save()
            if stop.signal is not None and not self._finished():
                if self.saved_at != self.state.step:
                    self._save()
                where = f"; nnspec resume {self.folder.path} goes on" if self.folder else ""
                raise Interrupted(f"stopped after step {self.state.step} of {self.timetable.total}{where}", stop.signal)
            return self._end()

    def replay(self, step: int) -> None:
        """Move the state on to a step as `run` does, but stop there, whatever is due."""
        with self.stepper.ready():
            for _ in self._steps(StopRequest(), step):
                if self._evaluation_due():
                    self._evaluate()

    def _steps(self, stop: StopRequest, last: int) -> Iterator[None]:
        """Train up to what is due next, again and again; what the caller does between is not counted as training."""
        state, batch = self.state, self.spec.train.batch
        began = told_at = time.perf_counter()
        while state.step < last and not self._finished() and stop.signal is None:
            until = min(state.step + self._until_due(), last)
            while state.step < until and stop.signal is None:
                before = state.samples
                losses = self.stepper.advance(until - state.step)
                bad = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
                if bad is not None:
                    self._diverged(f"the loss is {losses[bad]}", state.step - len(losses) + bad + 1)
                samples = state.samples - before
                state.loss_sum += sum(losses) / len(losses) * samples
                state.loss_count += samples
                now = time.perf_counter()
                if now - told_at > 0.1:
                    told_at = now
                    progress = {"step": state.step, "total": self.timetable.total, "loss": losses[-1], "batch": batch}
                    self.listen({"event": "progress", **progress})
            if self._due():
                self.seconds += time.perf_counter() - began
                yield
                began = time.perf_counter()
        self.seconds += time.perf_counter() - began

    def _finished(self) -> bool:
        return self.state.stopped or self.state.step >= self.timetable.total

    def _evaluation_due(self) -> bool:
        return self.state.step % self.timetable.evaluate_every == 0 or self._finished()

    def _due(self) -> bool:
        every = (self.timetable.evaluate_every, self.timetable.checkpoint_every)
        return self._finished() or any(self.state.step % steps == 0 for steps in every)

    def _until_due(self) -> int:
        """How many steps there are until the next evaluation, the next save or the end."""
        step, table = self.state.step, self.timetable
        every = (table.evaluate_every, table.checkpoint_every)
        return min(table.total - step, *(steps - step % steps for steps in every))

    def _evaluate(self) -> None:
        """Measure, remember the best, and let the schedule and early stopping see it."""
        state = self.state
        measured = {"loss": state.loss_sum / max(state.loss_count, 1)}
        state.loss_sum, state.loss_count = 0.0, 0
        if self.data.validation is not None:
            measured |= evaluate(state.network, self.data.validation, "validation_")
        for name, value in measured.items():
            if not math.isfinite(value):
                self._diverged(f"{name} is {value}", state.step)
        measured["lr"] = self.stepper.rate(state.step)
        state.record(measured)
        loss = measured.get("validation_loss", measured["loss"])
        if isinstance(self.spec.schedule, Plateau):
            state.plateau = state.plateau.update(self.spec.schedule, loss)
        value = measured[self.monitor.name]
        stopping = self.spec.early_stop
        if state.best is None or self.monitor.better(value, state.best.value, stopping.min_delta if stopping else 0.0):
            network = state.network
            state.best = Best(value, state.step, network.parameter_arena.flat.copy(), network.buffer_arena.flat.copy())
            state.waited = 0
        else:
            state.waited += 1
        if stopping is not None and state.waited >= stopping.patience:
            state.stopped = True
        self._check_finite()
        self._tell({"event": "evaluation", "step": state.step, "epoch": state.epoch, **measured})
        if self.folder is not None and state.best.step == state.step:
            self._write(self.folder.best)

    def _save(self) -> None:
        """Make last.h5 the state as it is."""
        if self.folder is None:
            return
        self._check_finite()
        self._write(self.folder.last)
        self.saved_at = self.state.step
        room = self.folder.lack_of_room()
        if room and not self.warned:
            self.warned = True
            self.listen({"event": "warning", "text": room})

    def _keep(self) -> None:
        """Leave a checkpoint by its step, and as many former ones as the spec asks for.

        It comes before last.h5: a run that is killed in between makes it again.
        """
        if self.folder is None or not self.spec.train.keep:
            return
        self._check_finite()
        self._write(self.folder.at_step(self.state.step), keep_previous=False)
        self.folder.keep_steps(self.spec.train.keep)

    def _write(self, path: Path, keep_previous: bool = True) -> None:
        folder = os.path.relpath(self.spec.folder.resolve(), path.parent.resolve())
        run = {"folder": folder, "seconds": self.seconds}
        save(path, self.state, self.data.digest, run, keep_previous)

    def _end(self) -> Event:
        state = self.state
        last = {name: series.values[-1] for name, series in state.history.items() if name != "lr"}
        if self.data.test is not None:
            last |= evaluate(state.network, self.data.test, "test_")
        speed = state.samples / self.seconds if self.seconds > 0 else 0.0
        event = {
            "event": "end",
            "out": str(self.folder.path) if self.folder else None,
            "steps": state.step,
            "epochs": state.epoch,
            "seconds": round(self.seconds, 3),
            "samples_per_second": round(speed, 1),
            "early_stopped": state.stopped,
            **last,
        }
        self._tell(event)
        return event

    def _tell(self, event: Event) -> None:
        if self.folder is not None:
            self.folder.log([event])
        self.listen(event)

    def _check_finite(self) -> None:
        """Every number that is about to be kept is one, though the loss may not have shown it."""
        bad = first_not_finite(self.state, {})
        if bad is not None:
            self._diverged("the loss does not show it yet", self.state.step)

    def _diverged(self, what: str, step: int) -> None:
        """Stop with the layer where it shows first, before anything is saved."""
        bad = first_not_finite(self.state, self.stepper.gradients)
        found = f"{bad} is not finite" if bad else largest_weight(self.state)
        kept = ""
        if self.folder is not None and self.saved_at is not None:
            kept = f"\n  {self.folder.last} is as it was at step {self.saved_at}"
        raise TrainingError(f"training diverged at step {step}: {what}; {found}\n  help: {ADVICE}{kept}")


@dataclass(frozen=True)
class Monitor:
    """The number by which evaluations are compared: early_stop's, else the validation loss, else the training loss."""

    name: str
    larger_is_better: bool

    @classmethod
    def of(cls, spec: Spec, data: Data) -> "Monitor":
        """The monitor of a run. Raises TrainingError for a number that the run does not measure."""
        prefix = "validation_" if data.validation is not None else ""
        measured = ["loss"]
        if data.validation is not None:
            measured += ["validation_loss", *(f"validation_{metric.word}" for metric in spec.metrics)]
        name = spec.early_stop.monitor if spec.early_stop is not None else f"{prefix}loss"
        if name not in measured:
            known = ", ".join(measured)
            raise TrainingError(f"early_stop watches {name}, which this run does not measure; it has {known}")
        metric = words("metric").get(name.removeprefix("validation_"))
        return cls(name, metric is not None and issubclass(metric, Metric) and metric.larger_is_better)

    def better(self, value: float, best: float, min_delta: float) -> bool:
        """Whether a value beats the best one by more than min_delta."""
        return value > best + min_delta if self.larger_is_better else value < best - min_delta


def silent(event: Event) -> None:
    """A listener that wants to hear nothing."""


def train(
    request: Request,
    out: str | Path | None = None,
    arrays: Arrays | None = None,
    init_from: str | Path | None = None,
    dtype: Any = np.float32,
    listen: Listener = silent,
    files: bool = True,
) -> Run:
    """Train a spec from its first step. Without `files` nothing is written.

    Raises SpecError, DataError, TrainingError, and Interrupted after a signal.
    """
    spec, data = with_data(request, arrays)
    network = Network(spec, data.preprocessing, dtype)
    network.initialize(spec.train.seed)
    if init_from is not None:
        network.set_parameters(load(checkpoint_at(init_from)).network.parameters)
    state = start(network, len(data.train), spec.train.seed)
    folder = new_folder(spec.name, out) if files else None
    listen(beginning(spec, data, folder, Timetable.of(spec, len(data.train)), 0))
    for warning in _without_sweeps(spec, request):
        listen(warning)
    trainer = Trainer(state, data, folder, listen)
    if folder is None:
        end = trainer.run()
        return Run(network, state.history, None, end, data)
    with alone(folder.path):
        folder.refuse_if_taken()
        folder.write_text("spec.nnspec", spec.source.text)
        folder.write_text("resolved.nnspec", canonical_text(spec))
        end = trainer.run()
    return Run(network, state.history, folder.path, end, data)


def _without_sweeps(spec: Spec, request: Request) -> Iterator[Event]:
    """A warning where the spec asks for a grid of runs, and this one is none of its places."""
    left_out = {key: values for key, values in spec.sweeps if key not in request.settings}
    if left_out:
        told = f"one run is trained, the spec as it stands, without its sweep of {', '.join(left_out)}"
        key, values = next(iter(left_out.items()))
        yield {"event": "warning", "text": f"{told}; --set {key}={values[0]} takes one of the values"}


def beginning(spec: Spec, data: Data, folder: RunFolder | None, timetable: Timetable, step: int) -> Event:
    """The event with which a run begins or goes on."""
    return {
        "event": "start",
        "out": str(folder.path) if folder else None,
        "network": spec.name,
        "parameters": spec.parameter_count,
        "samples": len(data.train),
        "batch": spec.train.batch,
        "step": step,
        "total": timetable.total,
        "spec_digest": digest(canonical_text(spec)),
    }
