"""How layers are computed in int8: a function by the word's class. One without a function is computed in float32."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nnspec.exchange.ways.c.program import UNSCALED, Kind, Quantum, Room, Site
from nnspec.runtime.registry import Registry


@dataclass
class Site8(Site):
    """What the function of a layer is given: its inputs are int8. `quantum` is that of its output.

    `floats` says that its output is float, which the weighted layers can write.
    """

    quantum: Quantum = UNSCALED
    floats: bool = False

    def same(self, kind: Kind = "int8_t") -> Room:
        """Return a new array for an output with the quantum of the input."""
        y = self.new(kind)
        y.quantum = self.x.quantum
        return y


INT8_LAYERS: Registry[Callable[[Any, Site8], Room | None]] = Registry(__name__)
"""(the word, what it is given) → the array of its output; None where this one cannot be computed in int8."""

in_int8 = INT8_LAYERS.implements
