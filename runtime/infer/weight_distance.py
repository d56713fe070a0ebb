"""The distance between the weights of two networks, layer by layer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import Node


@dataclass(frozen=True)
class WeightDistance:
    """The distance between one layer's weights in two networks or, with `running`, between its running statistics.

    With all numbers of the layer as vectors a and b: `distance` is ‖b − a‖, `relative` is ‖b − a‖ / ‖a‖, None where a
    is zero, and `largest` is the largest |b − a| of a single number. All are computed in float64.
    """

    layer: str
    running: bool
    numbers: int
    distance: float
    relative: float | None
    largest: float

    @property
    def differs(self) -> bool:
        """Whether any number differs."""
        return self.largest > 0


def weight_distances(first: Network, second: Network, counterparts: Mapping[str, str]) -> Iterator[WeightDistance]:
    """Yield the distance of each layer of `first` to its counterpart in `second`.

    `counterparts` maps names of layers in `first` to names in `second`. Layers whose arrays differ in name or shape are
    left out.
    """
    others = {node.name: node for node in second.spec.nodes}
    for node in first.spec.nodes:
        other = others.get(counterparts.get(node.name, ""))
        if other is None:
            continue
        for running in (False, True):
            before, after = _numbers(first, node, running), _numbers(second, other, running)
            if before and {name: a.shape for name, a in before.items()} == {n: a.shape for n, a in after.items()}:
                yield _distance(node.name, running, before, after)


def _numbers(network: Network, node: Node, running: bool) -> dict[str, np.ndarray]:
    """Return a layer's arrays by their names in it, in float64."""
    arena = network.buffer_arena if running else network.parameter_arena
    names = node.buffers() if running else node.parameters()
    return {name.removeprefix(f"{node.name}/"): arena[name].astype(np.float64) for name in names}


def _distance(
    layer: str, running: bool, before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
) -> WeightDistance:
    start = np.concatenate([array.ravel() for array in before.values()])
    change = np.concatenate([(after[name] - array).ravel() for name, array in before.items()])
    distance, length = float(np.linalg.norm(change)), float(np.linalg.norm(start))
    relative = distance / length if length else None
    return WeightDistance(layer, running, change.size, distance, relative, float(np.abs(change).max(initial=0.0)))
