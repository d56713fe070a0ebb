"""A trial of a sweep: what it trains, and what came of it. Both are plain values that travel between processes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from nnspec.runtime.infer.network_file import text_digest

State = Literal["pending", "done", "failed", "diverged", "pruned", "interrupted"]
"""What came of a trial: not begun; at its end; ended by an error, by NaN or infinity, by a search; to be resumed."""

SETTLED = ("done", "diverged", "pruned")
"""The states of a trial that is not trained again: it would come to the same."""

MOST_NAMED = 100
"""The most characters of a trial's name, which is the name of a folder."""


@dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    `group` names its variant and its settings, which trials with other seeds share. `settings` are the values that the
    sweep chose, by key. `digest` is that of everything the trial depends on in its spec. `number` is that of a search.
    """

    group: str
    variant: str | None
    settings: Mapping[str, str]
    seed: int
    digest: str
    number: int | None = None

    @property
    def name(self) -> str:
        """The name of the trial and of its folder."""
        return f"{self.group},seed={self.seed}"


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    `metrics` are those of its last evaluation and of the test split. `seconds` are those of training alone. `error`
    says why it failed or diverged. `values` are what a search compares, an evaluation each.
    """

    state: State = "pending"
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    error: str | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrialResult:
    """A trial, what came of it, and the folder of its run."""

    trial: Trial
    outcome: Outcome
    path: Path

    @property
    def name(self) -> str:
        """The name of the trial."""
        return self.trial.name

    @property
    def variant(self) -> str | None:
        """The variant of the spec that it trains."""
        return self.trial.variant

    @property
    def settings(self) -> Mapping[str, str]:
        """The values that the sweep chose, by key."""
        return self.trial.settings

    @property
    def seed(self) -> int:
        """The seed."""
        return self.trial.seed

    @property
    def state(self) -> State:
        """What came of it: done, failed, diverged, pruned, interrupted, or pending."""
        return self.outcome.state

    @property
    def metrics(self) -> Mapping[str, float]:
        """The metrics at the end of the run, by name."""
        return self.outcome.metrics

    @property
    def error(self) -> str | None:
        """Why it failed or diverged."""
        return self.outcome.error

    def as_json(self) -> dict[str, Any]:
        """Return the trial as an object of `sweep.json`."""
        trial, outcome = self.trial, self.outcome
        return {
            "name": trial.name,
            "variant": trial.variant,
            "settings": dict(trial.settings),
            "seed": trial.seed,
            "state": outcome.state,
            "metrics": dict(outcome.metrics),
            "out": str(self.path),
            "steps": outcome.steps,
            "seconds": outcome.seconds,
            "error": outcome.error,
            "values": list(outcome.values),
            "group": trial.group,
            "number": trial.number,
            "digest": trial.digest,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any], path: Path) -> "TrialResult":
        """Return the trial of an object of `sweep.json`. Raises KeyError, TypeError and ValueError for another one."""
        settings = {str(key): str(value) for key, value in found["settings"].items()}
        trial = Trial(
            str(found["group"]), found["variant"], settings, int(found["seed"]), str(found["digest"]), found["number"]
        )
        metrics = {str(name): float(value) for name, value in found["metrics"].items() if value is not None}
        values = tuple(float(value) for value in found["values"])
        state = found["state"]
        if state not in ("pending", *SETTLED, "failed", "interrupted"):
            raise ValueError(f"{state} is not a state of a trial")
        outcome = Outcome(state, metrics, int(found["steps"]), float(found["seconds"]), found["error"], values)
        return cls(trial, outcome, path)

    def with_outcome(self, outcome: Outcome) -> "TrialResult":
        """Return the same trial with another outcome."""
        return replace(self, outcome=outcome)


def group_name(spec_name: str, variant: str | None, settings: Mapping[str, str]) -> str:
    """Return the name of trials that differ in their seed alone: the variant, then KEY=VALUE of each setting.

    A key is written without its statement where no other key has the same option. What a name of a folder may not hold
    becomes an underscore, and a digest tells such names, and long ones, apart.
    """
    short = [key.rpartition(".")[2] for key in settings]
    keys = [end if short.count(end) == 1 else key for key, end in zip(settings, short, strict=True)]
    parts = [f"{key}={value}" for key, value in zip(keys, settings.values(), strict=True)]
    plain = ",".join(([variant] if variant is not None else []) + parts) or spec_name
    safe = re.sub(r"[^\w.,=+-]", "_", plain, flags=re.ASCII)[:MOST_NAMED]
    return safe if safe == plain else f"{safe.rstrip('._')}-{text_digest(plain)[:6]}"
