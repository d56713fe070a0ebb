"""The state of a run: all values that decide its next step, and no others."""

from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation.streams import augmentation_streams
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.randomness import stream
from nnspec.runtime.schedules import PlateauState


class MetricHistory(NamedTuple):
    """The values of one metric over a run, and the steps after which they were measured."""

    steps: list[int]
    values: list[float]


@dataclass
class Best:
    """The best evaluation so far, with the parameters and buffers of the network that was measured."""

    value: float
    step: int
    weights: Array
    buffers: Array


@dataclass
class State:
    """The state of a run between two steps.

    `step` counts steps of the optimizer from 0, `epoch` complete passes. `order` is the permutation of the training
    samples of this epoch, `position` how many of it have been used. `loss_sum` and `loss_count` accumulate the training
    loss since the last evaluation. `waited` counts evaluations since the best one. `carried` is what recurrent layers
    pass from one batch to the next, where the spec is stateful. `augment_random` has a generator for each augmentation.
    `averaged` has the averages of the weights, None unless the spec has `ema`.
    """

    network: Network
    slots: dict[str, Arena]
    order_random: "np.random.Generator"
    dropout_random: "np.random.Generator"
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
    history: dict[str, MetricHistory] = field(default_factory=dict)
    augment_random: dict[str, "np.random.Generator"] = field(default_factory=dict)
    averaged: Network | None = None

    @property
    def judged(self) -> Network:
        """The network that is measured, saved as the best and predicted with: the averaged one where there is one."""
        return self.averaged if self.averaged is not None else self.network

    def record(self, metrics: dict[str, float]) -> None:
        """Append an evaluation to the history."""
        for name, value in metrics.items():
            history = self.history.setdefault(name, MetricHistory([], []))
            history.steps.append(self.step)
            history.values.append(value)


COUNTERS = ("position", "step", "epoch", "samples", "loss_sum", "loss_count", "waited", "stopped")
"""The fields of a state that are plain numbers."""


def initial_state(network: Network, samples: int, seed: int) -> State:
    """Return the state before the first step on this number of samples: zero slots, and the order of the first epoch.

    Raises TrainingError where a stateful spec has fewer samples than places in a batch.
    """
    spec = network.spec
    slots = {name: Arena(spec.parameters(), network.dtype) for name in spec.optimizer.slots}
    order_random = stream(seed, "order")
    order = stateful_order(samples, spec.train.batch) if spec.train.stateful else order_random.permutation(samples)
    return State(
        network=network,
        slots=slots,
        order_random=order_random,
        dropout_random=stream(seed, "dropout"),
        order=order,
        carried=Arena(spec.carried(), network.dtype),
        augment_random=augmentation_streams(spec.augment, seed),
        averaged=copy(network) if spec.ema is not None else None,
    )


def next_samples(state: State, batch: int, steps: int = 1) -> tuple[Array, int]:
    """Return the sample indices of the next `steps` steps, fewer at the end of an epoch, and the number of these steps.

    Advances the state. The last batch of an epoch may be short. Each epoch after the first draws a new order or, where
    the spec is stateful, sets the carried states to zero.
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


def stateful_order(samples: int, batch: int) -> Array:
    """Return the order in which each place of a batch reads its own contiguous stretch of the samples.

    All stretches have the same length; the remainder of the samples is left out. Raises TrainingError where there are
    fewer samples than places.
    """
    length = samples // batch
    if not length:
        raise TrainingError(
            f"stateful=yes reads {batch} stretches of the series at once, and there are {samples} windows: "
            "write a smaller batch= or window="
        )
    return np.arange(batch * length).reshape(batch, length).T.reshape(-1)
