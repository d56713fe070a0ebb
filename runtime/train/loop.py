"""The training loop: steps, evaluations, checkpoints, early stopping and the end of one run.

The state holds all values that a resumed run needs, and a checkpoint holds the state. This module does not know how a
step is computed (step.py) nor how a checkpoint is written (checkpointing.py).
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nnspec.runtime.data import Data
from nnspec.runtime.errors import Interrupted, TrainingError
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.infer.evaluation import evaluate
from nnspec.runtime.schedules import after_evaluation
from nnspec.runtime.train.checkpointing import Resumptions, checkpoint_image, write_image
from nnspec.runtime.train.divergence import ADVICE, first_nonfinite_array, largest_weight
from nnspec.runtime.train.events import Event, Listener, Watcher, unwatched
from nnspec.runtime.train.expectations import outcomes
from nnspec.runtime.train.monitor import Monitor
from nnspec.runtime.train.outcome import (
    baseline_of_result,
    judged_split,
    measured_baseline,
    measured_training_split,
    still_falling,
)
from nnspec.runtime.train.run_folder import RunFolder
from nnspec.runtime.train.signals import StopRequest, stop_on_signals
from nnspec.runtime.train.state import Best, State
from nnspec.runtime.train.step import Stepper
from nnspec.runtime.train.timetable import Timetable
from nnspec.spec_lang.check.fit import TRAINING, VALIDATION

PROGRESS_SECONDS = 0.1
"""The least time between two progress events."""


class Trainer:
    """Trains one run from a state to its end.

    `folder` is None for a run without files. `listen` receives the events. `seconds` is the training time so far.
    `saved_at` is the step of the folder's last.h5, None where it does not hold this run yet. `check_lock` is called
    before each write to the folder, and raises where the folder is not this run's any more. `stop` asks the run to
    stop after a step, as a signal does. `resumed` are the resumptions of the run so far. `each` is called with the
    losses of the steps that were just made, `watch` with the network before the first step, next to each progress event
    and after each evaluation.
    """

    def __init__(
        self,
        state: State,
        data: Data,
        folder: RunFolder | None,
        listen: Listener,
        seconds: float = 0.0,
        saved_at: int | None = None,
        check_lock: Callable[[], None] = lambda: None,
        stop: StopRequest | None = None,
        resumed: Resumptions = (),
        each: Callable[[list[float]], None] = lambda losses: None,
        watch: Watcher = unwatched,
    ):
        self.state = state
        self.data = data
        self.folder = folder
        self.listen = listen
        self.seconds = seconds  # of training alone: evaluation and saving are not counted
        self.saved_at = saved_at
        self.check_lock = check_lock
        self.stop = stop or StopRequest()
        self.resumed = resumed
        self.each = each
        self.watch = watch
        self.warned = False
        self.image: bytes | None = None  # of the state, while no step changes it: best.h5 and last.h5 may be the same
        self.spec = state.network.spec
        self.timetable = Timetable.of(self.spec, len(data.train))
        self.stepper = Stepper(state, data, self.timetable.unit)
        self.monitor = Monitor.of(self.spec, data)
        self.baseline = Baseline.fit(state.network, data.train)
        self.baseline_measured = measured_baseline(self.baseline, data, judged_split(data))

    def run(self, until: int | None = None) -> Event:
        """Train to the end or to early stopping and return the end event.

        Saves before the first step too, so that a run killed at any time can be resumed. With `until` it stops after
        this step, saves, and returns how far it came. Raises Interrupted after a signal, once the state is saved, and
        TrainingError where NaN or infinity appears.
        """
        last = self.timetable.total if until is None else min(until, self.timetable.total)
        with self.stepper.ready(), stop_on_signals(self.stop) as stop:
            if self.saved_at is None:
                self._save_last()
            self.watch(self.state.network)
            for _ in self._steps(stop, last):
                if self._evaluation_due():
                    self._evaluate()
                if self.timetable.checkpoint_due(self.state.step) or self._finished():
                    self._save_kept()
                    self._save_last()
            if not self._finished() and self.saved_at != self.state.step:
                self._save_last()
            if stop.signal is not None and not self._finished():
                advice = f": continue it by {self._resume_call()}" if self.folder else ""
                self.listen({"event": "interrupted", **self._so_far()})
                raise Interrupted(
                    f"stopped after step {self.state.step} of {self.timetable.total}{advice}", stop.signal
                )
            return self._end() if self._finished() else {"event": "stopped", **self._so_far()}

    def _resume_call(self) -> str:
        """Return what resumes the run: the command, or for a run on arrays, which no file has, the call in Python."""
        assert self.folder is not None
        if self.spec.data is None or self.spec.data.in_memory:
            return f"nnspec.resume({str(self.folder.path)!r}, data=(x, y))"
        return f"nnspec resume {self.folder.path}"

    def replay(self, step: int) -> None:
        """Advance the state to a step as `run` does, but save nothing."""
        with self.stepper.ready():
            for _ in self._steps(StopRequest(), step):
                if self._evaluation_due():
                    self._evaluate()

    def _steps(self, stop: StopRequest, last: int) -> Iterator[None]:
        """Train up to step `last`; yield after each step at which an evaluation or a checkpoint is due.

        The time that the caller takes between two steps is not counted as training.
        """
        state, batch = self.state, self.spec.train.samples_a_step
        began = reported_at = time.perf_counter()
        while state.step < last and not self._finished() and stop.signal is None:
            until = min(state.step + self.timetable.steps_until_due(state.step), last)
            while state.step < until and stop.signal is None:
                before, self.image = state.samples, None
                losses = self.stepper.advance(until - state.step)
                bad = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), None)
                if bad is not None:
                    self._diverged(f"the loss is {losses[bad]}", state.step - len(losses) + bad + 1)
                self.each(losses)
                samples = state.samples - before
                state.loss_sum += sum(losses) / len(losses) * samples
                state.loss_count += samples
                now = time.perf_counter()
                if now - reported_at > PROGRESS_SECONDS:
                    reported_at = now
                    progress = {"step": state.step, "total": self.timetable.total, "loss": losses[-1], "batch": batch}
                    self.listen({"event": "progress", **progress})
                    self.watch(self.state.network)
            if state.step >= last:
                self.stepper.dismiss()
            if self._checkpoint_or_evaluation_due():
                self._count_time(began)
                yield
                began = time.perf_counter()
        self._count_time(began)

    def _count_time(self, began: float) -> None:
        """Add the time since `began`; none where the clock was set back, for no checkpoint has negative seconds."""
        self.seconds += max(0.0, time.perf_counter() - began)

    def _finished(self) -> bool:
        return self.state.stopped or self.state.step >= self.timetable.total

    def _evaluation_due(self) -> bool:
        return self.timetable.evaluation_due(self.state.step) or self._finished()

    def _checkpoint_or_evaluation_due(self) -> bool:
        return self._evaluation_due() or self.timetable.checkpoint_due(self.state.step)

    def _evaluate(self) -> None:
        """Measure, record and report; update the schedule and early stopping; save best.h5 where it is best."""
        state = self.state
        measured = self._measure()
        state.record(measured)
        loss = measured.get("validation_loss", measured["loss"])
        state.plateau = after_evaluation(self.spec.schedule, state.plateau, loss)
        best = self._compare_with_best(measured[self.monitor.name])
        self._check_finite()
        self._report({"event": "evaluation", "step": state.step, "epoch": state.epoch, **measured})
        self.watch(state.network)
        if self.folder is not None and best:
            self._write(self.folder.best)

    def _measure(self) -> dict[str, float]:
        """Return the mean training loss since the last evaluation, the metrics of the splits and the learning rate."""
        state = self.state
        measured = {"loss": state.loss_sum / max(state.loss_count, 1)}
        state.loss_sum, state.loss_count = 0.0, 0
        if self.data.validation is not None:
            measured |= evaluate(state.judged, self.data.validation, VALIDATION)
        if self.spec.training_metrics:
            measured |= evaluate(state.judged, measured_training_split(self.spec, self.data), TRAINING)
        for name, value in measured.items():
            if not math.isfinite(value):
                self._diverged(f"{name} is {value}", state.step)
        return {**measured, "lr": self.stepper.rate(state.step)}

    def _compare_with_best(self, value: float) -> bool:
        """Return whether this evaluation is the best so far; keep its parameters, or count towards early stopping."""
        state, stopping = self.state, self.spec.early_stop
        best = state.best is None or self.monitor.better(
            value, state.best.value, stopping.min_delta if stopping else 0.0
        )
        if best:
            network = state.judged
            state.best = Best(value, state.step, network.parameter_arena.flat.copy(), network.buffer_arena.flat.copy())
            state.waited = 0
        else:
            state.waited += 1
        if stopping is not None and state.waited >= stopping.patience:
            state.stopped = True
        return best

    def _save_last(self) -> None:
        """Write the state to last.h5 and warn once where the disk has no room for the next save."""
        if self.folder is None:
            return
        self._check_finite()
        self._write(self.folder.last)
        self.image, self.saved_at = None, self.state.step
        warning = self.folder.disk_space_warning()
        if warning and not self.warned:
            self.warned = True
            self.listen({"event": "warning", "text": warning})

    def _save_kept(self) -> None:
        """Write the checkpoint of this step, and remove all but the last `keep` of its kind.

        Done before last.h5 is written, so that a run killed in between writes it again.
        """
        if self.folder is None or not self.spec.train.keep:
            return
        self._check_finite()
        self._write(self.folder.at_step(self.state.step), keep_previous=False)
        self.folder.keep_steps(self.spec.train.keep)

    def _write(self, path: Path, keep_previous: bool = True) -> None:
        self.check_lock()
        if self.image is None:
            self.image = self._image(path)
        write_image(path, self.image, keep_previous)

    def _image(self, path: Path) -> bytes:
        """Return the bytes of the state's checkpoint."""
        folder = os.path.relpath(self.spec.folder.resolve(), path.parent.resolve())
        run: dict[str, object] = {"folder": folder, "seconds": self.seconds, "baseline": self.baseline_measured}
        if self.resumed:
            run["resumed"] = self.resumed
        if self.folder is not None and self.folder.made_in is not None:
            run["made_in"] = self.folder.made_in
        return checkpoint_image(path, self.state, self.data.digest, run, self.baseline.values)

    def _end(self) -> Event:
        state = self.state
        last = {name: series.values[-1] for name, series in state.history.items() if name != "lr"}
        if self.data.test is not None:
            last |= evaluate(state.judged, self.data.test, "test_")
        speed = state.samples / self.seconds if self.seconds > 0 else 0.0
        rates = {"samples_per_second": round(speed, 1), "early_stopped": state.stopped}
        expected = [outcome.as_json() for outcome in outcomes(self.spec.expectations, last)]
        meaning = {
            **({"expectations": expected} if expected else {}),
            "baseline": baseline_of_result(self.baseline, self.data, last, self.baseline_measured),
            "still_falling": None if state.stopped else still_falling(self.spec, state.history),
        }
        event = {"event": "end", **self._so_far(), **rates, **last, **meaning}
        self._report(event)
        return event

    def _so_far(self) -> Event:
        """Return how far the run has come, for its last event."""
        return {
            "out": str(self.folder.path) if self.folder else None,
            "steps": self.state.step,
            "epochs": self.state.epoch,
            "seconds": round(self.seconds, 3),
        }

    def _report(self, event: Event) -> None:
        if self.folder is not None:
            self.check_lock()
            self.folder.log([event])
        self.listen(event)

    def _check_finite(self) -> None:
        """Raise TrainingError where the state holds NaN or infinity, which no loss needs to have shown yet."""
        bad = first_nonfinite_array(self.state, {})
        if bad is not None:
            self._diverged("the loss does not show it yet", self.state.step)

    def _diverged(self, what: str, step: int) -> None:
        """Report that the run diverged and raise TrainingError that names the first array with NaN or infinity.

        No checkpoint is written.
        """
        bad = first_nonfinite_array(self.state, self.stepper.gradients)
        found = f"{bad} is not finite" if bad else largest_weight(self.state)
        kept = ""
        if self.folder is not None and self.saved_at is not None:
            kept = f"\n  {self.folder.last} holds step {self.saved_at}"
        reason = f"{what}; {found}"
        saved = {"reason": reason, "help": ADVICE, "saved_step": self.saved_at}
        self._report({"event": "diverged", **self._so_far(), "steps": step, **saved})
        raise TrainingError(f"training diverged at step {step}: {reason}\n  help: {ADVICE}{kept}")
