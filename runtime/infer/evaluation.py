"""The loss, the metrics and the confusion matrix of a network on samples with known targets."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Split
from nnspec.runtime.infer.network import Network
from nnspec.runtime.metrics import confusion_counts, measure
from nnspec.runtime.targets import counted, middle_answers


def loss_and_outputs(network: Network, split: Split) -> tuple[float, Array]:
    """Return the mean loss over a split, penalties and padding excluded, and the outputs for all of its samples.

    Where targets are scaled the loss is that of the scaled ones, as in training; the outputs are unscaled. Where the
    spec is stateful, the split is read from its first sample to its last and the states are carried through.
    """
    run = network.programs.stream if network.spec.train.stateful else network.programs.run
    return _loss_and_outputs(network, run("logits", network.programs.as_samples(split.inputs)), split)


def _loss_and_outputs(network: Network, parts: Iterable[Array], split: Split) -> tuple[float, Array]:
    """Return the mean loss and the outputs for the logits of a split, given in consecutive parts."""
    total, count, start, outputs = 0.0, 0, 0, []
    for logits in parts:
        stop = start + len(logits)
        targets = split.targets[start:stop]
        loss, _ = network.program.loss(logits, network.scaled_targets(targets, logits))
        weight = counted(targets, logits)
        total, count = total + loss * weight, count + weight
        unscaled = network.unscaled(network.program.with_head(logits))
        outputs.append(unscaled if unscaled is not logits else logits.copy())
        start = stop
    return total / max(count, 1), np.concatenate(outputs)


def evaluate(network: Network, split: Split, prefix: str = "") -> dict[str, float]:
    """Return the loss and the spec's metrics over a split, by name; each name begins with the prefix."""
    measured = _measured(network, *loss_and_outputs(network, split), split)
    return {f"{prefix}{name}": value for name, value in measured.items()}


def measure_logits(network: Network, parts: Iterable[Array], split: Split) -> dict[str, float]:
    """Return the loss and the spec's metrics as `evaluate` does, for other logits than the network's.

    They are given in consecutive parts, (batch, *output shape).
    """
    return _measured(network, *_loss_and_outputs(network, parts, split), split)


def measure_outputs(network: Network, outputs: Array, split: Split) -> dict[str, float]:
    """Return the spec's metrics for other outputs than the network's, (batch, *output shape), by name."""
    given = middle_answers(outputs, network.spec.loss), split.targets, network.spec.loss.threshold
    return {metric.word: float(measure(metric, *given)) for metric in network.spec.metrics}


def _measured(network: Network, loss: float, outputs: Array, split: Split) -> dict[str, float]:
    return {"loss": float(loss), **measure_outputs(network, outputs, split)}


def class_probabilities(outputs: Array, threshold: float = 0.5) -> Array:
    """Return the probability of each class, (batch, classes); a single sigmoid output gives both of its classes.

    Of a loss of scores they are scores, and `threshold` is the single score from which on the second class is meant.
    """
    return np.concatenate([2 * threshold - outputs, outputs], axis=-1) if outputs.shape[-1] == 1 else outputs


def first_correct(network: Network, split: Split, per_class: int, batch: int = 256) -> Array:
    """Return the indices of the first samples of each class that the network classifies correctly.

    Arguments:
        network: a classifier.
        split: the samples and their labels.
        per_class: the most samples of a class.
        batch: samples predicted at once. Prediction stops as soon as every class has `per_class` samples.

    Returns indices ordered by class, then by sample.
    """
    found: dict[int, list[int]] = {}
    for start in range(0, len(split), batch):
        truth = split.targets[start : start + batch].reshape(-1).astype(np.int64)
        probabilities = class_probabilities(
            network.predict(split.inputs[start : start + batch]), network.spec.loss.threshold
        )
        for index in np.flatnonzero(probabilities.argmax(axis=-1) == truth).tolist():
            indices = found.setdefault(int(truth[index]), [])
            if len(indices) < per_class:
                indices.append(start + index)
        if len(found) == probabilities.shape[-1] and all(len(indices) == per_class for indices in found.values()):
            break
    return np.array([index for _, indices in sorted(found.items()) for index in indices], np.int64)


def confusion_matrix(network: Network, split: Split) -> Any:
    """Return (true, predicted) counts: how often each class was predicted for samples of each class."""
    _, outputs = loss_and_outputs(network, split)
    return confusion_counts(outputs, split.targets, max(outputs.shape[-1], 2), network.spec.loss.threshold)
