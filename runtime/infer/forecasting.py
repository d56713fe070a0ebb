"""Forecasts of a series: each point predicted from the true points before it, and from predicted points."""

from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.evaluation import loss_and_outputs
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import SingleStepNetwork


@dataclass(frozen=True)
class Forecast:
    """Points of a split in the order of time: the true values and the predictions, (points,) each.

    `rolled` are the predictions from point `begins` on, where the network reads its own predictions. It is None where
    the network cannot read those: its samples have other columns than its target, or it predicts more than one point
    ahead.
    """

    truth: Array
    predicted: Array
    begins: int
    rolled: Array | None


def predicts_series(network: Network, split: Split) -> bool:
    """Return whether a network predicts one number of a series that is cut into windows."""
    outputs = network.spec.output_shape
    one = outputs is not None and outputs[-1:] == (1,) and not network.spec.classification
    return one and split.inputs.ndim == 3 and network.spec.data is not None and network.spec.data.windowed


def forecast(network: Network, split: Split, points: int = 2000) -> Forecast:
    """Return the forecast of the first `points` points of a split, rolled forward from a quarter of them on.

    Raises NetworkError where the network does not predict one number of a series.
    """
    if not predicts_series(network, split):
        raise NetworkError(
            f"{network.spec.name} does not predict a number of a series: its data are sine, or csv with window=, and "
            "its last layer has one output"
        )
    every = split.targets.ndim == 3
    apart = split.inputs.shape[1] if every else 1
    shown = Split(split.inputs[: -(-points // apart)], split.targets[: -(-points // apart)])
    predicted, truth = loss_and_outputs(network, shown)[1].reshape(-1)[:points], shown.targets.reshape(-1)[:points]
    begins = len(truth) // 4
    source = network.spec.data
    own = split.inputs.shape[2] == 1 and source is not None and source.steps_ahead == 1
    if not own:
        return Forecast(truth, predicted, begins, None)
    roll = _step_by_step if every else _window_by_window
    return Forecast(truth, predicted, begins, roll(network, shown, begins, len(truth) - begins))


def _window_by_window(network: Network, split: Split, begins: int, count: int) -> Array:
    """Return `count` predictions, each of which becomes the last point of the next window."""
    window = split.inputs[begins].copy()  # (window, 1)
    rolled = np.empty(count)
    for place in range(count):
        rolled[place] = network.predict(window[None]).item()
        window = np.concatenate([window[1:], [[rolled[place]]]])
    return rolled


def _step_by_step(network: Network, split: Split, begins: int, count: int) -> Array:
    """Return `count` predictions: the network reads the truth up to point `begins`, then its own predictions."""
    step, rolled = SingleStepNetwork(network), np.empty(count)
    value = 0.0
    for point in split.inputs.reshape(-1)[: begins + 1]:
        value = float(step(point)[0])
    for place in range(count):
        rolled[place] = value
        value = float(step(value)[0])
    return rolled
