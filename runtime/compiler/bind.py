"""Plan → a program that runs: the text compiled, its buffers made, one thread a lane."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array, shared
from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.padding import behind_strides
from nnspec.runtime.compiler.schedule import STEP_WORTH_A_THREAD
from nnspec.runtime.compiler.signature import PROGRAM_NAMES, LaneArguments
from nnspec.runtime.execute.worker_process import Partner
from nnspec.runtime.layers import Mode
from nnspec.runtime.layers.embedding import padding_of

Step = Callable[..., Any]


class BoundProgram:
    """A plan over arrays: fill `samples` (and `targets`), call, and read the answer.

    `samples` is (batch, *input shape) in the type the data come in, `targets` (batch, …). A training program writes the
    batch's gradients into `gradients` and gives the loss; another one gives outputs that the next call overwrites.
    `states` are what its layers carry from one call to the next, (batch, numbers) by layer; each call moves them on.
    """

    def __init__(
        self,
        plan: Plan,
        parameters: Array,
        gradients: Array | None,
        buffers: Array,
        sample_type: np.dtype[Any],
        target: tuple[tuple[int, ...], np.dtype[Any]] | None,
        normalization: tuple[Array, Array] | None,
        random: np.random.Generator | None,
        states: Mapping[str, Array] | None = None,
    ):
        schedule = plan.schedule
        self.plan = plan
        self.blas_threads = None if schedule.one_thread_anyway() else schedule.blas_threads
        self.quiet = copy_context()  # where numbers may overflow without a warning
        self.quiet.run(np.seterr, all="ignore")
        batch = schedule.batch * schedule.block
        zeros = shared if schedule.training else np.zeros
        self.samples = zeros((batch, *schedule.input_shape), sample_type)
        self.targets = zeros((batch, *target[0]), target[1]) if target is not None else np.zeros(0)
        self._random = random
        symbolic = reads_symbols((node.layer, node.inputs) for node in schedule.nodes)
        self._padding = zeros(batch, np.intp) if symbolic else None
        self._draws = _draws(plan)
        self._steps: list[Step] = []
        self._meetings = max(lane.meetings for lane in plan.lanes.values())
        self._told = shared(1, np.float64)  # the loss of the lane that a partner computes
        self.partner: Partner | None = None
        self.work = 0  # its number there
        commons = [lane.common.items() for lane in plan.lanes.values()]
        together = {name: zeros(shape, plan.dtype) for common in commons for name, shape in common}
        self._gradients = [gradients] if gradients is not None else []
        mode = Mode(schedule.training, random, strided=behind_strides(schedule.nodes) if symbolic else {})
        start = 0
        for i, size in enumerate(schedule.lanes):
            if i and gradients is not None:
                self._gradients.append(shared(gradients.shape, gradients.dtype))
            part = slice(start, start + size * schedule.block)
            arguments = LaneArguments(
                parameters=parameters,
                gradients=self._gradients[i] if gradients is not None else None,
                buffers=buffers,
                samples=self.samples[part],
                targets=self.targets[part],
                draws={name: drawn[part] for name, drawn in self._draws.items()},
                mode=self._mode_of(mode, part, states or {}),
                shift=normalization[0] if normalization is not None else None,
                scale=normalization[1] if normalization is not None else None,
                together=together,
                number=i,
            )
            make = partial(arguments.bind, _compiled(plan.lanes[size].text))
            self._steps.append(make() if len(schedule.lanes) == 1 else self._made_at_last(i, make))
            start += size

    def _mode_of(self, mode: Mode, part: slice, states: Mapping[str, Array]) -> Mode:
        """The mode for some samples of the batch."""
        padding = self._padding[part] if self._padding is not None else None
        return replace(mode, padding=padding, states={name: state[part] for name, state in states.items()})

    def _made_at_last(self, number: int, make: Callable[[], Step]) -> Step:
        """The step of a lane that makes its buffers when it is first taken: in the process that works with them."""

        def first() -> Any:
            self._steps[number] = make()
            return self._steps[number]()

        return first

    def block(self, rates: Sequence[float]) -> list[float]:
        """Steps of plain SGD on the first samples, one each, at these rates; their losses. See rewrites.blocks."""
        losses: list[float] = self._steps[0](rates)
        return losses

    def __call__(self, summed: bool = True) -> Any:
        """One step over the samples that stand in `samples`. Unless it is `summed`, `sum_up` makes of the gradients of
        lanes that of the batch."""
        if self._padding is not None:
            self._padding[...] = padding_of(self.samples)
        if self._random is not None:
            for drawn in self._draws.values():
                self._random.random(out=drawn, dtype=np.float32)
        if len(self._steps) == 1:
            return self._steps[0]()
        results = self._results()
        if not self._gradients:
            return np.concatenate(results)
        if summed:
            self.sum_up(slice(None))
        return sum(results)

    def sum_up(self, part: slice) -> None:
        """Add the gradients of all lanes up, in their order, in a part of the arena."""
        for other in self._gradients[1:]:
            np.add(self._gradients[0][part], other[part], out=self._gradients[0][part])

    def share(self, partner: Partner) -> None:
        """The second lane, which a partner computes."""
        self._told[0] = self._walk(1, partner)

    def _results(self) -> list[Any]:
        """What each lane gives. From one meeting to the next lanes touch nothing in common."""
        if self.partner is not None:
            self.partner.begin(self.work)
            first = self._walk(0, self.partner)
            self.partner.end()
            return [first, float(self._told[0])]
        run = run_together if self.plan.schedule.step_flops() >= STEP_WORTH_A_THREAD else run_in_turn
        if not self._meetings:
            return run(self._steps)
        lanes = [step() for step in self._steps]
        for _ in range(self._meetings):
            run([lane.__next__ for lane in lanes])
        return run([lane.__next__ for lane in lanes])

    def _walk(self, number: int, partner: Partner) -> Any:
        """A lane in a process of its own, from one meeting to the next."""
        if not self._meetings:
            return self._steps[number]()
        lane = self._steps[number]()
        for _ in range(self._meetings):
            next(lane)
            partner.meet()
        return next(lane)


def run_together(steps: list[Step]) -> list[Any]:
    """The results of steps that touch nothing in common, one thread each, in their order."""
    waiting = [_workers().submit(step) for step in steps[1:]]
    first = steps[0]()
    return [first, *(future.result() for future in waiting)]


def run_in_turn(steps: list[Step]) -> list[Any]:
    """The same results without a second thread, where handing work over would cost more than it saves."""
    return [step() for step in steps]


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="nnspec-lane")


def _draws(plan: Plan) -> Mapping[str, Array]:
    """An array of uniform numbers for each dropout, (batch, *shape), in the order of the layers; ones keep all."""
    schedule = plan.schedule
    draws: dict[str, Array] = {}
    for node in schedule.nodes:
        if schedule.training and node.layer.word == "dropout" and getattr(node.layer, "probability", 0) > 0:
            draws[node.name] = shared((schedule.batch, *node.output_shape), np.float32)
            draws[node.name].fill(1)
    return draws


@cache
def _compiled(text: str) -> Callable[..., Step]:
    """The `lane` function of a program's text. The text is our own: names from a spec reach it as identifiers."""
    space: dict[str, Any] = dict(PROGRAM_NAMES)
    exec(compile(text, "<nnspec program>", "exec"), space)
    made: Callable[..., Step] = space["lane"]
    return made
