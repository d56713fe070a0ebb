"""The sanity check of maps: with random weights a map must no longer be what it was.

Adebayo et al., "Sanity Checks for Saliency Maps", 2018, section 3.1: the weights of the layers are drawn again one
layer after the other, from the last to the first, and the map is compared with that of the trained network by the rank
correlation of its pixels. A method whose maps stay alike draws the image, not what the network has learnt.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.explain.saliency import Question, saliency
from nnspec.runtime.infer.network import Network


@dataclass(frozen=True)
class Randomized:
    """Maps of a method as more layers have random weights.

    `layers` are the names in the order in which they were randomized. `maps` is (1 + layers, image, height, width), the
    trained network's first. Both correlations, (1 + layers, image), are Spearman's with it, 0 where a map is constant:
    `correlation` of the maps, `correlation_of_sizes` of |map|. The second stays high wherever maps are products with
    the image, whose empty background is 0 in all of them; the first asks for the signs as well.
    """

    layers: tuple[str, ...]
    maps: Array
    correlation: Array
    correlation_of_sizes: Array


def randomized(question: Question, names: Sequence[str], seed: int = 0) -> dict[str, Randomized]:
    """Return the maps of each method under cascading randomization. The network itself is not changed."""
    networks = list(cascade(question.network, seed))
    layers = tuple(name for name, _ in networks)
    asked = [question, *(replace(question, network=network) for _, network in networks)]
    result = {}
    for name in names:
        maps = np.stack([saliency(each, name) for each in asked])
        signed, sizes = (
            np.array([[rank_correlation(*pair) for pair in zip(own, each[0], strict=True)] for own in each])
            for each in (maps, np.abs(maps))
        )
        result[name] = Randomized(layers, maps, signed, sizes)
    return result


def cascade(network: Network, seed: int) -> list[tuple[str, Network]]:
    """Return copies of a network with random weights in its last layer, its last two layers, … all of them.

    Each comes with the name of the layer that is random in it for the first time. The weights are drawn as for a new
    network.
    """
    fresh = copy.copy(network)
    fresh.initialize(seed + 1)  # the seeds of runs are small: 0 would draw what many of them began with
    current, found = network, []
    for node in reversed(network.spec.nodes):
        arrays = list(node.parameters())
        if not arrays:
            continue
        current = copy.copy(current)
        values = fresh.parameters
        current.set_parameters({name: values[name] for name in arrays})
        found.append((node.name, current))
    return found


def rank_correlation(one: Array, other: Array) -> float:
    """Return Spearman's correlation of two maps; 0 where one of them is constant.

    Equal numbers share the mean of their ranks.
    """
    ranks = [_ranks(values.ravel()) for values in (one, other)]
    a, b = (values - values.mean() for values in ranks)
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else 0.0


def _ranks(values: Array) -> Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray(ends - (counts - 1) / 2, np.float64)[inverse]
