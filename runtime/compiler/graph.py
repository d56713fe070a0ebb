"""Spec → graph: every layer, activation and merge a node with its shapes; the last activation apart, for its loss."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nnspec.spec_lang.check.spec import INPUT, Spec, Tie
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Shape


class Placed(Protocol):
    """A layer with its inputs and shapes, as a graph and a schedule have it."""

    @property
    def name(self) -> str:
        """Its name, which its arrays begin with."""

    @property
    def layer(self) -> Layer:
        """What it computes."""

    @property
    def inputs(self) -> Sequence[str]:
        """The names of the nodes that it reads, or INPUT."""

    @property
    def input_shapes(self) -> Sequence[Shape]:
        """The shape of the output of each of them."""

    @property
    def output_shape(self) -> Shape:
        """The shape of its own output."""


@dataclass(frozen=True)
class GraphNode:
    """One operation. `inputs` are names of nodes, or INPUT; `ties` are the arrays that it takes from other nodes.

    `frozen` says that training leaves its own arrays as they are.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    ties: Mapping[str, Tie] = field(default_factory=dict, hash=False)
    frozen: bool = False

    @property
    def settled(self) -> bool:
        """Whether it computes as at inference in training too: frozen, with running averages."""
        return self.frozen and bool(self.layer.buffers(self.input_shapes[0]))


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each reads only earlier ones.

    `head` is the activation that belongs to the loss (softmax to cross_entropy). It is left out of the nodes: the
    loss takes the logits, which is exact where exp would overflow, and inference applies it at the end.
    """

    nodes: tuple[GraphNode, ...]
    head: Layer | None
    input_shape: Shape
    output_shape: Shape

    def __str__(self) -> str:
        rows = [f"{n.name:24} {n.layer.word:14} {' '.join(n.inputs):32} {n.output_shape}" for n in self.nodes]
        return "\n".join([*rows, f"{'':24} {self.head.word if self.head else '':14}"])


def build_graph(spec: Spec) -> Graph:
    """Return the graph of a spec whose shapes are known."""
    assert spec.input is not None and spec.output_shape is not None
    nodes: list[GraphNode] = []
    ends: dict[str, str] = {INPUT: INPUT}  # layer → the node that holds its output
    for node in spec.nodes:
        inputs = tuple(ends[name] for name in node.inputs)
        shapes, frozen = (node.input_shapes, node.output_shape), node.name in spec.frozen
        nodes.append(GraphNode(node.name, node.layer, inputs, *shapes, node.ties, frozen))
        ends[node.name] = node.name
        for activation in node.layer.activations():
            name = f"{node.name}/{activation.word}"
            nodes.append(GraphNode(name, activation, (node.name,), (node.output_shape,), node.output_shape))
            ends[node.name] = name
    head = nodes.pop().layer if spec.loss.head is not None else None
    return Graph(tuple(nodes), head, spec.input, spec.output_shape)


class Freezable(Placed, Protocol):
    """A placed layer that may be frozen, and may take arrays from other nodes."""

    @property
    def ties(self) -> Mapping[str, Tie]:
        """The arrays that it takes from other nodes."""

    @property
    def frozen(self) -> bool:
        """Whether training leaves its own arrays as they are."""


def array_of(node: Freezable, name: str) -> str:
    """Return the full name of an array of a node: its own, or that of the node that it takes it from."""
    return node.ties[name].array if name in node.ties else f"{node.name}/{name}"


def frozen_arrays(nodes: Iterable[Freezable]) -> frozenset[str]:
    """Return the arrays of frozen nodes by their full names, without those that they take from other nodes."""
    frozen = [node for node in nodes if node.frozen]
    return frozenset(
        f"{node.name}/{name}"
        for node in frozen
        for name in node.layer.parameters(node.input_shapes[0])
        if name not in node.ties
    )


def symbols_of(nodes: Sequence[Placed]) -> int | None:
    """Return how many symbols a sample may be made of, the fewest that a layer knows; None where it has numbers."""
    known = (node.layer.vocabulary(node.input_shapes[0]) for node in nodes)
    return min((count for count in known if count is not None), default=None) if reads_symbols(nodes) else None


def reads_symbols(nodes: Iterable[Placed]) -> bool:
    """Return whether samples are symbols, padded with −1: a layer that reads the samples themselves declares it."""
    return any(INPUT in node.inputs and node.layer.vocabulary(node.input_shapes[0]) is not None for node in nodes)


def draws_of(nodes: Iterable[Placed]) -> dict[str, Shape]:
    """Return the shape of the random numbers that each layer needs for a sample while training, in their order."""
    drawn = ((node.name, node.layer.draws(node.input_shapes[0])) for node in nodes)
    return {name: shape for name, shape in drawn if shape is not None}
