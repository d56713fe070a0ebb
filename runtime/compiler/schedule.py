"""The schedule of a plan: the graph with the decisions that rewrites have made about it. A value; it can be printed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

from nnspec.runtime.compiler.graph import Graph, GraphNode
from nnspec.spec_lang.check.spec import INPUT, Tie
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.losses import Loss
from nnspec.spec_lang.vocabulary.shape import Shape

ONE_THREAD_ANYWAY = 500_000  # operations of a product up to which OpenBLAS uses one thread: 2¹⁸ multiply-adds
ONE_VECTOR_ANYWAY = 900_000  # those of a matrix and a vector: 460,800 multiply-adds, with room for a bias
FEW_CLASSES = 64  # numbers that Python computes faster than one NumPy call takes
STEP_WORTH_A_PARTNER = 4_000_000  # floating-point operations; a message to another process and back costs 5 µs
STEP_WORTH_A_THREAD = 30_000_000  # floating-point operations: 1 ms; handing over two lanes costs a third of it


@dataclass(frozen=True)
class ScheduledNode:
    """One operation to be planned, with the values that rewrites have decided for its kernel.

    `phases` is k where a convolution writes its outputs in the order of the k×k pool after it, and for that pool,
    which reads them so. `tiles` says that a convolution is computed in tiles of four outputs, `slabs` that it gathers
    its windows along one axis only, `again` that it gathers them again in the backward pass. `split` says that each
    lane has some inputs of a layer, of all samples. `notes` describe what the rewrites did. `frozen` and `settled`
    are those of `GraphNode`. Kernels read these values and decide nothing about other nodes.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    ties: Mapping[str, Tie] = field(default_factory=dict, hash=False)
    phases: int = 1
    tiles: bool = False
    slabs: bool = False
    again: bool = False
    split: bool = False
    notes: tuple[str, ...] = ()
    frozen: bool = False
    settled: bool = False

    @classmethod
    def of(cls, node: GraphNode) -> "ScheduledNode":
        """Return the node as the graph has it."""
        shapes = node.input_shapes, node.output_shape
        return cls(node.name, node.layer, node.inputs, *shapes, node.ties, frozen=node.frozen, settled=node.settled)

    @property
    def channels_in_front(self) -> bool:
        """Whether the last axis of a sample, its channels, is the first one of a program's array: rows and images."""
        return len(self.input_shapes[0]) in (1, 3)

    def noted(self, note: str) -> "ScheduledNode":
        """Return the node with one more note."""
        return replace(self, notes=(*self.notes, note))

    def flops(self) -> int:
        """Return the operations of the forward pass of one sample."""
        return self.layer.flops(self.input_shapes[0]) if len(self.inputs) == 1 else self.output_shape.size


@dataclass(frozen=True)
class ExecutionSchedule:
    """The plan of a program for batches of one size, as a value.

    `lanes` are the sizes of the shards of a batch; each is computed independently, by a thread or a process. Those of a
    block share its samples, and each computes some units of the first layer; of a layer that is `split` each multiplies
    some inputs of all samples. `lanes_asked` is their number as the spec
    has it, None where a spec leaves it open: then there are at most two.
    `parameters` and `buffers` are the offsets and shapes of the arrays in their arenas. `plain_sgd` says that a step is
    p − rate·g and nothing else, `block` how many such steps of one sample each are made at once. `weighted` says that
    samples have weights in the loss. With `flat_samples` a
    sample is one row, whatever its shape.
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
    lanes_asked: int | None = None
    fold_bias: bool = False
    flat_samples: bool = False
    first_gradient: bool = True
    plain_sgd: bool = False
    weighted: bool = False
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
        weighted: bool = False,
        lanes: int | None = None,
    ) -> "ExecutionSchedule":
        """Return the schedule of a graph before any rewrite."""
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
            lanes_asked=lanes,
            plain_sgd=plain_sgd,
            weighted=weighted,
        )

    def headless(self) -> "ExecutionSchedule":
        """Return the schedule without its last activation: the input of a loss."""
        return replace(self, head=None)

    @property
    def splits_samples(self) -> bool:
        """Whether each lane is given some inputs of all samples, and not some samples."""
        return any(node.split and INPUT in node.inputs for node in self.nodes)

    @property
    def split(self) -> list[slice]:
        """The parts of the arena, in order, that hold weights split over the lanes: each writes its own rows of the
        gradient, so that there none are added up."""
        places = (self.parameters[f"{node.name}/weight"] for node in self.nodes if node.split)
        return [slice(start, start + prod(shape)) for start, shape in sorted(places)]

    def readers(self, name: str) -> list[ScheduledNode]:
        """Return the nodes that read the output of a node."""
        return [node for node in self.nodes if name in node.inputs]

    def with_nodes(self, changed: Mapping[str, ScheduledNode]) -> "ExecutionSchedule":
        """Return the schedule with some nodes replaced, by name."""
        return replace(self, nodes=tuple(changed.get(node.name, node) for node in self.nodes))

    def one_thread_anyway(self) -> bool:
        """Return whether BLAS computes every product on one thread, however many it may use."""
        if self.batch > 1 or self.training:
            return self.step_flops() <= ONE_THREAD_ANYWAY
        vectors = [node.layer.affine(node.input_shapes[0]) for node in self.nodes]
        most = [ONE_VECTOR_ANYWAY if vector else ONE_THREAD_ANYWAY for vector in vectors]
        return all(node.flops() <= limit for node, limit in zip(self.nodes, most, strict=True))

    def in_lanes(self, count: int) -> "ExecutionSchedule":
        """Return the schedule with its batch cut into this number of lanes, the first of them a sample longer where the
        batch is not a multiple; into fewer where there are fewer samples."""
        count = min(count, self.batch)
        if count < 2:
            return self
        size, longer = divmod(self.batch, count)
        return replace(self, lanes=(size + 1,) * longer + (size,) * (count - longer))

    def step_flops(self) -> int:
        """Return the operations of a step over the whole batch; a backward pass counts as two forward ones."""
        forward = sum(node.flops() for node in self.nodes)
        return self.batch * forward * (3 if self.training else 1)
