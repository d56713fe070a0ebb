"""A network → a program of C kernels with int8 weights and values where layers can be computed so, else in float32."""

from collections.abc import Mapping

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.c.calibration import Ranges, quantum
from nnspec.exchange.ways.c.folding import WEIGHTS
from nnspec.exchange.ways.c.layers8 import INT8_LAYERS, Site8
from nnspec.exchange.ways.c.lower import Lowering, check, sentence
from nnspec.exchange.ways.c.program import Program, Room
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.layers.activation import Relu


class Lowering8(Lowering):
    """Values are int8 between layers that are computed so; `left` names the layers that stay in float32.

    A dense layer or a convolution reads int8 always; any other layer is computed in int8 where its inputs are. What a
    float layer reads of an int8 one is converted once, and the other way round.
    """

    def __init__(self, network: Network, made: Program, ranges: Ranges):
        super().__init__(network, made)
        self.ranges = ranges
        self.left: list[str] = []
        self.weighted = 0
        self._floats: dict[str, Room] = {}
        self._bytes: dict[str, Room] = {}
        self._last = self.graph.nodes[-1].name if self.graph.nodes else INPUT

    def begin(self) -> None:
        """Leave the samples as they are: they are normalized where they are read."""
        self.values[INPUT] = self.raw()

    def as_float(self, name: str) -> Room:
        """Return the value of a node in float32, converted once."""
        x = self.values[name]
        if name == INPUT:
            if name not in self._floats:
                self._floats[name] = self.normalized(x)
            return self._floats[name]
        if x.kind == "float":
            return x
        if name not in self._floats:
            self._floats[name] = y = self.made.room(f"{name}_float", x.size)
            self.made.call("dequantize", x, x.quantum.scale, x.quantum.zero, y, x.size)
        return self._floats[name]

    def as_int8(self, name: str) -> Room:
        """Return the value of a node in int8, converted once."""
        x = self.values[name]
        if x.kind == "int8_t":
            return x
        if name not in self._bytes:
            self._bytes[name] = y = self.made.room(f"{'samples' if name == INPUT else name}_int8", x.size, "int8_t")
            y.quantum = quantum(*self.ranges[name])
            fitted = self.network.preprocessing
            if name == INPUT and fitted.normalize != "none":
                places = (y, x.size, fitted.shift.size)
                self.made.call("quantize_sample", x, *self.normalization(), *y.quantum, *places)
            else:
                self.made.call("quantize", x, *y.quantum, y, x.size)
        return self._bytes[name]

    def computed(self, node: GraphNode, arrays: Mapping[str, Array]) -> Room:
        """Return the output of a node, in int8 where it is computed so."""
        if self._in_int8(node):
            begun, known = len(self.made.calls), dict(self._bytes)
            self.made.comment(sentence(node))
            xs = [self.as_int8(name) for name in node.inputs]
            site = Site8(self.made, node.name, xs, node.input_shapes, node.output_shape, arrays, self.real(node))
            site.quantum, site.floats = quantum(*self.ranges[self._settled(node)]), self._read_as_float(node)
            y = INT8_LAYERS[type(node.layer)](node.layer, site)
            if y is not None:
                self.weighted += type(node.layer) in WEIGHTS
                return y
            del self.made.calls[begun:]
            self._bytes = known
        begun = len(self.made.calls)
        y = super().computed(node, arrays)
        if len(self.made.calls) > begun:
            self.left.append(node.name)
        return y

    def _in_int8(self, node: GraphNode) -> bool:
        """Return whether a node may be computed in int8: it has weights, or its inputs are int8 already."""
        if not _known(node):
            return False
        return type(node.layer) in WEIGHTS or all(self.values[name].kind == "int8_t" for name in node.inputs)

    def _readers(self, name: str) -> list[GraphNode]:
        return [node for node in self.graph.nodes if name in node.inputs]

    def _settled(self, node: GraphNode) -> str:
        """Return the node whose range that of this one is: a folded normalization, and a relu that alone reads it."""
        name = node.name
        while len(readers := self._readers(name)) == 1 and name != self._last:
            if readers[0].name not in self.gone and not isinstance(readers[0].layer, Relu):
                break
            name = readers[0].name
        return name

    def _read_as_float(self, node: GraphNode) -> bool:
        """Return whether what reads a node is computed in float32: its sums then become floats at once."""
        name = node.name
        while len(readers := self._readers(name)) == 1 and readers[0].name in self.gone:
            name = readers[0].name
        return name == self._last or not any(_known(reader) for reader in readers)


def _known(node: GraphNode) -> bool:
    return any(cls in INT8_LAYERS for cls in type(node.layer).__mro__)


def lowered_int8(network: Network, ranges: Ranges, prefix: str = "") -> tuple[Program, list[str]]:
    """Return the program of a network with int8 layers, and the names of the layers that stay in float32.

    Raises ExchangeError for a network that is not computed in C, or has no layer that is computed in int8.
    """
    check(network)
    lowering = Lowering8(network, Program(prefix), ranges)
    program = lowering.program()
    if not lowering.weighted:
        raise ExchangeError("int8 is for dense layers and convolutions, and this network has none: leave int8 out", 2)
    return program, lowering.left
