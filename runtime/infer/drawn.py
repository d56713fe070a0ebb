"""Samples and targets drawn at random, for a network whose data are not here."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.compiler.graph import symbols_of
from nnspec.runtime.infer.network import Network
from nnspec.runtime.randomness import stream
from nnspec.spec_lang.vocabulary.losses import Loss


def drawn_samples(network: Network, count: int, seed: int = 0) -> NDArray[Any]:
    """Return random raw samples (count, *input shape), in the range of the training data.

    Symbols are whole numbers below the size of the vocabulary; numbers are normal, with the normalization's mean and
    deviation.
    """
    fitted, random = network.preprocessing, stream(seed, "trial")
    shape = (count, *fitted.input_shape)
    symbols = symbols_of(network.programs.graph.nodes)
    if symbols is not None:
        return random.integers(0, symbols, shape)
    return random.normal(size=shape) * fitted.scale + fitted.shift


def drawn_targets(loss: Loss, outputs: Sequence[int], random: "np.random.Generator") -> NDArray[Any]:
    """Return targets for outputs of this shape, (batch, …): classes and labels as int64, others as float64."""
    shape = (outputs[0], *loss.target_shape(outputs[1:]))
    if loss.classes:
        return random.integers(0, outputs[-1], shape)
    if loss.labels:
        return random.integers(0, 2, shape)
    return random.dirichlet(np.ones(shape[-1]), shape[:-1]) if loss.distributions else random.normal(size=shape)
