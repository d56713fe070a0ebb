"""How good a network is on samples it is shown: the loss, the metrics, the confusion of classes."""

from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.infer.network import Network
from nnspec.runtime.metrics import confusion, measure
from nnspec.runtime.targets import counted


def answers(network: Network, split: Split) -> tuple[float, Array]:
    """The mean loss over a split, without penalties and padding, and the outputs for all of its samples.

    Where the spec is stateful the split is read in its order from beginning to end, and the state is carried through.
    """
    total, count, start, outputs = 0.0, 0, 0, []
    run = network.programs.stream if network.spec.train.stateful else network.programs.run
    for logits in run("logits", network.programs.as_samples(split.inputs)):
        stop = start + len(logits)
        targets = split.targets[start:stop]
        loss, _ = network.program.loss(logits, targets)
        weight = counted(targets, logits)
        total, count = total + loss * weight, count + weight
        head = network.program.with_head(logits)
        outputs.append(head if head is not logits else logits.copy())
        start = stop
    return total / max(count, 1), np.concatenate(outputs)


def evaluate(network: Network, split: Split, prefix: str = "") -> dict[str, float]:
    """The loss and the spec's metrics over a split, by name, each name behind the prefix."""
    loss, outputs = answers(network, split)
    measured = {metric.word: measure(metric, outputs, split.targets) for metric in network.spec.metrics}
    return {f"{prefix}{name}": float(value) for name, value in {"loss": loss, **measured}.items()}


def class_probabilities(outputs: Array) -> Array:
    """The probability of each class, (batch, classes): of the two classes of a single sigmoid too."""
    return np.concatenate([1 - outputs, outputs], axis=-1) if outputs.shape[-1] == 1 else outputs


def first_right(network: Network, split: Split, per_class: int, batch: int = 256) -> Array:
    """The places of the first samples of each class that the network labels rightly, `per_class` of each at most.

    Ordered by class, then by place. Reads no further than it needs to.
    """
    found: dict[int, list[int]] = {}
    for start in range(0, len(split), batch):
        truth = split.targets[start : start + batch].reshape(-1).astype(np.int64)
        probabilities = class_probabilities(network.predict(split.inputs[start : start + batch]))
        for place in np.flatnonzero(probabilities.argmax(axis=-1) == truth).tolist():
            places = found.setdefault(int(truth[place]), [])
            if len(places) < per_class:
                places.append(start + place)
        if len(found) == probabilities.shape[-1] and all(len(places) == per_class for places in found.values()):
            break
    return np.array([place for _, places in sorted(found.items()) for place in places], np.int64)


def confusion_of(network: Network, split: Split) -> Any:
    """How often each true class (row) was taken for each class (column)."""
    _, outputs = answers(network, split)
    return confusion(outputs, split.targets, max(outputs.shape[-1], 2))
