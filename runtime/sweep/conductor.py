"""A sweep from its call to its end: which trials are left, where they run, what is kept, what a stop leaves.

It does not know how a trial is trained (work.py), where (backends/), or how a search chooses (search.py).
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnspec.runtime.errors import Interrupted, TrainingError
from nnspec.runtime.execute.processors import processor_count
from nnspec.runtime.infer.network import Network
from nnspec.runtime.sweep import memory
from nnspec.runtime.sweep.backends import PoolOptions, open_pool
from nnspec.runtime.sweep.folder import SPEC, Asked, SweepFolder, kept_source, make_folder, open_sweep
from nnspec.runtime.sweep.plan import Grid, Plan
from nnspec.runtime.sweep.prepare import Call, Prepared, Wanted, prepare
from nnspec.runtime.sweep.ranking import Rank, ranking
from nnspec.runtime.sweep.trial import SETTLED, Outcome, Trial, TrialResult
from nnspec.runtime.sweep.work import Task
from nnspec.runtime.train.checkpointing import load_checkpoint, run_lock
from nnspec.runtime.train.run_folder import LAST, RunFolder
from nnspec.runtime.train.signals import StopRequest, stop_on_signals
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.diagnostics import one_of
from nnspec.spec_lang.report.units import in_bytes
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.syntax.files import open_source

MOST_JOBS = 1024
FOREVER = 0.2
"""Seconds between two looks at signals while trials train."""


@dataclass(frozen=True)
class SweepResult:
    """A sweep: its trials in order, the ranking of their settings by `metric`, best first, and its folder."""

    trials: tuple[TrialResult, ...]
    ranking: tuple[Rank, ...]
    metric: str
    path: Path

    @property
    def failed(self) -> bool:
        """Whether a trial failed or diverged."""
        return any(trial.state in ("failed", "diverged") for trial in self.trials)

    @property
    def best(self) -> TrialResult:
        """The finished trial of the best settings, of the first of their seeds. Raises TrainingError without one."""
        if not self.ranking or self.ranking[0].mean is None:
            raise TrainingError("no trial has come to its end")
        rank = self.ranking[0]
        return next(t for t in self.trials if t.trial.group == rank.name and t.seed == rank.seeds[0])

    def network(self, name: str | None = None) -> Network:
        """Return the network of a trial at its end, by name; None for that of the best one. Raises CheckpointError."""
        path = self.best.path if name is None else next((t.path for t in self.trials if t.name == name), None)
        if path is None:
            raise TrainingError(f"the sweep has no trial {name}", exit_code=2)
        return load_checkpoint(path / LAST).network

    def as_json(self) -> dict[str, Any]:
        """Return the sweep as the command prints it."""
        return {
            "out": str(self.path),
            "metric": self.metric,
            "trials": [trial.as_json() for trial in self.trials],
            "ranking": [rank.as_json() for rank in self.ranking],
        }

    def __repr__(self) -> str:
        done = sum(trial.state == "done" for trial in self.trials)
        return f"<Sweep: {done} of {len(self.trials)} trials done, in {self.path}>"


class SweepInterrupted(Interrupted):
    """A sweep that a signal stopped, once all is saved; `sweep` is what is known of it."""

    def __init__(self, message: str, signal: int, sweep: SweepResult):
        super().__init__(message, signal)
        self.sweep = sweep

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.signal, self.sweep)


def sweep(wanted: Wanted, out: str | Path | None, call: Call) -> SweepResult:
    """Train every trial of a sweep that is not at its end, and return what is known of all of them.

    `out` is the sweep's folder, sweeps/NAME where it is None. Called again on it the sweep goes on.

    Raises SpecError, DataError, TrainingError where it cannot begin, and Interrupted after a signal, once all is saved.
    An error of one trial is its outcome.
    """
    source = _read(wanted.request)
    wanted = replace(wanted, request=replace(wanted.request, spec=source))
    spec = wanted.request.check()
    path = Path(out) if out is not None else Path("sweeps") / spec.title
    folder = open_sweep(path) or make_folder(path, source.text)
    return _Conductor(folder, wanted, call, spec).run()


def resume_sweep(
    path: str | Path,
    call: Call,
    seeds: tuple[int, ...] = (),
    trials: int | None = None,
    method: str | None = None,
    metric: str | None = None,
) -> SweepResult:
    """Go on with the sweep in a folder, with more seeds or trials, or another ranking, where they are given.

    Raises as `sweep` does, and TrainingError where the folder holds none.
    """
    folder = open_sweep(Path(path))
    if folder is None or folder.asked is None:
        raise TrainingError(f"{path} is not a sweep: it has no sweep.json", exit_code=2)
    asked = folder.asked
    if asked.in_memory and call.given is None:
        raise TrainingError(
            f"{path} swept arrays: nnspec.sweep({str(path)!r}, data=(x, y)) goes on with the same ones", 2
        )
    source = kept_source(folder)
    request = Request(source, asked.settings, asked.variant, asked.data, None, asked.in_memory)
    if (edited := _edited(source, folder)) is not None:
        call.listen({"event": "warning", "text": edited})
    seeds = tuple(dict.fromkeys((*asked.seeds, *seeds)))
    wanted = Wanted(request, seeds, trials or asked.trials, method or asked.method, metric or asked.metric)
    return _Conductor(folder, wanted, call, request.check()).run()


def _read(request: Request) -> Source:
    return request.spec if isinstance(request.spec, Source) else open_source(request.spec)


def _edited(source: Source, folder: SweepFolder) -> str | None:
    """Return a warning where the file of a sweep's spec is not the spec that it began with."""
    file = source.folder / Path(source.name).name if source.folder is not None else None
    if file is None or not file.is_file() or file.read_bytes() == (folder.path / SPEC).read_bytes():
        return None
    return (
        f"{file} was edited after the sweep began, which goes on with the spec as it was; "
        f"nnspec sweep {file} sweeps the edited one"
    )


class _Conductor:
    """One call of a sweep."""

    def __init__(self, folder: SweepFolder, wanted: Wanted, call: Call, spec: Spec):
        self.folder = folder
        self.wanted = wanted
        self.call = call
        self.spec = spec
        self.stop = StopRequest()
        self.metric = ""

    def run(self) -> SweepResult:
        """Train what is left, and return the sweep."""
        with run_lock(self.folder.path):
            prepared = prepare(self.wanted, self.call)
            self.metric = self._metric(prepared)
            jobs = self._jobs(prepared)
            plan = self._plan(prepared, jobs)
            self._begin(plan)
            if (left := plan.left()) is None or left:
                self._train(plan, jobs if left is None else max(1, min(jobs, left)))
            return self._end(plan)

    def _metric(self, prepared: Prepared) -> str:
        """Return the metric that ranks: the one asked for, that of the sweep before, or the spec's own."""
        asked = self.wanted.metric or (self.folder.asked.metric if self.folder.asked is not None else "")
        if asked and asked not in prepared.metrics:
            raise TrainingError(f"the trials do not measure {asked}: use {one_of(prepared.metrics)}", exit_code=2)
        return asked or prepared.metric

    def _jobs(self, prepared: Prepared) -> int:
        """Return how many trials train at once, as many as processors and memory allow, and say what was foreseen."""
        if self.call.backend != "local":
            if self.wanted.trials is not None and self.call.jobs is None:
                raise TrainingError("a search on a cluster chooses by how many trials run at once: give --jobs N", 2)
            return self.call.jobs or MOST_JOBS
        wanted = self.call.jobs or processor_count()
        fit = memory.jobs_that_fit(wanted, [prepared.bytes], prepared.available)
        free = in_bytes(prepared.available or 0)
        if fit < 1:
            raise TrainingError(
                f"a trial takes about {in_bytes(prepared.bytes)} of memory and {free} are free: use a smaller batch, "
                "fewer samples, or a machine with more"
            )
        if fit < wanted:
            text = (
                f"{wanted} trials of about {in_bytes(prepared.bytes)} do not fit into {free} of memory: {fit} at once"
            )
            self.call.listen({"event": "warning", "text": text})
        return fit

    def _plan(self, prepared: Prepared, jobs: int) -> Plan:
        if self.wanted.trials is None:
            return Grid(self.wanted, self.folder, prepared.check)
        from nnspec.runtime.sweep.search import Search

        return Search(self.wanted, self.folder, self.spec, self.metric, jobs, self.call)

    def _begin(self, plan: Plan) -> None:
        """Write what is known before the first trial, and report it."""
        folder, request = self.folder, self.wanted.request
        assert isinstance(request.spec, Source)
        home = request.spec.folder
        place = os.path.relpath(home.resolve(), folder.path.resolve()) if home is not None else None
        folder.asked = Asked(
            request.spec.name,
            place,
            {key: str(value) for key, value in request.settings.items()},
            request.variant,
            request.data,
            self.call.given is not None,
            tuple(sorted({*self.wanted.seeds, *(folder.asked.seeds if folder.asked is not None else ())})),
            self.metric,
            self.wanted.trials,
            self.wanted.method,
            plan.lag,
            plan.digest,
        )
        RunFolder(folder.path).write_text(SPEC, request.spec.text)
        folder.save(self._ranks())
        plan.begin()
        kept = sum(result.state in SETTLED for result in folder.results.values())
        event = {"event": "sweep", "out": str(folder.path), "kept": kept, "metric": self.metric}
        self.call.listen({**event, "trials": plan.total()})

    def _train(self, plan: Plan, jobs: int) -> None:
        """Keep the pool full until nothing is left or a signal arrives."""
        call, options = self.call, PoolOptions(self.call.listen, self.stop, jobs, self.call.scheduler, self.call.shared)
        with ExitStack() as held:
            pool = held.enter_context(open_pool(call.backend, options))
            held.enter_context(stop_on_signals(self.stop))
            workers = "auto" if call.backend == "local" and pool.slots == 1 else 1
            running, told = 0, False
            while True:
                while self.stop.signal is None and running < pool.slots and (trial := plan.next()) is not None:
                    pool.submit(self._task(plan, trial, workers))
                    running += 1
                if self.stop.signal is not None and not told:
                    told = True
                    pool.stop(self.stop.signal)
                    call.listen({"event": "stopping", "running": running})
                if not running:
                    return
                for task, outcome in pool.wait(FOREVER):
                    running -= 1
                    self._record(plan, task.trial, outcome)

    def _task(self, plan: Plan, trial: Trial, workers: Any) -> Task:
        request = self.wanted.request
        settings = {**request.settings, **trial.settings}
        request = replace(request, settings=settings, variant=trial.variant, seed=trial.seed)
        path = self.folder.of_trial(trial.name).absolute()
        return Task(trial, request, path, self.metric, workers, plan.rule(trial), self.call.given)

    def _record(self, plan: Plan, trial: Trial, outcome: Outcome) -> None:
        """Keep what came of a trial, and report it."""
        result = TrialResult(trial, outcome, self.folder.of_trial(trial.name))
        self.folder.results[trial.name] = result
        plan.tell(trial, outcome)
        self.folder.save(self._ranks(), now=False)
        if outcome.state != "pending":
            settled = sum(r.state not in ("pending", "interrupted") for r in self.folder.results.values())
            entry = {key: value for key, value in result.as_json().items() if key not in ("digest", "values", "group")}
            self.call.listen({"event": "trial", **entry, "finished": settled, "of": plan.total()})

    def _end(self, plan: Plan) -> SweepResult:
        """Write and report the end. Raises Interrupted after a signal."""
        ranks = self._ranks()
        self.folder.save(ranks)
        results = tuple(self.folder.results.values())
        found = SweepResult(results, tuple(ranks), self.metric, self.folder.path)
        self.call.listen({"event": "swept", "out": str(self.folder.path)})
        if self.stop.signal is not None:
            done = sum(result.state in SETTLED for result in results)
            again = f"nnspec sweep {self.folder.path}"
            if self.call.given is not None:
                again = f"nnspec.sweep({str(self.folder.path)!r}, data=(x, y))"
            text = f"stopped with {done} of {plan.total()} trials at their end: {again} goes on"
            raise SweepInterrupted(text, self.stop.signal, found)
        return found

    def _ranks(self) -> list[Rank]:
        return ranking(self.folder.results.values(), self.metric)
