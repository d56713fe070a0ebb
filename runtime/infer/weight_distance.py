"""How far the weights of one network lie from those of another, layer by layer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import Node


@dataclass(frozen=True)
class Movement:
    """One layer's weights in two networks, or with `running` its running statistics.

    `distance` is the length of the difference of all its numbers, ‖b − a‖; `relative` is that by ‖a‖, None where a is
    zero; `largest` is the largest difference of a single number. All in float64.
    """

    layer: str
    running: bool
    numbers: int
    distance: float
    relative: float | None
    largest: float

    @property
    def moved(self) -> bool:
        """Whether any number differs."""
        return self.largest > 0


def movements(first: Network, second: Network, counterparts: Mapping[str, str]) -> Iterator[Movement]:
    """Each layer of `first` beside its counterpart in `second`, where both hold arrays of the same names and shapes."""
    others = {node.name: node for node in second.spec.nodes}
    for node in first.spec.nodes:
        other = others.get(counterparts.get(node.name, ""))
        if other is None:
            continue
        for running in (False, True):
            before, after = _numbers(first, node, running), _numbers(second, other, running)
            if before and {name: a.shape for name, a in before.items()} == {n: a.shape for n, a in after.items()}:
                yield _movement(node.name, running, before, after)


def _numbers(network: Network, node: Node, running: bool) -> dict[str, np.ndarray]:
    """A layer's arrays by their own names, in float64."""
    arena = network.buffer_arena if running else network.parameter_arena
    names = node.buffers() if running else node.parameters()
    return {name.removeprefix(f"{node.name}/"): arena[name].astype(np.float64) for name in names}


def _movement(layer: str, running: bool, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> Movement:
    start = np.concatenate([array.ravel() for array in before.values()])
    change = np.concatenate([(after[name] - array).ravel() for name, array in before.items()])
    distance, length = float(np.linalg.norm(change)), float(np.linalg.norm(start))
    relative = distance / length if length else None
    return Movement(layer, running, change.size, distance, relative, float(np.abs(change).max(initial=0.0)))
