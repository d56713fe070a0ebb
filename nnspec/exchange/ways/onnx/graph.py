"""The graph of an ONNX file as it is written: tensors with names, nodes, arrays, inputs and outputs. No package onnx.

A tensor of a network may be in one of several orders of axes. `Value` holds it in each that was asked for, so a
transposition is written once, where the order changes, and none around each layer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.spec_lang.vocabulary.shape import Shape

BATCH, TIME = "batch", "time"
"""The names of the axes whose length a file leaves open."""

Axis = int | str


class Layout(Enum):
    """The order of the axes of a tensor: as samples have them, or as operators of ONNX read them."""

    LAST = "(batch, …, channels)"
    FIRST = "(batch, channels, …)"
    STEPS = "(time, batch, features)"

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return for each axis of a tensor with so many axes, the batch among them, its place in LAST."""
        if self is Layout.FIRST:
            return (0, rank - 1, *range(1, rank - 1))
        return (1, 0, *range(2, rank)) if self is Layout.STEPS else tuple(range(rank))

    def place(self, axis: int, rank: int) -> int:
        """Return the place of an axis of LAST, which may be counted from the end."""
        return self.axes(rank).index(axis % rank)


@dataclass
class Value:
    """What a layer computed, (batch, *shape): the names of its tensors by layout, and the layout it was computed in."""

    shape: Shape
    layout: Layout
    tensors: dict[Layout, str]
    whole: bool = False
    """Whether it is of int64, the symbols of a text."""

    @property
    def rank(self) -> int:
        """The number of axes, the batch among them."""
        return len(self.shape) + 1

    @property
    def tensor(self) -> str:
        """The tensor in the layout it was computed in."""
        return self.tensors[self.layout]


@dataclass(frozen=True)
class Operation:
    """A node of the graph."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def renamed(self, names: Mapping[str, str]) -> "Operation":
        """Return the node with other names for some tensors."""
        inputs = tuple(names.get(name, name) for name in self.inputs)
        outputs = tuple(names.get(name, name) for name in self.outputs)
        return Operation(self.name, self.operator, inputs, outputs, self.attributes)


@dataclass(frozen=True)
class Port:
    """An input or output of the file: its name, its type in NumPy's words, and its axes, an open one by its name."""

    name: str
    dtype: str
    axes: tuple[Axis, ...]


@dataclass
class GraphFile:
    """Nodes, constant arrays, inputs and outputs, in the order in which they were added."""

    operations: list[Operation] = field(default_factory=list)
    arrays: dict[str, Array] = field(default_factory=dict)
    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(
        self, operator: str, inputs: Sequence[str], name: str, outputs: Sequence[str] = (), **attributes: Any
    ) -> str:
        """Add a node and return its first output, which is called as the node unless `outputs` are named.

        Arguments:
            operator: its name in ONNX.
            inputs: tensors; "" is an optional one that is left out.
            name: what it is called, with a number behind it where the name is taken.
            outputs: the names of all outputs where it has several; "" is one that is left out.
            **attributes: those of the operator, without the ones that are None.
        """
        made = (self.free(name),) if not outputs else tuple(self.free(each) if each else "" for each in outputs)
        given = {key: value for key, value in sorted(attributes.items()) if value is not None}
        self.operations.append(Operation(made[0] if not outputs else name, operator, tuple(inputs), made, given))
        return next(filter(None, made))

    def constant(self, name: str, array: Any, dtype: Any = np.float32) -> str:
        """Add a constant array and return its name; one that is there already with this name and content is used."""
        numbers = np.ascontiguousarray(array, dtype).reshape(np.shape(array))
        while name in self.names:
            if name in self.arrays and _same(self.arrays[name], numbers):
                return name
            name = f"{name}_"
        self.names.add(name)
        self.arrays[name] = numbers
        return name

    def integers(self, name: str, numbers: Any) -> str:
        """Add a constant array of int64, such as a shape."""
        return self.constant(name, numbers, np.int64)

    def strings(self, name: str, texts: Sequence[str]) -> str:
        """Add a constant array of texts and return its name."""
        return self.constant(name, np.array(texts, object), object)

    def free(self, name: str) -> str:
        """Return a name that nothing has yet, and reserve it."""
        found, count = name, 1
        while found in self.names:
            count += 1
            found = f"{name}.{count}"
        self.names.add(found)
        return found

    def tensor(self, value: Value, layout: Layout) -> str:
        """Return the tensor of a value in a layout, after a transposition where it is not there yet."""
        rank = value.rank
        if layout.axes(rank) == value.layout.axes(rank):
            return value.tensor
        if layout not in value.tensors:
            order = [value.layout.axes(rank).index(axis) for axis in layout.axes(rank)]
            name = f"{value.tensor}.{_ORDERED[layout]}"
            value.tensors[layout] = self.add("Transpose", [value.tensor], name, perm=order)
        return value.tensors[layout]

    def call(self, tensor: str, name: str) -> None:
        """Give a tensor that a node computes another name."""
        renamed = {tensor: name}
        self.operations = [operation.renamed(renamed) for operation in self.operations]


_ORDERED = {Layout.LAST: "channels_last", Layout.FIRST: "channels_first", Layout.STEPS: "time_first"}


def _same(first: Array, second: Array) -> bool:
    if first.dtype != second.dtype or first.shape != second.shape:
        return False
    return first.tolist() == second.tolist() if first.dtype == object else first.tobytes() == second.tobytes()
