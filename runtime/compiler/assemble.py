"""ExecutionSchedule → plan: the program of each size of lane, nothing allocated yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import KernelContext
from nnspec.runtime.compiler.kernels.losses import LOSS
from nnspec.runtime.compiler.kernels.plain import write_plain
from nnspec.runtime.compiler.network_writer import NetworkWriter, WritePlain, write_layer
from nnspec.runtime.compiler.program.lane_program import LaneProgram
from nnspec.runtime.compiler.program.layout import as_samples
from nnspec.runtime.compiler.program.operands import Operand, Ref, expression
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.samples import write_input
from nnspec.runtime.compiler.schedule import ExecutionSchedule, ScheduledNode
from nnspec.spec_lang.check.spec import INPUT


@dataclass(frozen=True)
class Plan:
    """The programs of a schedule, by the size of the lane. `normalized` says whether they shift and scale samples."""

    schedule: ExecutionSchedule
    dtype: str
    normalized: bool
    lanes: Mapping[int, LaneProgram]

    @property
    def bytes(self) -> int:
        """The memory of all lanes' buffers, without parameters, gradients and slots."""
        return sum(self.lanes[size].bytes for size in self.schedule.lanes)


def assemble(schedule: ExecutionSchedule, dtype: str, normalized: bool, plain: WritePlain = write_plain) -> Plan:
    """Return the plan of a schedule.

    `normalized` says whether samples are shifted and scaled first, `plain` writes the layers that no kernel writes.
    """
    if schedule.block > 1:
        from nnspec.runtime.compiler.block import write_block

        return Plan(schedule, dtype, normalized, {1: write_block(schedule, dtype, normalized)})
    lanes = {size: _lane(schedule, size, dtype, normalized, plain) for size in set(schedule.lanes)}
    return Plan(schedule, dtype, normalized, lanes)


def _lane(schedule: ExecutionSchedule, samples: int, dtype: str, normalized: bool, plain: WritePlain) -> LaneProgram:
    w = ProgramWriter(samples, schedule.lanes, dtype, schedule.training)
    network = NetworkWriter(schedule, w, plain)
    x = write_input(schedule, w, normalized)
    end = network.forward(schedule.nodes, {INPUT: x}, {INPUT: schedule.training and schedule.first_gradient})
    result: Operand = LOSS
    if schedule.training:
        network.backward(end)
    else:
        result = _outputs(schedule, w, end, plain)
    parameters = () if schedule.training else (expression("samples=samples"),)
    return LaneProgram.of(w, f"{samples} of {schedule.batch} samples", result, network.forms, parameters)


def _outputs(schedule: ExecutionSchedule, w: ProgramWriter, end: Ref, plain: WritePlain) -> Ref:
    """Apply the head; return the answers, (samples, *shape)."""
    shape = schedule.output_shape
    if schedule.head is not None:
        w.comment(schedule.head.word)
        node = ScheduledNode("outputs", schedule.head, (), (shape,), shape)
        (end, _), _ = write_layer(KernelContext(schedule, node, w, [end], [False]), plain)
    return w.view("answers", as_samples(end, shape))
