"""Plan → a program over arrays: the text compiled, its buffers made. Who computes its lanes is an executor's part."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import cache, partial
from typing import Any, NoReturn, Protocol

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.compiler.graph import draws_of, reads_symbols
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.compiler.signature import PROGRAM_NAMES, LaneArguments
from nnspec.runtime.layers import Mode
from nnspec.runtime.layers.embedding import padding_of

Step = Callable[..., Any]

Allocate = Callable[[Any, Any], Array]
"""Makes an array of zeros of a shape and a type, as `np.zeros` does."""


class LaneRunner(Protocol):
    """What a program needs of an executor."""

    def run(self, program: "BoundProgram") -> list[Any]:
        """Compute one step of every lane; return their results in order."""


class BoundProgram:
    """A plan over arrays: fill `samples` (and `targets`), call, and read the answer. One thread at a time may do so.

    `samples` is (batch, *input shape) in the type the data come in, `targets` (batch, …). A training program writes the
    batch's gradients into `gradients` and returns the loss; another one returns outputs that the next call overwrites.
    `weights` (batch,) are those of the samples in the loss, None unless the plan is weighted.
    `states` are what its layers carry from one call to the next, (batch, numbers) by layer; each call moves them on.
    `steps` are the functions of the lanes; where lanes have `barriers` they are generators. `executor` calls them.
    `allocate` makes what the lanes of a training program have in common.
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
        random: "np.random.Generator | None",
        states: Mapping[str, Array] | None = None,
        *,
        executor: LaneRunner,
        allocate: Allocate = np.zeros,
    ):
        schedule = plan.schedule
        self.plan = plan
        self.executor = executor
        self.blas_threads = None if schedule.one_thread_anyway() else schedule.blas_threads
        self.quiet = copy_context()  # where numbers may overflow without a warning
        self.quiet.run(np.seterr, all="ignore")
        batch = schedule.batch * schedule.block
        self.samples = allocate((batch, *schedule.input_shape), sample_type)
        self.targets = allocate((batch, *target[0]), target[1]) if target is not None else np.zeros(0)
        self.weights = allocate(batch, plan.dtype) if schedule.weighted else None
        self._random = random
        symbolic = reads_symbols(schedule.nodes)
        self._padding = allocate(batch, np.intp) if symbolic else None
        self._draws = _draws(plan, allocate)
        self.steps: list[Step] = []
        self.barriers = max(lane.barriers for lane in plan.lanes.values())
        commons = [lane.common.items() for lane in plan.lanes.values()]
        together = {name: allocate(shape, plan.dtype) for common in commons for name, shape in common}
        self._gradients = [gradients] if gradients is not None else []
        mode = Mode(schedule.training, strided=padding_after_strides(schedule.nodes) if symbolic else {})
        start = 0
        for i, size in enumerate(schedule.lanes):
            if i and gradients is not None:
                self._gradients.append(allocate(gradients.shape, gradients.dtype))
            part = slice(start, start + size * schedule.block)
            arguments = LaneArguments(
                parameters=parameters,
                gradients=self._gradients[i] if gradients is not None else None,
                buffers=buffers,
                samples=self.samples[part],
                targets=self.targets[part],
                weights=self.weights[part] if self.weights is not None else None,
                draws={name: drawn[part] for name, drawn in self._draws.items()},
                mode=self._mode_of(mode, part, states or {}),
                shift=normalization[0] if normalization is not None else None,
                scale=normalization[1] if normalization is not None else None,
                together=together,
                number=i,
            )
            make = partial(arguments.bind, _compiled(plan.lanes[size].text))
            self.steps.append(make() if len(schedule.lanes) == 1 else self._made_at_first_call(i, make))
            start += size

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound program cannot be copied or pickled: its text holds its arrays; copy the network")

    def _mode_of(self, mode: Mode, part: slice, states: Mapping[str, Array]) -> Mode:
        """Return the mode for some samples of the batch."""
        padding = self._padding[part] if self._padding is not None else None
        draws = {name: drawn[part] for name, drawn in self._draws.items()}
        return replace(mode, padding=padding, states={name: state[part] for name, state in states.items()}, draws=draws)

    def _made_at_first_call(self, number: int, make: Callable[[], Step]) -> Step:
        """Return the step of a lane that makes its buffers at its first call: in the process that works with them."""

        def first() -> Any:
            self.steps[number] = make()
            return self.steps[number]()

        return first

    def block(self, rates: Sequence[float]) -> list[float]:
        """Make steps of plain SGD on the first samples, one each, at these rates; return their losses. See
        rewrites.blocks."""
        losses: list[float] = self.steps[0](rates)
        return losses

    def __call__(self, summed: bool = True) -> Any:
        """Make one step over the samples in `samples`. Unless it is `summed`, `sum_up` is to add up the gradients of
        the lanes."""
        if self._padding is not None:
            self._padding[...] = padding_of(self.samples)
        if self._random is not None:
            for drawn in self._draws.values():
                self._random.random(out=drawn, dtype=np.float32)
        if len(self.steps) == 1:
            return self.steps[0]()
        results = self.executor.run(self)
        if not self._gradients:
            return np.concatenate(results)
        if summed:
            self.sum_up(slice(None))
        return sum(results)

    def sum_up(self, part: slice) -> None:
        """Add the gradients of all lanes up, in their order, in a part of the arena."""
        for other in self._gradients[1:]:
            np.add(self._gradients[0][part], other[part], out=self._gradients[0][part])


def _draws(plan: Plan, allocate: Allocate) -> Mapping[str, Array]:
    """Return an array of uniform numbers for each layer that draws, (batch, *shape), ones at first, in their order."""
    schedule = plan.schedule
    draws = draws_of(schedule.nodes) if schedule.training else {}
    arrays = {name: allocate((schedule.batch, *shape), np.float32) for name, shape in draws.items()}
    for array in arrays.values():
        array.fill(1)
    return arrays


@cache
def _compiled(text: str) -> Callable[..., Step]:
    """Return the `lane` function of a program's text. The text is our own: a spec's names reach it as identifiers."""
    space: dict[str, Any] = dict(PROGRAM_NAMES)
    exec(compile(text, "<nnspec program>", "exec"), space)
    made: Callable[..., Step] = space["lane"]
    return made
