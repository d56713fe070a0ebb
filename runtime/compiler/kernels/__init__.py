"""Kernels: how each layer is written into a program, one family a file.

A kernel writes the lines of its forward pass and gives a function that writes those of its backward pass. It knows its
own inputs and nothing of its neighbours. A layer without a kernel, or one whose kernel declines (returns None), runs
its plain form: `kernels.plain` writes that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.runtime.compiler.writer import Ref, Writer, as_text
from nnspec.runtime.registry import Registry

Backward = Callable[[Ref], Sequence[Ref | None]]
"""The gradient of the output → the gradients of the inputs, None where nobody wants one."""

Written = tuple[Ref, Backward]


@dataclass(frozen=True)
class KernelContext:
    """Where a kernel writes: its node, its inputs, and whether the gradient of an input is wanted."""

    schedule: ExecutionSchedule
    node: ScheduledNode
    writer: Writer
    inputs: Sequence[Ref]
    wanted: Sequence[bool]

    @property
    def x(self) -> Ref:
        """The one input of most layers."""
        return self.inputs[0]

    @property
    def training(self) -> bool:
        """Whether a backward pass follows."""
        return self.writer.training

    def output(self) -> Ref:
        """A new array for the node's output."""
        return self.writer.planes(self.node.name, self.node.output_shape)

    def elementwise(self) -> Ref:
        """Where an operation on each number may write: over its input if nobody else needs that, else a new array."""
        if self.x.free:
            return self.x
        return (
            self.writer.rows(self.node.name, self.x.shape[0])
            if len(self.x.shape) == 2
            else self.writer.buffer(self.node.name, self.x.shape)
        )

    def gradient(self, d_y: Ref, shape: tuple[int, ...] | None = None) -> Ref:
        """Where a gradient may be written: over the one that came where that is allowed, else a new array."""
        if d_y.free and d_y.solid and shape in (None, d_y.shape):
            return d_y
        return self.writer.buffer(f"d_{self.node.name}", shape or d_y.shape)

    def parameter(self, name: str) -> tuple[str, str]:
        """The expressions of a parameter and of its gradient, as parts of their arenas in the parameter's shape."""
        start, shape = self.schedule.parameters[f"{self.node.name}/{name}"]
        end = start + _size(shape)
        return tuple(f"{arena}[{start}:{end}].reshape{as_text(shape)}" for arena in ("parameters", "gradients"))  # type: ignore[return-value]

    def kept(self, name: str) -> str:
        """The expression of an array that training keeps but no gradient changes, as a part of its arena."""
        start, shape = self.schedule.buffers[f"{self.node.name}/{name}"]
        return f"buffers[{start}:{start + _size(shape)}].reshape{as_text(shape)}"

    def matrix(self, inputs: int, outputs: int, fold: bool) -> "Matrix":
        """The weight as a matrix (inputs, outputs), with the bias as one more row where it is folded."""
        start, _ = self.schedule.parameters[f"{self.node.name}/weight"]
        bias = f"{self.node.name}/bias" in self.schedule.parameters
        folded = fold and bias
        rows = inputs + folded
        place = f"[{start}:{start + rows * outputs}].reshape({rows}, {outputs})"
        weight = self.writer.view(self.node.name, f"parameters{place}", (rows, outputs)).name
        d_weight = (
            self.writer.view(f"d_{self.node.name}", f"gradients{place}", (rows, outputs)).name if self.training else ""
        )
        top = self.writer.view(f"{self.node.name}_weight", f"{weight}[:{inputs}]", (inputs, outputs)).name
        shift = d_shift = None
        if bias and not folded:
            value, gradient = self.parameter("bias")
            shift = self.writer.view(f"{self.node.name}_bias", f"{value}[:, None]", (outputs, 1)).name
            d_shift = self.writer.view(f"d_{self.node.name}_bias", gradient, (outputs,)).name if self.training else None
        return Matrix(weight, d_weight, top, folded, shift, d_shift)


@dataclass(frozen=True)
class Matrix:
    """Names of a layer's weight with its folded bias, of their gradient, of the weight alone, and of a bias apart."""

    weight: str
    d_weight: str
    top: str
    folded: bool
    bias: str | None
    d_bias: str | None


KERNELS: Registry[Callable[[Any, KernelContext], Written | None]] = Registry(__name__)
"""Every kernel, by its class of word."""

kernel = KERNELS.implements


def unbroken(site: KernelContext, ref: Ref) -> Ref:
    """An array in memory without gaps: what a matrix product needs."""
    if ref.solid:
        return ref
    copy = site.writer.buffer(f"{ref.name}_solid", ref.shape)
    site.writer.do(f"np.copyto({copy.name}, {ref.name})")
    return copy


def _size(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count
