"""What a network predicts, as plain values: the JSON of `nnspec predict` and of the server."""

from typing import Any

import numpy as np

from nnspec.cli.checkpoint import class_names
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.runtime.infer.network import Network


def predicted_columns(network: Network) -> list[str] | None:
    """Return the names of the numbers that are predicted for a sample, None of one number, of classes and of steps."""
    data, shape, quantiles = network.spec.data, network.spec.output_shape, network.spec.loss.quantiles
    names = list(data.predicted_columns) if data is not None else []
    if len(quantiles) > 1:
        names = [f"{name} {q:g}".strip() for name in names or [""] for q in quantiles]
    named = shape is not None and len(names) > 1 and tuple(shape) == (len(names),)
    return names if named and class_names(network, steps=True) is None else None


def predictions_of(network: Network, outputs: Any) -> list[dict[str, Any]]:
    """Return for each sample of outputs (batch, …) its label and probabilities, or scores, or its value.

    A value of several numbers is a list; where the network has an output at every step, each is a list over the steps.
    """
    names = class_names(network, steps=True)
    if names is None:
        values = outputs[..., 0] if outputs.shape[-1] == 1 else outputs
        return [{"value": value} for value in values.tolist()]
    probabilities = class_probabilities(outputs, network.spec.loss.threshold)
    named = np.array(names)[probabilities.argmax(axis=-1)]
    kind = score_kind(network)
    return [{"label": name, kind: row} for name, row in zip(named.tolist(), probabilities.tolist(), strict=True)]


def score_kind(network: Network) -> str:
    """Return what the numbers of a classifier's classes are."""
    return "scores" if network.spec.loss.scores else "probabilities"
