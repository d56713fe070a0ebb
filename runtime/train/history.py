"""The evaluations of a run with a name: what a picture or a table of several runs compares."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nnspec.runtime.train.state import MetricHistory

if TYPE_CHECKING:
    from nnspec.runtime.train.checkpointing import SavedRun
    from nnspec.runtime.train.run import Run
    from nnspec.spec_lang.check.spec import Spec

Series = tuple[Sequence[int], Sequence[float]]
"""The steps after which a metric was measured, and its values."""


@dataclass(frozen=True)
class RunHistory:
    """What a run measured.

    `metrics` is metric → (steps, values); a metric's name is a quantity with its split before or after it, as in
    validation_loss. `baseline` has the `name` of the baseline and what it reaches by quantity, and is empty where it is
    not known. `steps_per_epoch` is None where it is not known.
    """

    name: str
    metrics: Mapping[str, Series | MetricHistory]
    baseline: Mapping[str, object] = field(default_factory=dict)
    steps_per_epoch: int | None = None


def history_of(saved: "SavedRun", name: str | None = None) -> RunHistory:
    """Return the history of a run's checkpoint, named `name` or as its spec and variant."""
    spec, state = saved.network.spec, saved.state
    return RunHistory(
        name or spec.title,
        _measured(state.history),
        saved.run["baseline"] or {},
        _steps_per_epoch(spec, len(state.order)),
    )


def history_of_run(run: "Run", name: str | None = None) -> RunHistory:
    """Return the history of a finished run, named `name` or as its spec and variant."""
    spec = run.network.spec
    samples = spec.samples_an_epoch(len(run.data.train))
    return RunHistory(name or spec.title, _measured(run.history), {}, _steps_per_epoch(spec, samples))


def _steps_per_epoch(spec: "Spec", samples: int) -> int:
    return math.ceil(samples / spec.train.samples_a_step)


def _measured(history: Mapping[str, MetricHistory]) -> dict[str, Series | MetricHistory]:
    """Return the measured series, without the learning rate, which is not measured.

    The mean loss of the training steps is called training_loss, unless the training split was measured itself.
    """
    running: dict[str, Series | MetricHistory] = {"training_loss": history["loss"]} if "loss" in history else {}
    return running | {name: series for name, series in history.items() if name not in ("loss", "lr")}
