"""How each layer is written in operators of ONNX, one family a file.

A layer is a function of a `Writing`, which has the layer, its input, its arrays and the graph; it adds nodes and
returns the value of the layer.

    @writes(Scale)
    def scale(layer: Writing) -> Value:
        y = layer.add("Mul", [layer.tensor(Layout.LAST), layer.array("weight")])
        return layer.value(y, Layout.LAST)

The first node without a suffix bears the layer's name, the others the name and theirs: attention1.scores. Arrays are
called as in the network, with dots: conv1.weight. A layer that needs no node, such as dropout, returns its input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.onnx.graph import GraphFile, Layout, Port, Value
from nnspec.exchange.ways.onnx.padding import Padding
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode, array_of
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.shape import Shape


@dataclass
class Writing:
    """A layer on its way into a graph.

    Arguments:
        graph: where its nodes go.
        node: the layer, its name and its shapes.
        inputs: the values that it reads, one unless it is a merge.
        arrays: all parameters and buffers of the network by their full names.
        sequences: the padding of the samples, None where they are numbers.
        stateful: whether states are inputs and outputs of the file, and the number of steps is open.
    """

    graph: GraphFile
    node: GraphNode
    inputs: Sequence[Value]
    arrays: Mapping[str, Array]
    sequences: Padding | None = None
    stateful: bool = False

    @property
    def word(self) -> Any:
        """The layer's word."""
        return self.node.layer

    @property
    def name(self) -> str:
        """What its node is called."""
        return self.node.name.replace("/", ".")

    @property
    def x(self) -> Value:
        """Its input, that of the first branch of a merge."""
        return self.inputs[0]

    @property
    def shape(self) -> Shape:
        """The shape of its input."""
        return self.node.input_shapes[0]

    @property
    def time(self) -> int:
        """The steps of its input."""
        return self.shape[0]

    def tensor(self, layout: Layout) -> str:
        """Return its input in a layout."""
        return self.graph.tensor(self.x, layout)

    def add(self, operator: str, inputs: Sequence[str], suffix: str = "", **attributes: Any) -> str:
        """Add a node and return its output; without a suffix it bears the layer's name."""
        return self.graph.add(operator, inputs, self.called(suffix), **attributes)

    def called(self, suffix: str) -> str:
        """Return the name of a part of the layer."""
        return f"{self.name}.{suffix}" if suffix else self.name

    def numbers(self, name: str) -> Array:
        """Return an array of the layer as the network has it, also where it takes it from another layer."""
        array = self.arrays[array_of(self.node, name)]
        return array.T if name in self.node.ties and self.node.ties[name].transposed else array

    def array(self, name: str, change: Callable[[Array], Array] | None = None) -> str:
        """Return an array of the layer as a constant, changed if `change` is given: called conv1.weight.

        One that is taken from another layer is written once, and transposed in the graph where it is used transposed.
        """
        owner = array_of(self.node, name).replace("/", ".")
        tie = self.node.ties.get(name)
        if tie is not None and change is None:
            constant = self.graph.constant(owner, self.arrays[tie.array])
            return self.add("Transpose", [constant], f"{name}_transposed", perm=[1, 0]) if tie.transposed else constant
        numbers = self.numbers(name)
        return self.graph.constant(owner, numbers if change is None else change(numbers))

    def constant(self, suffix: str, array: Any) -> str:
        """Return a constant of float32 that belongs to the layer."""
        return self.graph.constant(self.called(suffix), array)

    def integers(self, suffix: str, numbers: Any) -> str:
        """Return a constant of int64 that belongs to the layer."""
        return self.graph.integers(self.called(suffix), numbers)

    def value(self, tensor: str, layout: Layout) -> Value:
        """Return a tensor as the value of the layer, of its output shape."""
        return Value(self.node.output_shape, layout, {layout: tensor})

    def reshaped(self, tensor: str, shape: Sequence[int], suffix: str = "") -> str:
        """Return a tensor with the batch in front reshaped to (batch, *shape)."""
        target = self.integers(f"{suffix}_shape" if suffix else "shape", [0, *shape])
        return self.add("Reshape", [tensor, target], suffix)

    def image(self) -> Value:
        """Return its input with channels: of an image HxW without any one is added as an axis of length 1."""
        whole = self.shape.as_image()
        if whole is None or len(whole) == len(self.shape):
            return self.x
        axis = self.integers("channel_axis", [1])
        with_channels = self.add("Unsqueeze", [self.tensor(Layout.LAST), axis], "channels")
        return Value(whole, Layout.FIRST, {Layout.FIRST: with_channels})

    @property
    def padded(self) -> Padding | None:
        """The padding of its sequences; None where its input has none, because it is no sequence or of numbers."""
        return self.sequences if self.shape.sequence else None

    def lengths(self) -> str:
        """Return how many steps of each sequence are real, (batch,) int64. Only where there is padding."""
        assert self.sequences is not None
        return self.sequences.lengths(self.node.name, self.time)

    def real(self, layout: Layout) -> str:
        """Return which steps are real, to be broadcast to a tensor of a layout. Only where there is padding."""
        assert self.sequences is not None
        return self.sequences.real(self.lengths(), self.time, layout)

    def filled(self, tensor: str, layout: Layout, value: float = 0.0) -> str:
        """Return a tensor whose padded steps have a value; the tensor itself where there is no padding."""
        if self.padded is None:
            return tensor
        fill = self.graph.constant("padding.lowest" if value else "padding.zero", np.float32(value))
        return self.add("Where", [self.real(layout), tensor, fill], "real")

    def refused(self, why: str, instead: str = "") -> ExchangeError:
        """Return the error of a layer that cannot be written."""
        help = f"\n  help: {instead}" if instead else ""
        return ExchangeError(f"{self.node.name} cannot be written for ONNX: {why}{help}")

    def state_in(self, suffix: str, units: int) -> str:
        """Add an input for a state, (batch, units), and return it as recurrent operators read it, (1, batch, units)."""
        name = self.graph.free(self.called(suffix))
        self.graph.inputs.append(Port(name, "float32", ("batch", units)))
        axis = self.graph.integers("state.axis", [0])
        return self.graph.add("Unsqueeze", [name, axis], f"{name}.given")

    def state_out(self, suffix: str, units: int, state: str) -> None:
        """Add an output for a state (1, batch, units)."""
        axis = self.graph.integers("state.axis", [0])
        made = self.graph.add("Squeeze", [state, axis], f"{self.called(suffix)}.next")
        self.graph.outputs.append(Port(made, "float32", ("batch", units)))


LAYERS: Registry[Callable[[Writing], Value]] = Registry(__name__)
"""How every layer of one input is written, by its class of word."""

MERGES: Registry[Callable[[Writing], Value]] = Registry(__name__)
"""How every merge is written, by its class of word."""

writes = LAYERS.implements
writes_merge = MERGES.implements
