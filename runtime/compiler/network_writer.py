"""Writes the layers of a network into a program: forward in their order, backward in the opposite one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nnspec.runtime.compiler.graph import array_of, frozen_arrays
from nnspec.runtime.compiler.kernels import KERNELS, KernelContext, WriteBackward, Written, gradient_part
from nnspec.runtime.compiler.kernels.losses import write_loss
from nnspec.runtime.compiler.kernels.plain import write_plain
from nnspec.runtime.compiler.program.lane_program import Form
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.spec_lang.check.spec import INPUT, Tie

WritePlain = Callable[[KernelContext], Written]
"""Writes a layer that no kernel writes."""


def write_layer(context: KernelContext, plain: WritePlain = write_plain) -> tuple[Written, str]:
    """Write a layer by its kernel, or by its plain form; return which, "planned" or "plain"."""
    layer = context.node.layer
    written = KERNELS[type(layer)](layer, context) if type(layer) in KERNELS else None
    return (written, "planned") if written is not None else (plain(context), "plain")


class NetworkWriter:
    """The forward pass of some nodes, and then their backward pass. `forms` says how each is computed."""

    def __init__(self, schedule: ExecutionSchedule, writer: ProgramWriter, plain: WritePlain = write_plain):
        self.schedule = schedule
        self.writer = writer
        self._plain = plain
        self.forms: dict[str, Form] = {}
        self._frozen = frozen_arrays(schedule.nodes)
        self._needs_gradient: dict[str, bool] = {}
        self._backwards: list[tuple[ScheduledNode, WriteBackward]] = []
        self._lent: dict[str, list[tuple[Tie, Ref]]] = {}  # by the array, what other nodes add to its gradient

    def forward(self, nodes: Sequence[ScheduledNode], values: dict[str, Ref], needs_gradient: dict[str, bool]) -> Ref:
        """Write these nodes from the values that they start with; return the last output.

        `needs_gradient` says which of those values need one.
        """
        w, end = self.writer, next(iter(values.values()))
        self._needs_gradient = dict(needs_gradient)
        for node in nodes:
            inputs = [self._shared(name, values[name]) for name in node.inputs]
            needs = [self._needs_gradient[name] for name in node.inputs]
            arrays = (array_of(node, name) for name in node.layer.parameters(node.input_shapes[0]))
            learns = any(array not in self._frozen for array in arrays)
            self._needs_gradient[node.name] = w.training and (any(needs) or learns)
            w.comment(f"{node.name}: {node.layer.word} -> {node.output_shape}")
            before = w.bytes
            shares = self._shares(node) if w.training else {}
            context = KernelContext(self.schedule, node, w, inputs, needs, shares, learns)
            (end, backward), kind = write_layer(context, self._plain)
            self.forms[node.name] = Form(kind, end.shape, w.bytes - before)
            values[node.name] = end
            self._backwards.append((node, backward))
        return end

    def backward(self, end: Ref) -> dict[str, Ref]:
        """Write the loss and the backward pass; return the gradients of the forward pass's values."""
        w = self.writer
        w.comment("the loss")
        d_end = write_loss(self.schedule, w, end)
        waiting = {self._backwards[-1][0].name if self._backwards else INPUT: d_end}
        for node, backward in reversed(self._backwards):
            d_y = waiting.pop(node.name, None)
            if d_y is None or not self._needs_gradient[node.name]:
                continue
            before = w.bytes
            w.comment(f"back through {node.name}")
            for name, d_x in zip(node.inputs, backward(d_y), strict=True):
                if d_x is not None:
                    waiting[name] = self._added(name, waiting[name], d_x) if name in waiting else d_x
            self._add_shares(node)
            form = self.forms[node.name]
            self.forms[node.name] = replace(form, bytes=form.bytes + w.bytes - before)
        return waiting

    def _shares(self, node: ScheduledNode) -> dict[str, Ref]:
        """Return an array for the gradient of each array that a node takes from another one."""
        shapes, shares = node.layer.parameters(node.input_shapes[0]), {}
        for name, tie in node.ties.items():
            shares[name] = self.writer.buffer(f"d_{node.name}_{name}_share", shapes[name].shape)
            self._lent.setdefault(tie.array, []).append((tie, shares[name]))
        return shares

    def _add_shares(self, node: ScheduledNode) -> None:
        """Add what later nodes have found to the gradients of a node's arrays, once these are written."""
        for name in node.layer.parameters(node.input_shapes[0]):
            array = f"{node.name}/{name}"
            own = name not in node.ties and array not in self._frozen
            for tie, share in self._lent.get(array, ()) if own else ():
                gradient = gradient_part(self.schedule, array)
                self.writer.add(gradient, share.T if tie.transposed else share, out=gradient)

    def _added(self, name: str, first: Ref, second: Ref) -> Ref:
        """Return the sum of two gradients of one value."""
        total = self.writer.buffer(f"d_{name}_sum", second.shape)
        self.writer.add(first, second, out=total)
        return total

    def _shared(self, name: str, ref: Ref) -> Ref:
        """Return a value as its readers get it: several readers may not overwrite it."""
        return ref.kept() if len(self.schedule.readers(name)) > 1 else ref
