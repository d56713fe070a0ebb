"""The schedule of a plan: the graph with the decisions that rewrites have made about it. A value; it can be printed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from nnspec.runtime.compiler.graph import Graph, GraphNode
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.shape import Shape

ONE_THREAD_ANYWAY = 500_000  # so many, OpenBLAS computes on one thread, whatever it may use: 2¹⁸ multiply-adds
ONE_VECTOR_ANYWAY = 900_000  # so many of a matrix and a vector: 460,800 multiply-adds, with some room for a bias
FEW_CLASSES = 64  # numbers that Python works off faster than NumPy has begun with them
STEP_WORTH_A_PARTNER = 4_000_000  # floating-point operations; to ask another process and wait costs 5 µs
STEP_WORTH_A_THREAD = 30_000_000  # floating-point operations: a millisecond; two lanes' hand-overs cost a third of it


@dataclass(frozen=True)
class ScheduledNode:
    """One operation to be planned.

    `phases` is k where a convolution's places are put in the order of the k×k pool after it, and where a pool finds
    them so. `again` says that a convolution's columns are gathered once more on the way back. `notes` say what
    rewrites did to it.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    phases: int = 1
    again: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, node: GraphNode) -> "ScheduledNode":
        """The node as the graph has it."""
        return cls(node.name, node.layer, node.inputs, node.input_shapes, node.output_shape)

    @property
    def channels_in_front(self) -> bool:
        """Whether the last axis of a sample, its channels, is the first one of a program's array: rows and images."""
        return len(self.input_shapes[0]) in (1, 3)

    def noted(self, note: str) -> "ScheduledNode":
        """The node with one more note."""
        return replace(self, notes=(*self.notes, note))

    def flops(self) -> int:
        """Operations of one sample's forward pass."""
        return self.layer.flops(self.input_shapes[0]) if len(self.inputs) == 1 else self.output_shape.size


@dataclass(frozen=True)
class ExecutionSchedule:
    """A program for batches of one size, in the making.

    `lanes` are the sizes of the shards a batch is cut into; each is computed by itself, and a thread may take it.
    `parameters` and `buffers` say where each array begins in its arena. `plain_sgd` says that a step is p − rate·g and
    nothing else, `block` how many such steps of one sample each are made at once. With `flat_samples` a sample comes in
    as one row, whatever its shape.
    """

    nodes: tuple[ScheduledNode, ...]
    head: Layer | None
    loss: Loss
    input_shape: Shape
    output_shape: Shape
    batch: int
    training: bool
    parameters: Mapping[str, tuple[int, tuple[int, ...]]]
    buffers: Mapping[str, tuple[int, tuple[int, ...]]]
    lanes: tuple[int, ...]
    blas_threads: int = 2
    fold_bias: bool = False
    flat_samples: bool = False
    first_gradient: bool = True
    plain_sgd: bool = False
    block: int = 1
    applied: tuple[str, ...] = field(default=())

    @classmethod
    def of(
        cls,
        graph: Graph,
        loss: Loss,
        batch: int,
        training: bool,
        parameters: Mapping[str, tuple[int, tuple[int, ...]]],
        buffers: Mapping[str, tuple[int, tuple[int, ...]]],
        plain_sgd: bool = False,
    ) -> "ExecutionSchedule":
        """The schedule that changes nothing yet."""
        nodes = tuple(ScheduledNode.of(node) for node in graph.nodes)
        return cls(
            nodes,
            graph.head,
            loss,
            graph.input_shape,
            graph.output_shape,
            batch,
            training,
            parameters,
            buffers,
            lanes=(batch,),
            plain_sgd=plain_sgd,
        )

    def headless(self) -> "ExecutionSchedule":
        """The schedule without its last activation: what a loss takes."""
        return replace(self, head=None)

    def readers(self, name: str) -> list[ScheduledNode]:
        """The nodes that read a node's output."""
        return [node for node in self.nodes if name in node.inputs]

    def with_nodes(self, changed: Mapping[str, ScheduledNode]) -> "ExecutionSchedule":
        """The schedule with some nodes replaced, by name."""
        return replace(self, nodes=tuple(changed.get(node.name, node) for node in self.nodes))

    def one_thread_anyway(self) -> bool:
        """Whether BLAS computes every product on one thread, whatever it may use."""
        if self.batch > 1 or self.training:
            return self.step_flops() <= ONE_THREAD_ANYWAY
        vectors = [node.layer.affine(node.input_shapes[0]) for node in self.nodes]
        most = [ONE_VECTOR_ANYWAY if vector else ONE_THREAD_ANYWAY for vector in vectors]
        return all(node.flops() <= limit for node, limit in zip(self.nodes, most, strict=True))

    def step_flops(self) -> int:
        """Operations of a step over the whole batch: twice the forward pass again for the backward one."""
        forward = sum(node.flops() for node in self.nodes)
        return self.batch * forward * (3 if self.training else 1)
