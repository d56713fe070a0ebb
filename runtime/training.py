"""The training loop: a fold over batches. Everything it needs to go on is in the state, and the state is in the checkpoint."""

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from runtime.data import Data
from runtime.environment import differences, environment
from runtime.errors import CheckpointError, Interrupted, TrainingError
from runtime.evaluation import evaluate
from runtime.network import Network
from runtime.prepare import Arrays, data_of, with_data
from runtime.runs import RunFolder, checkpoint_at, new_folder
from runtime.saving import Saved, alone, digest, load, save
from runtime.signals import StopRequest, stop_on_signals
from runtime.state import Best, Series, State, start
from runtime.stepping import Stepper
from spec_lang.request import Request
from spec_lang.resolve import resolved
from spec_lang.schedules import Plateau
from spec_lang.spec import Spec
from spec_lang.training import Metric
from spec_lang.word import words

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
        unit = math.ceil(samples / train.batch) if train.unit == "epochs" else 1
        default = 1 if train.unit == "epochs" else max(1, train.length // 10)
        every = train.evaluate_every or default
        return cls(train.length * unit, unit, every * unit, (train.checkpoint_every or every) * unit)


class Trainer:
    """One run from a state to its end. `listen` hears of evaluations, progress and the end."""

    def __init__(self, state: State, data: Data, folder: RunFolder | None, listen: Listener, seconds: float = 0.0):
        self.state = state
        self.data = data
        self.folder = folder
        self.listen = listen
        self.seconds = seconds  # of training alone: evaluation and saving are not counted
        self.spec = state.network.spec
        self.timetable = Timetable.of(self.spec, len(data.train))
        self.stepper = Stepper(state, data, self.timetable.unit)
        self.monitor = Monitor.of(self.spec, data)

    def run(self) -> Event:
        """Train to the end, or until early stopping, a signal or a loss that is no number. Returns the end event."""
        with self.stepper.fixed_threads(), stop_on_signals() as stop:
            for _ in self._steps(stop):
                due = self.state.step % self.timetable.evaluate_every == 0 or self._finished()
                if due:
                    self._evaluate()
                if self.state.step % self.timetable.checkpoint_every == 0 or self._finished():
                    self._save()
            if stop.signal is not None and not self._finished():
                self._save()
                where = f"; nnspec resume {self.folder.path} goes on" if self.folder else ""
                raise Interrupted(f"stopped after step {self.state.step} of {self.timetable.total}{where}", stop.signal)
            return self._end()

    def _steps(self, stop: StopRequest) -> Iterator[None]:
        """Train up to what is due next, again and again; what the caller does between is not counted as training."""
        state, batch = self.state, self.spec.train.batch
        began = told_at = time.perf_counter()
        while not self._finished() and stop.signal is None:
            before = state.samples
            losses = self.stepper.advance(self._until_due())
            bad = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
            if bad is not None:
                self._diverged(f"the loss is {losses[bad]}", state.step - len(losses) + bad + 1)
            state.loss_sum += sum(losses) / len(losses) * (state.samples - before)
            state.loss_count += state.samples - before
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
        if not all(map(math.isfinite, measured.values())):
            self._diverged(f"the loss on the validation samples is {measured.get('validation_loss')}", state.step)
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
            if self.folder is not None:
                self._write(self.folder.best)
        else:
            state.waited += 1
        if stopping is not None and state.waited >= stopping.patience:
            state.stopped = True
        self._tell({"event": "evaluation", "step": state.step, "epoch": state.epoch, **measured})

    def _save(self) -> None:
        if self.folder is None:
            return
        self._write(self.folder.last)
        if self.spec.train.keep:
            self._write(self.folder.at_step(self.state.step))
            kept = sorted(self.folder.path.glob("step-*.h5"))
            for old in kept[: -self.spec.train.keep]:
                for path in (old, old.with_name(f"{old.name}.prev"), old.with_name(f"{old.name}.lock")):
                    path.unlink(missing_ok=True)

    def _write(self, path: Path) -> None:
        folder = os.path.relpath(self.spec.folder.resolve(), path.parent.resolve())
        save(path, self.state, self.data.digest, {"folder": folder, "seconds": self.seconds})

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

    def _diverged(self, what: str, step: int) -> None:
        """Stop with the layer where it shows first, before anything is saved."""
        arena, gradients = self.state.network.parameter_arena, self.stepper.gradients
        where = next((name for name in arena if not np.isfinite(arena[name]).all()), None)
        found = f"; {where} is no longer finite" if where else ""
        if where is None:
            where = next((name for name in gradients if not np.isfinite(gradients[name]).all()), None)
            found = f"; the gradient of {where} is not finite" if where else ""
        kept = f"\n  {self.folder.last} is the last good checkpoint" if self.folder and self.folder.last.exists() else ""
        advice = "lower the learning rate, try another init, clip the gradient (clip_norm=1), or look for odd values in the data"
        raise TrainingError(f"training diverged at step {step}: {what}{found}\n  help: {advice}{kept}")


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
            raise TrainingError(f"early_stop watches {name}, which this run does not measure; it has {', '.join(measured)}")
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
    listen(_beginning(spec, data, folder, Timetable.of(spec, len(data.train)), 0))
    trainer = Trainer(state, data, folder, listen)
    if folder is None:
        end = trainer.run()
        return Run(network, state.history, None, end, data)
    with alone(folder.path):
        folder.write_text("spec.nnspec", spec.source.text)
        folder.write_text("resolved.nnspec", resolved(spec))
        end = trainer.run()
    return Run(network, state.history, folder.path, end, data)


def resume(path: str | Path, allow_inexact: bool = False, listen: Listener = silent) -> Run:
    """Go on with a run from its folder or one of its checkpoints, as if it had never stopped.

    Raises CheckpointError where the file is damaged, the data have changed, or this machine's arithmetic differs from the
    one that wrote it and `allow_inexact` is not given.
    """
    file = checkpoint_at(path)
    saved = load(file)
    _same_arithmetic(saved, allow_inexact, file)
    folder = RunFolder(file.parent)
    spec = saved.network.spec
    data = data_of(spec)
    if data.digest != saved.meta["data_digest"]:
        raise CheckpointError(f"{file}: the data are not those it was trained on; put the former files back, or train anew")
    timetable = Timetable.of(spec, len(data.train))
    with alone(folder.path):
        folder.truncate_log(saved.state.step)
        listen(_beginning(spec, data, folder, timetable, saved.state.step))
        end = Trainer(saved.state, data, folder, listen, float(saved.run.get("seconds", 0.0))).run()
    return Run(saved.network, saved.state.history, folder.path, end, data)


def _same_arithmetic(saved: Saved, allow_inexact: bool, file: Path) -> None:
    changed = differences(saved.meta["environment"], environment())
    if changed and not allow_inexact:
        listed = "; ".join(changed)
        raise CheckpointError(f"{file}: going on would not be exact here: {listed}\n  help: --allow-inexact goes on all the same")


def _beginning(spec: Spec, data: Data, folder: RunFolder | None, timetable: Timetable, step: int) -> Event:
    return {
        "event": "start",
        "out": str(folder.path) if folder else None,
        "network": spec.name,
        "parameters": spec.parameter_count,
        "samples": len(data.train),
        "batch": spec.train.batch,
        "step": step,
        "total": timetable.total,
        "spec_digest": digest(resolved(spec)),
    }
