"""The state of a run: everything that decides what comes next, and nothing else."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.randomness import stream
from nnspec.runtime.schedules import PlateauState


class Series(NamedTuple):
    """A metric over a run: at which steps it was measured, and what it was."""

    steps: list[int]
    values: list[float]


@dataclass
class Best:
    """The best evaluation so far, and the weights and buffers it had."""

    value: float
    step: int
    weights: Array
    buffers: Array


@dataclass
class State:
    """Where a run stands between two steps.

    `step` counts batches from 0, `epoch` full passes. `order` is the permutation of the training samples in use,
    `position` how many of it have been seen. `loss_sum` and `loss_count` add up the training loss since the last
    evaluation. `carried` is what recurrent layers hand from one batch to the next, where the spec is stateful.
    """

    network: Network
    slots: dict[str, Arena]
    order_random: np.random.Generator
    dropout_random: np.random.Generator
    order: Array
    carried: Arena
    position: int = 0
    step: int = 0
    epoch: int = 0
    samples: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    waited: int = 0
    plateau: PlateauState = field(default_factory=PlateauState)
    best: Best | None = None
    stopped: bool = False
    history: dict[str, Series] = field(default_factory=dict)

    def record(self, metrics: dict[str, float]) -> None:
        """Add an evaluation to the history."""
        for name, value in metrics.items():
            series = self.history.setdefault(name, Series([], []))
            series.steps.append(self.step)
            series.values.append(value)


COUNTERS = ("position", "step", "epoch", "samples", "loss_sum", "loss_count", "waited", "stopped")
"""The fields of a state that are plain numbers."""


def start(network: Network, samples: int, seed: int) -> State:
    """The state before the first step: slots of zeros, and the first epoch's order drawn."""
    spec = network.spec
    slots = {name: Arena(spec.parameters(), network.dtype) for name in spec.optimizer.slots}
    order_random = stream(seed, "order")
    order = streams(samples, spec.train.batch) if spec.train.stateful else order_random.permutation(samples)
    return State(
        network=network,
        slots=slots,
        order_random=order_random,
        dropout_random=stream(seed, "dropout"),
        order=order,
        carried=Arena(spec.carried(), network.dtype),
    )


def next_samples(state: State, batch: int, steps: int = 1) -> tuple[Array, int]:
    """The numbers of the samples of the next steps, within one epoch, and how many steps they are. Moves the state on.

    The last batch of an epoch may be short; behind it a new order is drawn, or carried states begin anew.
    """
    if state.position >= len(state.order):
        if state.network.spec.train.stateful:
            state.carried.flat.fill(0)
        else:
            state.order = state.order_random.permutation(len(state.order))
        state.position = 0
    chosen = state.order[state.position : state.position + batch * steps]
    made = -(-len(chosen) // batch)
    state.position += len(chosen)
    state.samples += len(chosen)
    state.step += made
    if state.position >= len(state.order):
        state.epoch += 1
    return chosen, made


def streams(samples: int, batch: int) -> Array:
    """The order in which each place of the batch reads a stretch of its own, window after window.

    Stretches are of one length; samples behind the last of them are left out. Raises TrainingError where there are
    fewer samples than places.
    """
    length = samples // batch
    if not length:
        raise TrainingError(
            f"stateful=yes reads {batch} stretches of the series at once, and there are {samples} windows: write a "
            "smaller batch= or window="
        )
    return np.arange(batch * length).reshape(batch, length).T.reshape(-1)
