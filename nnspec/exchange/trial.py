"""Samples on which files for other programs are tried, of the network's own data or, where they are not here, drawn."""

from typing import NamedTuple

import numpy as np

from nnspec.runtime.data import Data
from nnspec.runtime.data.array_likes import take
from nnspec.runtime.infer.drawn import drawn_samples as drawn
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.spec_and_data import network_data, split_of
from nnspec.spec_lang.report.errors import NNSpecError

MOST_TRIED = 64
MOST_MEASURED = 10_000


class Trial(NamedTuple):
    """Raw samples (batch, *input shape), the first of the training split (None without data), and their origin."""

    samples: np.ndarray
    training: np.ndarray | None
    origin: str


def trial_of(network: Network, statement: str | None = None) -> Trial:
    """Return samples of the data that the spec names, or of another data statement; drawn ones where none are here.

    Raises DataError, SpecError where a statement is given and its data cannot be used.
    """
    try:
        data = network_data(network, statement)
    except NNSpecError:
        if statement is not None:
            raise
        return Trial(drawn(network, MOST_TRIED), None, "drawn samples")
    return _of_data(data)


def _of_data(data: Data) -> Trial:
    name, judged = split_of(data, None)
    training = np.asarray(take(data.train.inputs, slice(0, MOST_MEASURED)))
    return Trial(np.asarray(take(judged.inputs, slice(0, MOST_TRIED))), training, f"samples of the {name} split")
