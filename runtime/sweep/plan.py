"""Which trials a sweep makes: the interface of a grid and of a search, and the grid."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep.folder import SweepFolder
from nnspec.runtime.sweep.grid import Check, grid_trials, variants_of
from nnspec.runtime.sweep.prepare import Wanted
from nnspec.runtime.sweep.trial import SETTLED, Outcome, Trial, TrialResult
from nnspec.runtime.sweep.work import PruneRule, settled_outcome


class Plan(Protocol):
    """Names the trials of a sweep, those that are not at their end.

    `lag` is how many trials may run at once for the same result; only a search cares. `digest` is that of all on which
    the trials of a search depend.
    """

    lag: int
    digest: str

    def begin(self) -> None:
        """Begin, once sweep.json says what the sweep is."""

    def total(self) -> int:
        """Return how many trials the sweep has in all."""

    def left(self) -> int | None:
        """Return how many trials are still to be trained, None where that is not known."""

    def next(self) -> Trial | None:
        """Return the next trial that can begin now, None where there is none before another one ends."""

    def rule(self, trial: Trial) -> PruneRule | None:
        """Return what ends a hopeless trial."""

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Take what came of a trial."""


class Grid:
    """Every variant, every place of the grid, every seed; the trials of earlier calls on the folder stay known."""

    lag = 1
    digest = ""

    def __init__(self, wanted: Wanted, folder: SweepFolder, check: Check):
        self.folder = folder
        if folder.asked is not None and folder.asked.trials is not None:
            raise TrainingError(f"{folder.path} is a search: name another --out for a grid", exit_code=2)
        require_finite(wanted)
        planned = grid_trials(wanted.request, wanted.seeds, check)
        require_same([trial for trial, _ in planned], folder)
        for trial, outcome in planned:
            known = folder.results.get(trial.name)
            if outcome.state == "pending" and known is not None:
                outcome = known.outcome
            folder.results[trial.name] = TrialResult(trial, outcome, folder.of_trial(trial.name))
        self._waiting = list(self._unsettled([trial for trial, outcome in planned if trial.digest]))

    def begin(self) -> None:
        """Do nothing: its trials are known."""

    def total(self) -> int:
        """Return how many trials there are."""
        return len(self.folder.results)

    def left(self) -> int:
        """Return how many are still to be trained."""
        return len(self._waiting)

    def next(self) -> Trial | None:
        """Return the next one."""
        return self._waiting.pop(0) if self._waiting else None

    def rule(self, trial: Trial) -> None:
        """Return None: a grid is trained whole."""

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Do nothing: no trial depends on another one."""

    def _unsettled(self, trials: list[Trial]) -> Iterator[Trial]:
        """Yield the trials that are not at their end, by sweep.json or by the log of their run."""
        assert self.folder is not None
        for trial in trials:
            result = self.folder.results[trial.name]
            if result.state in SETTLED and (result.path / "metrics.jsonl").exists():
                continue
            found = settled_outcome(result.path, "")
            if found is not None:
                self.folder.results[trial.name] = result.with_outcome(found)
            else:
                yield trial


def require_finite(wanted: Wanted) -> None:
    """Raise TrainingError where a sweep line is a range, which has no end of values."""
    for variant in variants_of(wanted.request):
        spec = replace(wanted.request, variant=variant).check()
        grid = {key for key, _ in spec.sweeps}
        endless = next((found for found in spec.ranges if found.key not in {*grid, *wanted.request.settings}), None)
        if endless is not None:
            advice = f"search it with --trials 30, or write sweep {endless.key} = {endless} points 5"
            raise TrainingError(f"sweep {endless.key} = {endless} is a range: {advice}", exit_code=2)


def require_same(trials: list[Trial], folder: SweepFolder) -> None:
    """Raise TrainingError where a folder has a trial of the same name that was trained from another spec."""
    for trial in trials:
        known = folder.results.get(trial.name)
        if known is not None and known.trial.digest and known.trial.digest != trial.digest:
            if known.state == "pending" or not known.path.exists():
                continue
            raise TrainingError(
                f"the spec has changed since {folder.path} began: {trial.name} was another network or training\n"
                f"  help: nnspec diff {known.path} SPEC shows how; name another --out for the spec as it is now"
            )
