"""How good a network is on samples it is shown: the loss, the metrics, the confusion of classes."""

from typing import Any

import numpy as np

from runtime.arrays import Array
from runtime.data import Part
from runtime.layers import Mode
from runtime.metrics import confusion, measure
from runtime.network import BATCH, Network


def answers(network: Network, part: Part, batch: int = BATCH) -> tuple[float, Array]:
    """The mean loss over a part, without penalties, and the outputs for all of its samples."""
    total, outputs = 0.0, []
    for start in range(0, len(part), batch):
        stop = min(start + batch, len(part))
        x = network.preprocessing.apply(part.inputs[start:stop], network.dtype)
        z, _ = network.program.forward(x, Mode())
        loss, _ = network.program.loss(z, part.targets[start:stop])
        total += loss * (stop - start)
        outputs.append(network.program.with_head(z))
    return total / len(part), np.concatenate(outputs)


def evaluate(network: Network, part: Part, prefix: str = "") -> dict[str, float]:
    """The loss and the spec's metrics over a part, by name, each name behind the prefix."""
    loss, outputs = answers(network, part)
    measured = {metric.word: measure(metric, outputs, part.targets) for metric in network.spec.metrics}
    return {f"{prefix}{name}": float(value) for name, value in {"loss": loss, **measured}.items()}


def confusion_of(network: Network, part: Part) -> Any:
    """How often each true class (row) was taken for each class (column)."""
    _, outputs = answers(network, part)
    return confusion(outputs, part.targets, max(outputs.shape[-1], 2))
