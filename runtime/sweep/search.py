"""A search: Optuna chooses the settings of each trial from the ranges and grids of the sweep lines.

A search that is killed at any instant and begun again ends with the trials of one that was not. Trial n is chosen by a
sampler that is seeded with n, from the outcomes of trials up to n − lag alone, which are all known by then, however
many run at once. A hopeless trial is judged against the same ones. The journal holds every trial from the moment it is
chosen, in one line; one that was running is resumed and told.

Imported only for a search: it needs Optuna.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.infer.network_file import text_digest
from nnspec.runtime.sweep.backends import missing_package
from nnspec.runtime.sweep.folder import SweepFolder
from nnspec.runtime.sweep.grid import digest, of_seed
from nnspec.runtime.sweep.prepare import Call, Wanted
from nnspec.runtime.sweep.ranking import larger_is_better
from nnspec.runtime.sweep.trial import SETTLED, Outcome, Trial, TrialResult, group_name
from nnspec.runtime.sweep.work import PruneRule, logged_outcome, settled_outcome
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.sweeps import SweepRange

try:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
    from optuna.trial import FrozenTrial, TrialState
except ImportError:
    raise missing_package("Optuna", "search") from None

DEFAULT_METHOD = "tpe"
REDUCTION = 3
"""Of the trials that reach a rung of successive halving, one in so many goes on."""

JUDGED_AFTER = 5
"""Complete trials before the median of them ends a worse one."""

VARIANT = "variant"

Peer = tuple[str, tuple[float, ...]]
"""A trial that another one is judged against: its state in Optuna, its evaluations."""


class Search:
    """The trials of a search: those of the journal, then new ones up to the number asked for."""

    def __init__(self, wanted: Wanted, folder: SweepFolder, spec: Spec, metric: str, jobs: int, call: Call):
        if len(wanted.seeds) > 1:
            raise TrainingError("a search trains each trial with one seed: give --seeds one", exit_code=2)
        self.folder = folder
        self.wanted = wanted
        self.prune = call.prune
        self.metric = metric
        self.larger = larger_is_better(metric)
        self.method = wanted.method or DEFAULT_METHOD
        self.spec = of_seed(spec, wanted.seeds[0] if wanted.seeds else None)
        self.space = search_space(self.spec, wanted)
        self.digest = self._digest()
        self.lag = self._lag(jobs)
        self._running: list[Trial] = []

    def begin(self) -> None:
        """Open the journal, and take the trials in it."""
        self.study = self._open()
        self._running = self._restore()

    def total(self) -> int:
        """Return how many trials are asked for."""
        return self.wanted.trials or 0

    def left(self) -> int:
        """Return how many are still to be trained."""
        return max(len(self._running), self.total() - self._finished())

    def next(self) -> Trial | None:
        """Return a trial that was running, or a new one once those are known that it is chosen from."""
        if self._running:
            return self._running.pop(0)
        known = self.study.get_trials(deepcopy=False)
        number = len(known)
        if number >= self.total() or not all(trial.state.is_finished() for trial in self._before(known, number)):
            return None
        with quiet():
            params = self._choose(self._before(known, number), number)
            trial = self._trial(number, params)
            self.study.add_trial(
                optuna.trial.create_trial(
                    state=TrialState.RUNNING,
                    params=params,
                    distributions=self.space,
                    user_attrs={"name": trial.name, "out": str(self.folder.of_trial(trial.name))},
                )
            )
        self.folder.results[trial.name] = TrialResult(trial, Outcome(), self.folder.of_trial(trial.name))
        return trial

    def rule(self, trial: Trial) -> PruneRule | None:
        """Return the rule that ends a hopeless trial, judged against those that it was chosen from."""
        if not self.prune or trial.number is None:
            return None
        before = self._before(self.study.get_trials(deepcopy=False), trial.number)
        peers = tuple((t.state.name, tuple(v for _, v in sorted(t.intermediate_values.items()))) for t in before)
        return Hopeless(self.method, self.larger, peers)

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Write what came of a trial into the journal. One that did not come to its end stays running there."""
        if outcome.state in ("pending", "interrupted") or trial.number is None:
            return
        with quiet():
            running = optuna.trial.Trial(self.study, self.study.get_trials(deepcopy=False)[trial.number]._trial_id)  # noqa: SLF001
            reported = self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
            for step, evaluated in enumerate(outcome.values, 1):
                if step not in reported:
                    running.report(evaluated, step)
            value = outcome.metrics.get(self.metric)
            if outcome.state == "done" and value is not None:
                self.study.tell(trial.number, value)
            else:  # a diverged trial is a bad one, which the sampler is to learn; of a failed one nothing is known
                state = TrialState.FAIL if outcome.state in ("failed", "done") else TrialState.PRUNED
                self.study.tell(trial.number, state=state)

    def _before(self, known: Sequence[FrozenTrial], number: int) -> list[FrozenTrial]:
        """Return the trials that a trial of this number is chosen from."""
        return list(known[: max(0, number - self.lag + 1)])

    def _choose(self, before: Sequence[FrozenTrial], number: int) -> dict[str, Any]:
        """Return the values of a new trial: a function of its number and of the trials before it."""
        seed = int(np.random.SeedSequence([self.spec.train.seed, number]).generate_state(1)[0])
        if self.method == "tpe":
            sampler: Any = optuna.samplers.TPESampler(seed=seed)
        else:
            sampler = optuna.samplers.RandomSampler(seed=seed)
        view = optuna.create_study(direction=self.study.direction, sampler=sampler)
        view.add_trials(before)
        return dict(view.ask(self.space).params)

    def _trial(self, number: int, params: Mapping[str, Any]) -> Trial:
        """Return the trial of a number, whose name begins with it: two trials may have the same values."""
        settings = {key: str(value) for key, value in params.items() if key != VARIANT}
        ranges = {found.key: found for found in self.spec.ranges}
        settings |= {key: ranges[key].written(params[key]) for key in settings if key in ranges}
        variant = params.get(VARIANT, self.wanted.request.variant)
        shown = {key: f"{params[key]:.3g}" if isinstance(params[key], float) else settings[key] for key in settings}
        group = f"{number:04d},{group_name(self.spec.name, variant, shown)}"
        return Trial(group, variant, settings, self.spec.train.seed, self.digest, number)

    def _lag(self, jobs: int) -> int:
        """Return how many trials run at once: as many as when the search began. Raises TrainingError for another."""
        asked = self.folder.asked
        if asked is None:
            return jobs
        if asked.trials is None or asked.digest != self.digest:
            what = f"{self.folder.path} is another sweep: its spec, ranges, method or seed were others"
            raise TrainingError(f"{what}; name another --out", exit_code=2)
        return asked.lag

    def _digest(self) -> str:
        """Return the digest of all that the list of trials depends on, apart from how many there are."""
        space = {key: repr(distribution) for key, distribution in self.space.items()}
        return text_digest(json.dumps([digest(self.spec), space, self.method, self.metric]))

    def _open(self) -> Any:
        mend(self.folder.journal)
        with quiet():
            backend = JournalFileBackend(str(self.folder.journal), lock_obj=_Unlocked(str(self.folder.journal)))
            return optuna.create_study(
                storage=JournalStorage(backend),
                study_name=self.spec.title,
                direction="maximize" if self.larger else "minimize",
                load_if_exists=True,
            )

    def _finished(self) -> int:
        return sum(trial.state.is_finished() for trial in self.study.get_trials(deepcopy=False))

    def _restore(self) -> list[Trial]:
        """Take the trials of the journal; return those that were running."""
        running = []
        for frozen in self.study.get_trials(deepcopy=False):
            trial = self._trial(frozen.number, frozen.params)
            path = self.folder.of_trial(trial.name)
            known = self.folder.results.get(trial.name)
            outcome = known.outcome if known is not None else Outcome()
            if not frozen.state.is_finished():
                running.append(trial)
            elif outcome.state not in (*SETTLED, "failed"):
                outcome = settled_outcome(path, self.metric) or logged_outcome(path, self.metric)
                if outcome.state == "interrupted":
                    outcome = replace(outcome, state="pruned" if frozen.state is TrialState.PRUNED else "failed")
            self.folder.results[trial.name] = TrialResult(trial, outcome, path)
        return running


@dataclass
class Hopeless:
    """Says whether a trial is hopeless beside others, as Optuna's pruners do; a value that travels to a worker.

    Of method halving: successive halving over the evaluations, counted from 1, in which one of three goes on at the
    evaluations 1, 3, 9, 27. Of the others: a best value that is worse than the median of the complete trials at the
    same evaluation.
    """

    method: str
    larger: bool
    peers: tuple[Peer, ...]
    _trial: Any = field(default=None, repr=False, compare=False)
    _reported: int = field(default=0, repr=False, compare=False)

    def __call__(self, values: Sequence[float]) -> bool:
        """Return whether to end a trial with these values, an evaluation each; called after each evaluation."""
        with quiet():
            if self._trial is None or len(values) < self._reported:
                self._trial, self._reported = self._begin(), 0
            hopeless = False
            for value in values[self._reported :]:
                self._reported += 1
                self._trial.report(value, self._reported)
                hopeless = bool(self._trial.should_prune())
            return hopeless

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_trial": None, "_reported": 0}

    def _begin(self) -> Any:
        if self.method == "halving":
            pruner: Any = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=REDUCTION)
        else:
            pruner = optuna.pruners.MedianPruner(n_startup_trials=JUDGED_AFTER)
        study = optuna.create_study(direction="maximize" if self.larger else "minimize", pruner=pruner)
        for state, values in self.peers:
            if values and state in ("COMPLETE", "PRUNED"):
                study.add_trial(
                    optuna.trial.create_trial(
                        state=TrialState[state],
                        value=values[-1],
                        intermediate_values=dict(enumerate(values, 1)),
                        system_attrs=dict(_rungs(values)),
                    )
                )
        return study.ask()


def search_space(spec: Spec, wanted: Wanted) -> dict[str, Any]:
    """Return what a search chooses from: a distribution for each key of the sweep lines, and for the variant.

    Raises TrainingError where there is nothing to choose from.
    """
    set_already = wanted.request.settings
    space: dict[str, Any] = {}
    if wanted.request.variant is None and spec.variants:
        space[VARIANT] = CategoricalDistribution(spec.variants)
    ranges = {found.key: found for found in spec.ranges}
    keys = [key for key in dict.fromkeys((*(key for key, _ in spec.sweeps), *ranges)) if key not in set_already]
    for key in keys:
        space[key] = _distribution(ranges[key]) if key in ranges else CategoricalDistribution(dict(spec.sweeps)[key])
    if not space:
        help = "write a line such as sweep optimizer.lr = log 1e-4..1e-1"
        raise TrainingError(f"the spec has no sweep line to search in: {help}", exit_code=2)
    return space


def _distribution(found: SweepRange) -> Any:
    if found.whole:
        return IntDistribution(round(found.low), round(found.high), log=found.log, step=round(found.step or 1))
    return FloatDistribution(found.low, found.high, log=found.log, step=found.step)


def _rungs(values: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Yield the values with which a trial reached the rungs of successive halving, under the pruner's own names."""
    rung, step = 0, 1
    while step <= len(values):
        yield f"completed_rung_{rung}", values[step - 1]
        rung, step = rung + 1, step * REDUCTION


def mend(journal: Path) -> None:
    """Remove an incomplete last line, which a kill leaves: what is written after it could not be read."""
    try:
        content = journal.read_bytes()
    except FileNotFoundError:
        return
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("r+b") as file:
            file.truncate(whole)


@contextmanager
def quiet() -> Iterator[None]:
    """Let Optuna report errors alone: the sweep reports its trials itself."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


class _Unlocked(JournalFileOpenLock):
    """No lock: that of the sweep's folder is held, and a kill would leave this one behind."""

    def acquire(self) -> bool:
        """Do nothing."""
        return True

    def release(self) -> None:
        """Do nothing."""
