"""Three claims of the notes, each measured on the networks of the sweep: the numbers, and the answer they give."""

import copy
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

import nnspec
from benchmarks.experiments.shipped import table
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Data, Split
from nnspec.runtime.explain.deletion import deletion_curves
from nnspec.runtime.explain.saliency import Question, saliency
from nnspec.runtime.infer.evaluation import evaluate
from nnspec.runtime.infer.network import Network

IMAGES = 20
"""Test images of each digit on which occlusion is measured, the first ones."""

SHUFFLES = 0
"""The seed of the permutations."""


@dataclass(frozen=True)
class _Numbers:
    """Numbers of one network, which are kept as JSON."""

    @classmethod
    def median(cls, every: Iterable[Self]) -> Self:
        """Return the median of each number."""
        found = list(every)
        return cls(*(statistics.median(getattr(one, field.name) for one in found) for field in fields(cls)))

    def as_json(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)


@dataclass(frozen=True)
class Meaning(_Numbers):
    """What the first layer's weights are worth.

    `before` and `after` are the correlation between weights of neighbouring pixels. Accuracies on the test digits:
    `whole` of the network, `shuffled` with the weights of each unit of the first layer in another order, and `rewound`
    with the first layer as it was before training.
    """

    before: float
    after: float
    whole: float
    shuffled: float
    rewound: float


@dataclass(frozen=True)
class Fit(_Numbers):
    """How a run fits what it was trained on: accuracies at the end, and the validation loss there over its lowest."""

    training: float
    validation: float
    rise: float

    @property
    def gap(self) -> float:
        """How much higher the accuracy is on the training split, in points of per cent."""
        return 100 * (self.training - self.validation)


@dataclass(frozen=True)
class Detail(_Numbers):
    """Occlusion maps of one window.

    `roughness` is the mean squared difference of neighbours over twice the variance: 0 is smooth, 1 is noise.
    `agreement` is the correlation with the maps of the same experiment with the next seed. The areas are those of
    deletion (less is better) and insertion (more is better). `drop` is the largest drop of the log-odds in a map, its
    median.
    """

    roughness: float
    agreement: float
    deletion: float
    insertion: float
    drop: float


def meaning(trained: Network, untrained: Network, test: Split, layer: str) -> Meaning:
    """Measure the weights of a layer, which must be the network's first and look at images."""
    name = f"{layer}/weight"
    before, after = untrained.parameters[name], trained.parameters[name]
    rng = np.random.default_rng(SHUFFLES)
    pixels = after.reshape(-1, after.shape[-1])  # (pixel, unit)
    shuffled = rng.permuted(pixels, axis=0).reshape(after.shape)
    return Meaning(
        _neighbours(before),
        _neighbours(after),
        _accuracy(trained, test),
        _accuracy(_with(trained, name, shuffled), test),
        _accuracy(_with(trained, name, before), test),
    )


def fit(network: Network, data: Data, losses: Sequence[float]) -> Fit:
    """Return how a run fits: the accuracies of its network on both splits, and its validation losses."""
    assert data.validation is not None
    return Fit(_accuracy(network, data.train), _accuracy(network, data.validation), losses[-1] / min(losses))


def detail(networks: Sequence[Network], test: Split, window: int) -> list[Detail]:
    """Measure the occlusion maps of networks, each beside those of the next one."""
    images, labels = of_every_digit(test, IMAGES)
    maps = [nnspec.occlude(network, images, labels, window=window, scale="drop") for network in networks]
    found = []
    for place, network in enumerate(networks):
        own, other = maps[place], maps[(place + 1) % len(maps)]
        question = Question.of(network, images, labels, window=window)
        areas = deletion_curves(question, {"occlusion": saliency(question, "occlusion")})["occlusion"]
        found.append(
            Detail(
                float(np.mean([_roughness(one) for one in own])),
                float(np.mean([_correlation(one, two) for one, two in zip(own, other, strict=True)])),
                areas.deletion_area,
                areas.insertion_area,
                float(np.median(own.max(axis=(1, 2)))),
            )
        )
    return found


def of_every_digit(test: Split, count: int) -> tuple[Array, Array]:
    """Return the first `count` images of each digit, in the order of the digits, and their labels."""
    chosen = np.concatenate([np.flatnonzero(test.targets == digit)[:count] for digit in range(10)])
    return np.asarray(test.inputs[chosen]), test.targets[chosen]


def section(weights: Mapping[str, Meaning], fits: Mapping[str, Fit], details: Mapping[str, Detail]) -> str:
    """Return the answers as Markdown: medians over the seeds by experiment, and by window."""
    return "\n\n".join((_of_meaning(weights), _of_fit(fits), _of_detail(details)))


def _of_meaning(found: Mapping[str, Meaning]) -> str:
    worse = all(one.whole - one.shuffled > 0.1 for one in found.values())
    smoother = all(one.after - one.before > 0.1 for one in found.values())
    needed = all(one.whole - one.rewound > 0.1 for one in found.values())
    verdict = (
        "**Supported**: the order of the weights is what the network knows"
        if worse and smoother and needed
        else "**In part**: "
        + ", ".join(
            (
                "the order of the weights matters" if worse else "the order of the weights matters little",
                "neighbours have become alike" if smoother else "neighbours have hardly become alike",
                "the first layer had to be learnt" if needed else "the first layer may stay as it began",
            )
        )
    )
    rows = [
        (
            name,
            f"{one.before:.2f}",
            f"{one.after:.2f}",
            *(f"{100 * value:.1f}" for value in (one.whole, one.shuffled, one.rewound)),
        )
        for name, one in found.items()
    ]
    head = (
        "first layer of", "neighbours before", "neighbours after", "accuracy", "weights shuffled", "as before training"
    )  # fmt: skip
    return (
        f'### "The weights have meaning"\n\n{verdict}. Neighbours are the correlation between the weights of '
        "neighbouring pixels; shuffled, each unit has its own weights in another order; as before training, only the "
        f"first layer is set back. Accuracies are percent of the test digits.\n\n{table(head, rows)}"
    )


def _of_fit(found: Mapping[str, Fit]) -> str:
    over = [name for name, one in found.items() if one.gap > 1 and one.rise > 1.05]
    widest = max(found, key=lambda name: found[name].gap)
    verdict = (
        f"**Refuted** for {', '.join(over)}: the validation loss rises by more than 5 % above its lowest value, while "
        "the training split is known better by more than a point."
        if over
        else "**Supported**: in no experiment does the validation loss rise by more than 5 % above its lowest value "
        "while the training split is known better by more than a point."
    )
    rows = [
        (name, f"{100 * one.training:.2f}", f"{100 * one.validation:.2f}", f"{one.gap:.2f}", f"{one.rise:.3f}")
        for name, one in found.items()
    ]
    head = ("experiment", "training", "validation", "gap", "validation loss, end over lowest")
    return (
        f'### "No overfitting"\n\n{verdict} The widest gap is {found[widest].gap:.2f} points ({widest}). With 50,000 '
        "or 60,000 single samples from 45,000 there is little more than one epoch.\n\n"
        f"{table(head, rows)}"
    )


def _of_detail(found: Mapping[str, Detail]) -> str:
    small, large = found["2x2"], found["3x3"]
    rougher = small.roughness > large.roughness
    repeated = small.agreement >= large.agreement
    better = small.deletion < large.deletion
    verdict = (
        "**Supported**: the maps of 2x2 change more from position to position"
        if rougher
        else "**Refuted**: the maps of 2x2 change less from position to position"
    )
    trust = (
        f"Another seed repeats them {'no worse' if repeated else 'less well'}, and by deletion "
        f"{'they' if better else 'those of 3x3'} name better which pixels the network needs."
    )
    rows = [
        (
            window,
            f"{one.roughness:.3f}",
            f"{one.agreement:.2f}",
            f"{one.deletion:.3f}",
            f"{one.insertion:.3f}",
            f"{one.drop:.2f}",
        )
        for window, one in found.items()
    ]
    head = ("window", "roughness", "agreement of two seeds", "deletion", "insertion", "largest drop of the log-odds")
    return (
        f'### "2x2 shows more detail"\n\n{verdict}. {trust} Roughness is the mean squared difference of neighbours '
        f"over twice the variance of a map, 0 smooth and 1 noise; {10 * IMAGES} test images, {IMAGES} of each digit."
        "\n\n"
        f"{table(head, rows)}"
    )


def _with(network: Network, name: str, values: Array) -> Network:
    changed = copy.copy(network)
    changed.set_parameters({name: values})
    return changed


def _accuracy(network: Network, test: Split) -> float:
    return float(evaluate(network, test)["accuracy"])


def _neighbours(weight: Array) -> float:
    """Return the mean correlation over the units of weights beside and below each other, of pixels or of a window."""
    units = weight.shape[-1]
    side = 28 if weight.ndim == 2 else weight.shape[0]
    images = weight.reshape(side, side, -1, units)[:, :, 0]  # (row, column, unit)
    pairs = [(images[:-1], images[1:]), (images[:, :-1], images[:, 1:])]
    one = np.concatenate([a.reshape(-1, units) for a, _ in pairs])
    two = np.concatenate([b.reshape(-1, units) for _, b in pairs])
    return float(np.mean([_correlation(one[:, unit], two[:, unit]) for unit in range(units)]))


def _roughness(values: Array) -> float:
    steps = np.concatenate([np.diff(values, axis=0).ravel(), np.diff(values, axis=1).ravel()])
    return float(np.mean(np.square(steps, dtype=np.float64)) / (2 * values.var(dtype=np.float64)))


def _correlation(one: Array, two: Array) -> float:
    return float(np.corrcoef(one.ravel().astype(np.float64), two.ravel().astype(np.float64))[0, 1])
