"""Kernels: how each layer is written into a program, one family a file.

A kernel emits the instructions of its forward pass and returns a function that emits those of its backward pass. It
reads its own inputs and knows nothing of the layers around it. A layer without a kernel, or one whose kernel declines
(returns None), runs its plain form, which `kernels.plain` writes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from nnspec.runtime.compiler.program.operands import ANY_LENGTH, Operand, Ref, View
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.runtime.registry import Registry

WriteBackward = Callable[[Ref], Sequence[Ref | None]]
"""The gradient of the output → the gradients of the inputs, None where none is needed."""

Written = tuple[Ref, WriteBackward]
"""The output of a layer, and what writes its backward pass."""

PARAMETERS, GRADIENTS, SUMMED, BUFFERS = (
    Ref(name, (ANY_LENGTH,)) for name in ("parameters", "gradients", "summed", "buffers")
)
"""The arenas that a lane is given."""


@dataclass(frozen=True)
class KernelContext:
    """What a kernel knows: its node, its inputs, and which of them need a gradient."""

    schedule: ExecutionSchedule
    node: ScheduledNode
    writer: ProgramWriter
    inputs: Sequence[Ref]
    needs_gradient: Sequence[bool]
    shares: Mapping[str, Ref] = field(default_factory=dict)  # what this node adds to gradients of other nodes' arrays
    learns: bool = True  # whether the gradient of any of its arrays is used: not of a frozen layer's

    @property
    def x(self) -> Ref:
        """The one input of most layers."""
        return self.inputs[0]

    @property
    def training(self) -> bool:
        """Whether a backward pass follows."""
        return self.writer.training

    def output(self) -> Ref:
        """Return a new array for the node's output."""
        return self.writer.planes(self.node.name, self.node.output_shape)

    def elementwise(self) -> Ref:
        """Return where an operation on each number may write: over its input where that is allowed, or a new array."""
        if self.x.overwritable:
            return self.x
        return (
            self.writer.rows(self.node.name, self.x.shape[0])
            if len(self.x.shape) == 2
            else self.writer.buffer(self.node.name, self.x.shape)
        )

    def gradient(self, d_y: Ref) -> Ref:
        """Return where a gradient may be written: over d_y where that is allowed, or a new array."""
        if d_y.overwritable and d_y.contiguous:
            return d_y
        return self.writer.buffer(f"d_{self.node.name}", d_y.shape)

    def parameter(self, name: str) -> tuple[View, Operand]:
        """Return a parameter and its gradient, as parts of their arenas in the parameter's shape.

        Of an array that is another node's the gradient is this node's share, in an array of its own.
        """
        tie = self.node.ties.get(name)
        place = self.schedule.parameters[tie.array if tie is not None else f"{self.node.name}/{name}"]
        value = _part(PARAMETERS, *place)
        if tie is None:
            return value, _part(GRADIENTS, *place)
        turned = value.T if tie.transposed else value
        return turned, self.shares.get(name, _part(GRADIENTS, *place))

    def kept(self, name: str) -> View:
        """Return an array that training keeps but no gradient changes, as a part of its arena."""
        return _part(BUFFERS, *self.schedule.buffers[f"{self.node.name}/{name}"])

    def matrix(self, inputs: int, outputs: int, fold: bool) -> "Matrix":
        """Return the weight as a matrix (inputs, outputs), with the bias as one more row where that is folded."""
        w, name = self.writer, self.node.name
        bias = "bias" in self.node.layer.parameters(self.node.input_shapes[0])
        if self.node.ties:
            return self._tied_matrix(inputs, outputs, bias)
        start, _ = self.schedule.parameters[f"{name}/weight"]
        folded = fold and bias
        shape = (inputs + folded, outputs)
        weight = w.view(name, _part(PARAMETERS, start, shape))
        d_weight = w.view(f"d_{name}", _part(GRADIENTS, start, shape)) if self.training else None
        top = w.view(f"{name}_weight", weight[:inputs])
        shift, d_shift = self._column_bias() if bias and not folded else (None, None)
        return Matrix(weight, top, folded, shift, {"weight": d_weight, "bias": d_shift})

    def _tied_matrix(self, inputs: int, outputs: int, bias: bool) -> "Matrix":
        """Return a weight that is another node's as a matrix; its bias is not in the next row."""
        w, name = self.writer, self.node.name
        value, gradient = self.parameter("weight")
        weight = w.view(name, value.reshape(inputs, outputs))
        d_weight = w.view(f"d_{name}", gradient.reshape(inputs, outputs)) if self.training else None
        shift, d_shift = self._column_bias() if bias else (None, None)
        return Matrix(weight, weight, False, shift, {"weight": d_weight, "bias": d_shift})

    def _column_bias(self) -> tuple[Ref, Ref | None]:
        """Return the bias as a column (outputs, 1), and its gradient (outputs,)."""
        w, name = self.writer, self.node.name
        value, gradient = self.parameter("bias")
        shift = w.view(f"{name}_bias", value[:, None])
        return shift, w.view(f"d_{name}_bias", gradient) if self.training else None


@dataclass(frozen=True)
class Matrix:
    """A layer's weight (inputs, outputs) with its folded bias, the weight alone, and a bias that is not folded."""

    weight: Ref
    top: Ref
    folded: bool
    bias: Ref | None
    gradients: Mapping[str, Ref | None]

    @property
    def d_weight(self) -> Ref:
        """The gradient of the weight with its folded bias; only training has one."""
        return self._gradient("weight")

    @property
    def d_bias(self) -> Ref:
        """The gradient of a bias that is not folded."""
        return self._gradient("bias")

    def _gradient(self, name: str) -> Ref:
        gradient = self.gradients[name]
        if gradient is None:
            raise ValueError(f"this program has no gradient of the {name}")
        return gradient


KERNELS: Registry[Callable[[Any, KernelContext], Written | None]] = Registry(__name__)
"""Every kernel, by its class of word."""

kernel = KERNELS.implements

MEETINGS: Registry[Callable[[ScheduledNode], bool]] = Registry(__name__)
"""Whether the kernel of a layer that mixes samples adds up what all lanes have seen, by its class of word."""

adds_up_lanes = MEETINGS.implements


def meets(node: ScheduledNode) -> bool:
    """Return whether the kernel of a node computes each lane as if it saw the whole batch."""
    if node.layer.mixes_samples is False or type(node.layer) not in MEETINGS:
        return False
    return MEETINGS[type(node.layer)](node)


def contiguous(context: KernelContext, ref: Ref) -> Ref:
    """Return an array without gaps in memory, which a matrix product needs: the same one, or a copy."""
    if ref.contiguous:
        return ref
    copy = context.writer.buffer(f"{ref}_contiguous", ref.shape)
    context.writer.copy(ref, out=copy)
    return copy


def gradient_part(schedule: ExecutionSchedule, array: str, arena: Ref = GRADIENTS) -> View:
    """Return the gradient of an array by its full name, as a part of the lane's arena or of that of all lanes."""
    return _part(arena, *schedule.parameters[array])


def _part(arena: Ref, start: int, shape: tuple[int, ...]) -> View:
    return arena[start : start + prod(shape)].reshape(*shape)
