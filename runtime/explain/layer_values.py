"""What each layer of a network makes of one sample: its feature maps. Pictures and pages show it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import INPUT

MOST_LAYERS = 40
"""The most layers that are shown."""


@dataclass(frozen=True)
class LayerValues:
    """The output of a layer for one sample: (height, width, channels), (steps, channels) or (numbers,)."""

    name: str
    text: str
    values: NDArray[Any]


def layer_values(network: Network, sample: np.ndarray) -> list[LayerValues]:
    """Return the output of each layer for a raw sample (1, …): the activation belongs to its layer.

    Of a network with more layers than a picture has, the first and the last ones.
    """
    program = network.program
    seen = network.preprocessing.apply(sample, network.dtype)
    values = program.values(seen)
    found = [LayerValues("input", "input", values[INPUT][0])]
    nodes = program.graph.nodes
    for at, node in enumerate(nodes):
        following = nodes[at + 1] if at + 1 < len(nodes) else None
        own = node.name.split("/")[-1] if "/" not in node.name else node.name
        if following is not None and following.name == f"{node.name}/{following.layer.word}":
            continue  # the activation of this layer is drawn
        found.append(LayerValues(node.name, own, values[node.name][0]))
    if program.graph.head is not None:
        last = nodes[-1].name if nodes else INPUT
        outputs = program.with_head(values[last])[0]
        found.append(LayerValues("output", program.graph.head.word, outputs))
    if len(found) > MOST_LAYERS:
        half = MOST_LAYERS // 2
        found = [*found[:half], *found[-half:]]
    return found
