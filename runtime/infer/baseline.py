"""Baselines: answers that need no network, learnt from the training split. A run's result is printed beside one.

Training and `eval` use them. A baseline is measured by the loss and the metrics of the run itself, in its units. This
module does not know runs or files.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.infer.evaluation import measure_logits
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.shape import Shape

BATCH = 1024
"""The samples that are answered at once."""

_TINY = 1e-30
"""The least probability of a distribution, whose logarithm every float type holds."""

SEASON_GAIN = 0.9
"""A seasonal value is the baseline where its squared error in training is below this part of the last value's."""

SEASON_SAMPLES = 10_000
"""The training samples, the latest ones, in which a season is looked for."""


class TargetKind(Enum):
    """What the targets of a spec are: it decides the baseline."""

    CLASSES = "the class of each sample"
    SYMBOLS = "the symbol after each step"
    LABELS = "yes or no for each output"
    DISTRIBUTIONS = "a probability for each output"
    NUMBERS = "numbers"
    SERIES = "later numbers of the series that the network reads"


def target_kind(network: Network) -> TargetKind:
    """Return what the targets of a network are, by what its loss and its data declare."""
    spec = network.spec
    if spec.loss.classes:
        return TargetKind.SYMBOLS if _shape(network).sequence else TargetKind.CLASSES
    if spec.loss.labels:
        return TargetKind.LABELS
    if spec.loss.distributions:
        return TargetKind.DISTRIBUTIONS
    return TargetKind.SERIES if _target_columns(network) else TargetKind.NUMBERS


Logits = Callable[[Network, Array, Split, slice], Array]


@dataclass(frozen=True)
class _Kind:
    """The baseline of one kind of targets.

    `fit` learns its values, (n,) float64, from the training split. `size` is the number n. `logits` returns, for values
    and some samples of a split, what the network would have to compute to give this answer, (samples, *output shape).
    `name` is its name for some values.
    """

    fit: Callable[[Network, Split], Array]
    size: Callable[[Network], int]
    logits: Logits
    name: Callable[[Network, Array], str]


@dataclass(frozen=True, eq=False)
class Baseline:
    """The baseline of a network's task: its values, learnt from training samples, (n,) float64."""

    network: Network
    values: Array

    @classmethod
    def fit(cls, network: Network, train: Split) -> "Baseline":
        """Return the baseline that the training split gives."""
        return cls(network, BASELINES[target_kind(network)].fit(network, train))

    @classmethod
    def stored(cls, network: Network, values: Array) -> "Baseline":
        """Return the baseline with the values of a checkpoint. Raises ValueError where they are not the network's."""
        if values.shape != (BASELINES[target_kind(network)].size(network),) or values.dtype != np.float64:
            raise ValueError(f"data/baseline is {values.dtype} {values.shape}, which its spec does not give")
        return cls(network, values)

    @property
    def name(self) -> str:
        """What it answers: majority class, mean, last value."""
        return BASELINES[target_kind(self.network)].name(self.network, self.values)

    def measure(self, split: Split) -> dict[str, float]:
        """Return the loss and the metrics over a split, by name, as `evaluate` does for the network."""
        return measure_logits(self.network, self._logits(split), split)

    def numbers(self, split: Split) -> Array:
        """Return what it answers for each sample, of a network of numbers, in the units of the targets."""
        answer = BASELINES[target_kind(self.network)].logits
        return np.asarray(answer(self.network, self.values, split, slice(0, len(split))))

    def _logits(self, split: Split) -> Iterator[Array]:
        logits = BASELINES[target_kind(self.network)].logits
        for start in range(0, len(split), BATCH):
            answers = logits(self.network, self.values, split, slice(start, min(start + BATCH, len(split))))
            yield self.network.scaled_outputs(answers)

    def beaten(self, found: Mapping[str, float], own: Mapping[str, float]) -> bool | None:
        """Return whether the network's measurements are better than its own, by the first metric, else the loss.

        None where they have no measurement in common.
        """
        both = found.keys() & own.keys()
        metric = next((metric for metric in self.network.spec.metrics if metric.word in both), None)
        if metric is not None and metric.larger_is_better:
            return found[metric.word] > own[metric.word]
        name = metric.word if metric is not None else "loss"
        return found[name] < own[name] if name in both else None


def _shape(network: Network) -> Shape:
    assert network.spec.output_shape is not None
    return network.spec.output_shape


def _outputs(network: Network) -> int:
    """Return the outputs of each sample, of each step of a sequence, or of each pixel of an image."""
    shape = _shape(network)
    return shape[-1] if shape.sequence or len(shape) == 3 else shape.size


def _target_columns(network: Network) -> list[int]:
    """Return the columns of the inputs whose later values are the targets; none where the inputs do not have them."""
    word, features = network.spec.data, network.preprocessing.features
    if word is None or not word.windowed:
        return []
    if network.preprocessing.input_shape[-1] == 1:
        return [0]
    names = word.predicted_columns
    return [features.index(name) for name in names] if features and {*names} <= {*features} else []


def _shares(counts: Array) -> Array:
    """Return the share of each class, with one more sample of each, so that no class is impossible."""
    shares: Array = (counts + 1) / (counts.sum() + len(counts))
    return shares


def _class_shares(network: Network, train: Split) -> Array:
    return _shares(np.bincount(train.targets[train.targets >= 0], minlength=_outputs(network)).astype(np.float64))


def _label_shares(network: Network, train: Split) -> Array:
    outputs = _outputs(network)
    if outputs > 1 and train.targets.shape[1:] == tuple(_shape(network)[:-1]):  # a class, whose label alone is 1
        counts = np.bincount(train.targets.reshape(-1), minlength=outputs).astype(np.float64)
        return np.asarray((counts + 1) / (train.targets.size + 2))
    truth = train.targets.reshape(-1, outputs)
    shares: Array = (truth.sum(axis=0, dtype=np.float64) + 1) / (len(truth) + 2)
    return shares


def _means(network: Network, train: Split) -> Array:
    """Return the mean of each number of the targets, or its quantiles side by side where the loss is of these."""
    loss = network.spec.loss
    numbers = train.targets.reshape(-1, _outputs(network) // loss.answers)
    if loss.quantiles:
        quantiles: Array = np.quantile(numbers.astype(np.float64), loss.quantiles, axis=0)  # (quantiles, numbers)
        return quantiles.T.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        means: Array = np.nan_to_num(numbers.mean(axis=0, dtype=np.float64))
    return means


def _points_back(network: Network, train: Split) -> Array:
    """Return which value of the window, counted from its end, predicts best: 1 is the last one."""
    if _shape(network).sequence:
        return np.ones(1)
    inputs = np.asarray(train.inputs[-SEASON_SAMPLES:])  # (samples, window, columns)
    inputs = inputs[..., _target_columns(network)].astype(np.float64)
    window, targets = inputs.shape[1], train.targets[-SEASON_SAMPLES:].reshape(len(inputs), -1)
    seasons = range(1, window + 1)
    errors = np.array([np.square(_repeated(network, inputs, season) - targets).mean() for season in seasons])
    best = int(errors.argmin())
    return np.array([1.0 + best if errors[best] < SEASON_GAIN * errors[0] else 1.0])


def _repeated(network: Network, past: Array, season: int) -> Array:
    """Return what is predicted from windows (samples, window, columns) whose last `season` values come again.

    The value of the first point ahead is `season` points before the end of the window; of a vector of points ahead,
    the others follow it, and begin again where the window ends.
    """
    word = network.spec.data
    ahead = word.steps_ahead if word is not None and word.vector else 1
    places = past.shape[1] - season + np.arange(ahead) % season
    return past[:, places].reshape(len(past), -1)


def _class_logits(network: Network, shares: Array) -> Array:
    """Return log shares, or scores in whose order only the most frequent class is ahead, by 1."""
    return np.equal(np.arange(len(shares)), shares.argmax()) * 1.0 if network.spec.loss.scores else np.log(shares)


def _label_logits(network: Network, shares: Array) -> Array:
    """Return the logits of the shares, or the scores 1 for labels that most samples have and −1 for others."""
    return np.where(shares > 0.5, 1.0, -1.0) if network.spec.loss.scores else np.log(shares / (1 - shares))


def _always(logit: Callable[[Network, Array], Array]) -> Logits:
    """Return the logits of a baseline that gives the same answer for every sample and step, and reads no input."""

    def logits(network: Network, values: Array, split: Split, samples: slice) -> Array:
        shape, answer = _shape(network), logit(network, values)
        count = samples.stop - samples.start
        places = shape.sequence or len(shape) == 3
        return np.broadcast_to(answer if places else answer.reshape(shape), (count, *shape))

    return logits


def _earlier(network: Network, values: Array, split: Split, samples: slice) -> Array:
    """Return earlier values of the targets from each window: at every step that step's own, else one."""
    shape = _shape(network)
    past: Array = np.asarray(split.inputs[samples])[..., _target_columns(network)].astype(np.float64)
    if not shape.sequence:
        past = _repeated(network, past, int(values[0]))
    past = np.repeat(past, network.spec.loss.answers, axis=-1)
    return past.reshape(len(past), *shape)


def _name_of_earlier(network: Network, values: Array) -> str:
    assert network.spec.data is not None
    if values[0] == 1:
        return "last value"
    if network.spec.data.vector:
        return f"last {values[0]:.0f} values again"
    return f"value {values[0] - 1 + network.spec.data.steps_ahead:.0f} points before"


def _name_of_numbers(network: Network, values: Array) -> str:
    count = len(network.spec.loss.quantiles)
    return "quantiles of training" if count > 1 else "quantile of training" if count else "mean"


def _name_of_labels(network: Network, values: Array) -> str:
    return "majority class" if len(values) == 1 else "majority of each label"


BASELINES: dict[TargetKind, _Kind] = {
    TargetKind.CLASSES: _Kind(_class_shares, _outputs, _always(_class_logits), lambda *_: "majority class"),
    TargetKind.SYMBOLS: _Kind(_class_shares, _outputs, _always(_class_logits), lambda *_: "symbol frequencies"),
    TargetKind.LABELS: _Kind(_label_shares, _outputs, _always(_label_logits), _name_of_labels),
    TargetKind.DISTRIBUTIONS: _Kind(
        _means, _outputs, _always(lambda network, mean: np.log(np.maximum(mean, _TINY))), lambda *_: "mean distribution"
    ),
    TargetKind.NUMBERS: _Kind(_means, _outputs, _always(lambda network, mean: mean), _name_of_numbers),
    TargetKind.SERIES: _Kind(_points_back, lambda network: 1, _earlier, _name_of_earlier),
}
"""The baseline of every kind of targets."""
