"""Samples on which files for other programs are tried, of the network's own data or, where they are not here, drawn."""

from typing import NamedTuple

import numpy as np

from nnspec.runtime.data import Data, Split
from nnspec.runtime.data.array_likes import take
from nnspec.runtime.infer.drawn import drawn_samples
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.spec_and_data import network_data, split_of
from nnspec.spec_lang.report.errors import NNSpecError

MOST_TRIED = 64
MOST_MEASURED = 10_000


class Judged(NamedTuple):
    """The split that results are reported on, its first samples, and its name: test, or validation."""

    name: str
    split: Split


class Trial(NamedTuple):
    """Raw samples (batch, *input shape), the first of the training split (None without data), and their origin.

    `judged` has more samples of the same split, with their targets; None without data.
    """

    samples: np.ndarray
    training: np.ndarray | None
    origin: str
    judged: Judged | None = None


def trial_of(network: Network, statement: str | None = None) -> Trial:
    """Return samples of the data that the spec names, or of another data statement; drawn ones where none are here.

    Raises DataError, SpecError where a statement is given and its data cannot be used.
    """
    try:
        data = network_data(network, statement)
    except NNSpecError:
        if statement is not None:
            raise
        return Trial(drawn_samples(network, MOST_TRIED), None, "drawn samples")
    return _of_data(data)


def _of_data(data: Data) -> Trial:
    name, judged = split_of(data, None)
    training = np.asarray(take(data.train.inputs, slice(0, MOST_MEASURED)))
    most = slice(0, MOST_MEASURED)
    measured = Judged(name, Split(np.asarray(take(judged.inputs, most)), judged.targets[most]))
    return Trial(measured.split.inputs[:MOST_TRIED], training, f"samples of the {name} split", measured)
