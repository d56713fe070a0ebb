"""Forecasts of a series: each point predicted from the true points before it, and from predicted points."""

from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.baseline import Baseline
from nnspec.runtime.infer.evaluation import loss_and_outputs
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.window_step import step_network
from nnspec.runtime.targets import middle_answers


@dataclass(frozen=True)
class Forecast:
    """Points of a split in the order of time: the true values and the predictions, (points,) each.

    `name` is that of the predicted column, None where it has none. `ahead` is how many points ahead a prediction is
    made, `times` (points,) the dates of the points, if they have any. `rolled` are the predictions from point `begins`
    on, where the network reads its own predictions. It is None where the network cannot read those: its samples have
    other columns than its target, or its prediction skips points. `band` are the predictions of the lowest and the
    highest quantile where the loss is of several; `predicted` is then that nearest the median.
    `baseline` (points,) is what the baseline predicts, where one is given.
    """

    truth: Array
    predicted: Array
    begins: int
    rolled: Array | None
    name: str | None = None
    ahead: tuple[int, int] = (1, 1)
    times: Array | None = None
    band: tuple[Array, Array] | None = None
    baseline: Array | None = None


def predicts_series(network: Network, split: Split) -> bool:
    """Return whether a network predicts numbers of a series that is cut into windows."""
    known = network.spec.output_shape is not None and network.spec.loss.numbers
    return known and split.inputs.ndim == 3 and network.spec.data is not None and network.spec.data.windowed


def forecast(network: Network, split: Split, points: int = 2000) -> Forecast:
    """Return the first of `forecasts`."""
    return forecasts(network, split, points)[0]


def forecasts(network: Network, split: Split, points: int = 2000, baseline: Baseline | None = None) -> list[Forecast]:
    """Return the forecast of the first `points` points of a split, one for each predicted column.

    Where a window predicts a vector of points, those of consecutive windows follow each other. A network that reads
    nothing but what it predicts is rolled forward from a quarter of the points on. Raises NetworkError where the
    network does not predict a series.
    """
    source = network.spec.data
    if source is None or not predicts_series(network, split):
        raise NetworkError(
            f"{network.spec.name} does not predict numbers of a series: its data are sine, or a table with window=, "
            "and its loss compares numbers"
        )
    every, vector = split.targets.ndim == 3, source.steps_ahead if source.vector else 1
    columns = split.targets.shape[-1] // vector
    stride = source.points_apart
    skipped = max(1, vector // stride)  # windows from one that is shown to the next
    length = split.inputs.shape[1] if every else min(skipped * stride, vector)  # points that each shows
    chosen = slice(None, -(-points // length) * skipped, skipped)
    shown = Split(split.inputs[chosen], split.targets[chosen])

    def in_a_row(values: Array) -> Array:
        """Return values of the shown windows as (points, columns)."""
        each = values.reshape(len(shown), -1, columns)
        return each[:, :length].reshape(-1, columns)[:points]

    outputs, loss = loss_and_outputs(network, shown)[1], network.spec.loss
    predicted, truth = in_a_row(middle_answers(outputs, loss)), in_a_row(shown.targets)
    ends = [in_a_row(outputs[..., place :: loss.answers]) for place in (0, loss.answers - 1)]
    plain = None if baseline is None else in_a_row(middle_answers(baseline.numbers(shown), loss))
    begins, times = len(truth) // 4 // length * length if vector > 1 else len(truth) // 4, None
    if split.times is not None:
        times = _dates(split.times[chosen], length)[:points]
    rolled = None
    if split.inputs.shape[2] == columns == 1 and (source.steps_ahead == 1 or vector > 1):
        if every:
            rolled = _step_by_step(network, shown, begins, len(truth) - begins)
        elif skipped * stride == length:
            rolled = _window_by_window(network, shown.inputs[begins // length], len(truth) - begins)
    names = source.predicted_columns or (None,) * columns
    ahead = (1, vector) if vector > 1 else (source.steps_ahead,) * 2
    return [
        Forecast(
            *(truth[:, column], predicted[:, column], begins, rolled, names[column], ahead, times),
            baseline=None if plain is None else plain[:, column],
            band=(ends[0][:, column], ends[1][:, column]) if loss.answers > 1 else None,
        )
        for column in range(columns)
    ]


def _dates(first: Array, length: int) -> Array:
    """Return the dates of all points from those of the first point of each window; the points are evenly apart."""
    if length == 1 or len(first) < 2:
        return np.repeat(first, length)
    steps = np.diff(first, append=first[-1] + (first[-1] - first[-2]))
    dates: Array = (first[:, None] + (steps[:, None] / length) * np.arange(length)).reshape(-1)
    return dates


def _window_by_window(network: Network, window: Array, count: int) -> Array:
    """Return `count` predictions from a window (points, 1); each, a point or a vector, comes to the end of the next."""
    rolled = np.empty(0)
    while len(rolled) < count:
        answer = middle_answers(network.predict(window[None]), network.spec.loss).reshape(-1)
        rolled = np.concatenate([rolled, answer])
        window = np.concatenate([window, answer[:, None]])[-len(window) :]
    return rolled[:count]


def _step_by_step(network: Network, split: Split, begins: int, count: int) -> Array:
    """Return `count` predictions: the network reads the truth up to point `begins`, then its own predictions."""
    steps, rolled, middle = step_network(network), np.empty(count), network.spec.loss.middle
    value = float(steps.read(split.inputs.reshape(-1)[: begins + 1])[middle])
    for place in range(count):
        rolled[place] = value
        value = float(steps.read([value])[middle])
    return rolled
