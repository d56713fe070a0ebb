"""Random targets as a loss wants them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.spec_lang.vocabulary.losses import Loss


def random_targets(loss: Loss, outputs: Sequence[int], random: np.random.Generator) -> NDArray[Any]:
    """Targets for outputs of this shape, (batch, …): classes and labels as int64, others as float64."""
    shape = (outputs[0], *loss.target_shape(outputs[1:]))
    if loss.classes:
        return random.integers(0, outputs[-1], shape)
    if loss.labels:
        return random.integers(0, 2, shape)
    return random.dirichlet(np.ones(shape[-1]), shape[:-1]) if loss.distributions else random.normal(size=shape)
