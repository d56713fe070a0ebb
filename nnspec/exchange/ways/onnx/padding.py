"""Which steps of symbolic sequences are padding, in the graph: −1 after the last symbol, as the samples have it."""

from collections.abc import Mapping

import numpy as np

from nnspec.exchange.ways.onnx.graph import GraphFile, Layout
from nnspec.runtime.arrays import Array


class Padding:
    """The lengths of the sequences of a batch, counted once, and what follows from them for a layer.

    Arguments:
        graph: where nodes are added.
        symbols: the samples, int64 (batch, time).
        steps: the length of the samples, None where the file leaves it open.
        strided: the padded steps after layers that skip steps, as `padding_after_strides` returns them.
    """

    def __init__(self, graph: GraphFile, symbols: str, steps: int | None, strided: Mapping[str, Array]):
        self.graph, self.symbols, self.steps, self.strided = graph, symbols, steps, strided
        self._made: dict[str, str] = {}

    def lengths(self, layer: str, time: int) -> str:
        """Return how many steps of each sequence are real where a layer reads sequences of this length, (batch,)."""
        if self.steps is None:
            return self._of_samples()
        padded = np.arange(self.steps, -1, -1)  # by the length of a sample
        left = self.strided[layer][padded] if layer in self.strided else padded
        table = np.maximum(time - left, 0)
        if np.array_equal(table, np.arange(self.steps + 1)):
            return self._of_samples()
        return self._counted(table, self._of_samples(), self._of_samples())

    def counted(self, table: Array, lengths: str) -> str:
        """Return what a table has for each of these lengths, (batch,)."""
        return self._counted(table, lengths, lengths)

    def real(self, lengths: str, time: int, layout: Layout) -> str:
        """Return which steps are real, boolean, with 1 for the features: to be broadcast to a tensor of a layout."""
        key = f"{lengths}.real.{time}.{layout.name}"
        if key not in self._made:
            place = layout.place(1, 3)
            batch = layout.place(0, 3)
            others = [axis for axis in range(3) if axis != batch]
            if self.steps is None:
                around = [axis for axis in range(3) if axis != place]
                axes = self.graph.integers(f"{lengths}.around", around)
                steps = self.graph.add("Unsqueeze", [self._range(), axes], f"{lengths}.steps")
            else:
                shape = [time if axis == place else 1 for axis in range(3)]
                steps = self.graph.integers(f"steps.{time}.{layout.name.lower()}", np.arange(time).reshape(shape))
            axes = self.graph.integers(f"{lengths}.axes.{layout.name.lower()}", others)
            each = self.graph.add("Unsqueeze", [lengths, axes], f"{lengths}.each")
            self._made[key] = self.graph.add("Less", [steps, each], f"{lengths}.real")
        return self._made[key]

    def _counted(self, table: Array, lengths: str, name: str) -> str:
        key = f"{lengths}.{table.tobytes().hex()}"
        if key not in self._made:
            counts = self.graph.integers(f"{name}.counts", table)
            self._made[key] = self.graph.add("Gather", [counts, lengths], f"{name}.counted", axis=0)
        return self._made[key]

    def _of_samples(self) -> str:
        """Return the number of steps up to the last symbol, (batch,)."""
        if "lengths" not in self._made:
            graph = self.graph
            none = graph.integers("lengths.none", 0)
            real = graph.add("GreaterOrEqual", [self.symbols, none], "lengths.symbols")
            if self.steps is None:
                one = graph.integers("lengths.one", 1)
                ends = graph.add("Add", [self._range(), one], "lengths.ends")
            else:
                ends = graph.integers("lengths.ends", np.arange(1, self.steps + 1))
            end = graph.add("Where", [real, ends, none], "lengths.reached")
            axis = graph.integers("lengths.time", [1])
            self._made["lengths"] = graph.add("ReduceMax", [end, axis], "lengths", keepdims=0)
        return self._made["lengths"]

    def _range(self) -> str:
        """Return 0, 1, … up to the number of steps, where the file leaves it open."""
        if "range" not in self._made:
            graph = self.graph
            count = graph.add("Shape", [self.symbols], "time.count", start=1, end=2)
            axis = graph.integers("time.axis", [0])
            number = graph.add("Squeeze", [count, axis], "time.number")
            bounds = [graph.integers("time.first", 0), number, graph.integers("time.step", 1)]
            self._made["range"] = graph.add("Range", bounds, "time.range")
        return self._made["range"]
