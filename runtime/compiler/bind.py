"""Plan → a program over arrays: the text compiled, its buffers made. Who computes its lanes is an executor's part."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import cache, partial
from types import FunctionType
from typing import Any, NamedTuple, NoReturn, Protocol

import numpy as np

from nnspec.runtime.arrays import Array, empty
from nnspec.runtime.compiler.assemble import Plan
from nnspec.runtime.compiler.graph import draws_of, reads_symbols
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.compiler.signature import PROGRAM_NAMES, LaneArguments
from nnspec.runtime.layers import Mode
from nnspec.runtime.symbol_steps import padding_of

Step = Callable[..., Any]

ALL = slice(None)
"""Every sample of a batch, or every number of an arena."""

Allocate = Callable[[Any, Any], Array]
"""Makes an array of zeros of a shape and a type, as `np.zeros` does."""


class LaneRunner(Protocol):
    """What a program needs of an executor."""

    at_once: int
    """How many lanes this process computes at the same time."""

    def run(self, program: "BoundProgram") -> list[Any]:
        """Compute one step of every lane; return their results in order."""


class BoundProgram:
    """A plan over arrays: fill `samples` (and `targets`), call, and read the answer. One thread at a time may do so.

    `samples` is (batch, *input shape) in the type the data come in, `targets` (batch, …). A training program writes the
    batch's gradients into `gradients` and returns the loss; another one returns outputs that the next call overwrites,
    and `answers` takes samples from where they are.
    `weights` (batch,) are those of the samples in the loss, None unless the plan is weighted.
    `states` are what its layers carry from one call to the next, (batch, numbers) by layer; each call moves them on.
    `lane` begins a step of one; where lanes have `barriers` that is a generator. `executor` calls it. `allocate` makes
    what the lanes of a training program have in common. A lane has buffers only in a process that computes it; lanes of
    one size that a process computes in turn, without barriers, have the same ones.
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
        self.one_thread_anyway = schedule.one_thread_anyway()
        self.quiet = copy_context()  # where numbers may overflow without a warning
        self.quiet.run(np.seterr, all="ignore")
        batch = schedule.batch * schedule.block
        self._given: Array | None = None  # the samples of this call, where nothing is trained
        self.samples = allocate((batch, *schedule.input_shape), sample_type)
        self.targets = allocate((batch, *target[0]), target[1]) if target is not None else np.zeros(0)
        self.weights = allocate(batch, plan.dtype) if schedule.weighted else None
        self._random = random
        symbolic = reads_symbols(schedule.nodes)
        self._padding = allocate(batch, np.intp) if symbolic else None
        self._draws = _draws(plan, allocate)
        self.steps: list[Step] = []
        self._memory: dict[int, LaneMemory] = {}  # by size of lane
        self._rates = (allocate(schedule.block, np.float64), allocate(1, np.intp)) if schedule.block > 1 else None
        self.barriers = max(lane.barriers for lane in plan.lanes.values())
        commons = [lane.common.items() for lane in plan.lanes.values()]
        together = {name: allocate(shape, plan.dtype) for common in commons for name, shape in common}
        self._gradients = [gradients] if gradients is not None else []
        self._split = schedule.split
        mode = Mode(schedule.training, strided=padding_after_strides(schedule.nodes) if symbolic else {})
        made: list[_Lane] = []
        start = 0
        for i, size in enumerate(schedule.lanes):
            if i and gradients is not None and schedule.block == 1:
                self._gradients.append(allocate(gradients.shape, gradients.dtype))
            part = slice(start, start + size) if schedule.block == 1 else ALL
            seen = part if not schedule.splits_samples else ALL
            arguments = LaneArguments(
                parameters=parameters,
                gradients=self._gradients[i if schedule.block == 1 else 0] if gradients is not None else None,
                summed=gradients,
                buffers=buffers,
                samples=self.samples[seen],
                targets=self.targets[part],
                every_target=self.targets,
                weights=self.weights[part] if self.weights is not None else None,
                draws={name: drawn[part] for name, drawn in self._draws.items()},
                mode=self._mode_of(mode, part, states or {}),
                shift=normalization[0] if normalization is not None else None,
                scale=normalization[1] if normalization is not None else None,
                together=together,
                number=i,
            )
            made.append(_Lane(part, partial(self._made, arguments, size)))
            start += size
        self._set_steps(made)

    def _set_steps(self, lanes: "list[_Lane]") -> None:
        """Set a step for each lane, or for the lanes that a thread of this process computes one by one."""
        self._parts: list[slice] = []  # the samples of each step
        in_turn = not self._gradients and not self.barriers
        groups = min(self.executor.at_once if in_turn else len(lanes), len(lanes))
        for i in range(groups):
            group = lanes[len(lanes) * i // groups : len(lanes) * (i + 1) // groups]
            make = partial(_one_by_one, group) if len(group) > 1 else partial(group[0].make, {})
            self._parts.append(slice(group[0].part.start, group[-1].part.stop))
            self.steps.append(make() if len(lanes) == 1 else self._made_at_first_call(i, make))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a bound program cannot be copied or pickled: its text holds its arrays; copy the network")

    def _mode_of(self, mode: Mode, part: slice, states: Mapping[str, Array]) -> Mode:
        """Return the mode for some samples of the batch."""
        padding = self._padding[part] if self._padding is not None else None
        draws = {name: drawn[part] for name, drawn in self._draws.items()}
        return replace(mode, padding=padding, states={name: state[part] for name, state in states.items()}, draws=draws)

    def _made(self, arguments: LaneArguments, size: int, memory: dict[int, "LaneMemory"]) -> Step:
        """Make a lane's buffers, those of its size where others have made them, and return its step."""
        lane = _compiled(self.plan.lanes[size].text)
        one_by_one = self.executor.at_once == 1
        if self._gradients:
            memory = self._memory
        if len(self.plan.schedule.lanes) > 1 and not self.barriers and (one_by_one or not self._gradients):
            lane = memory.setdefault(size, LaneMemory()).of(lane)
        return arguments.bind(lane)

    def _made_at_first_call(self, number: int, make: Callable[[], Step]) -> Step:
        """Return the step of a lane that makes its buffers at its first call: in the process that works with them."""

        def first(*given: Any) -> Any:
            self.steps[number] = make()
            return self.steps[number](*given)

        return first

    def lane(self, number: int) -> Any:
        """Compute one step of a lane and return its result, or the generator of the step if there are barriers."""
        if self._given is not None:
            return self.steps[number](self._given[self._parts[number]])
        if self._rates is None:
            return self.steps[number]()
        rates, count = self._rates
        return self.steps[number](rates[: count[0]].tolist())

    def block(self, rates: Sequence[float]) -> list[float]:
        """Make steps of plain SGD on the first samples, one each, at these rates; return their losses. See
        rewrites.blocks."""
        if len(self.steps) > 1 and self._rates is not None:  # the workers read them
            given, count = self._rates
            given[: len(rates)], count[0] = rates, len(rates)
            losses: list[float] = self.executor.run(self)[0]
        else:
            losses = self.steps[0](rates)
        return losses

    def __call__(self, summed: bool = True) -> Any:
        """Make one step over the samples in `samples`. Unless it is `summed`, `sum_up` is to add up the gradients of
        the lanes."""
        if not self.plan.schedule.training:
            return self.answers(self.samples)
        if self._padding is not None:
            self._padding[...] = padding_of(self.samples)
        if self._random is not None:
            for drawn in self._draws.values():
                self._random.random(out=drawn, dtype=np.float32)
        if len(self.steps) == 1:
            return self.steps[0]()
        results = self.executor.run(self)
        if summed:
            self.sum_up(ALL)
        return sum(results)

    def answers(self, samples: Array) -> Array:
        """Return the outputs for samples of the shape and type of `samples`; the next call may overwrite them.

        The program must not be one that trains.
        """
        if self._padding is not None:
            self._padding[...] = padding_of(samples)
        if len(self.steps) == 1:
            alone: Array = self.steps[0](samples)
            return alone
        self._given = samples
        try:
            return np.concatenate(self.executor.run(self))
        finally:
            self._given = None

    def sum_up(self, part: slice) -> None:
        """Add the gradients of all lanes up, in their order, in a part of the arena."""
        total, *others = self._gradients
        for own in self._in_lanes(part):
            for other in others:
                np.add(total[own], other[own], out=total[own])

    def _in_lanes(self, part: slice) -> list[slice]:
        """Return what each lane has a gradient of, in a part of the arena."""
        split = self._split
        if not split:
            return [part]
        start, stop, _ = part.indices(self._gradients[0].size)
        starts, stops = [start, *(own.stop for own in split)], [*(own.start for own in split), stop]
        parts = [slice(max(start, a), min(stop, b)) for a, b in zip(starts, stops, strict=True)]
        return [part for part in parts if part.start < part.stop]


class _Lane(NamedTuple):
    """The samples of a lane, and the function from memory by size of lane to its step."""

    part: slice
    make: "Callable[[dict[int, LaneMemory]], Step]"


class LaneMemory:
    """The buffers of a lane, for every lane of its size: a step writes what it reads, so one may follow another.

    A lane's program makes the same arrays in the same order whichever lane it is.
    """

    def __init__(self) -> None:
        self._arrays: list[Array] = []
        self._next = 0

    def of(self, lane: Callable[..., Step]) -> Callable[..., Step]:
        """Return a `lane` function that makes its arrays here."""
        space = {**lane.__globals__, "empty": self._empty, "full": self._full}
        self._next = 0
        return FunctionType(lane.__code__, space, "lane")

    def _empty(self, shape: Any, dtype: Any) -> Array:
        if self._next == len(self._arrays):
            self._arrays.append(empty(shape, dtype))
        array = self._arrays[self._next]
        self._next += 1
        return array

    def _full(self, shape: Any, value: float, dtype: Any) -> Array:
        array = self._empty(shape, dtype)
        array.fill(value)
        return array


def _one_by_one(lanes: Sequence[_Lane]) -> Step:
    """Return the step of lanes that a thread computes one after the other in the same buffers: their answers."""
    memory: dict[int, LaneMemory] = {}
    first = lanes[0].part.start
    steps = [(lane.make(memory), slice(lane.part.start - first, lane.part.stop - first)) for lane in lanes]
    return lambda samples: np.concatenate([step(samples[part]).copy(order="K") for step, part in steps])


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
