"""The bound programs of a network, made on first use: one for each size of batch and type of samples."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from nnspec.runtime.arena import Arena, offsets
from nnspec.runtime.arrays import Array, pages
from nnspec.runtime.compiler.assemble import Plan, assemble
from nnspec.runtime.compiler.bind import Allocate, BoundProgram
from nnspec.runtime.compiler.graph import Graph, build_graph, symbols_of
from nnspec.runtime.compiler.rewrites import lanes_that_pay, rewritten
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.data.array_likes import parts
from nnspec.runtime.errors import DataError
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.execute.processors import executor_for, processor_count
from nnspec.runtime.symbol_steps import first_unknown
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.vocabulary.losses import Loss

Purpose = Literal["train", "logits", "outputs"]
"""What a program computes: a training step, the logits (for a loss), or the outputs."""

LARGEST = 256
"""Samples in the largest batch of inference."""

MOST_IDLE = 8
"""The most programs of a network that are kept for the next call, the last used ones, unless another number is set."""

Key = tuple[Purpose, int, np.dtype[Any]]
"""Purpose, size of batch and type of the samples of a program for inference."""


def plan_for(
    graph: Graph,
    loss: Loss,
    parameters: Arena,
    buffers: Arena,
    batch: int,
    purpose: Purpose,
    normalized: bool,
    plain_sgd: bool = False,
    without: frozenset[str] = frozenset(),
    weighted: bool = False,
    lanes: int | None = None,
) -> Plan:
    """Return the plan of a network for one size of batch. `without` names rewrites to leave out."""
    schedule = ExecutionSchedule.of(
        graph, loss, batch, purpose == "train", parameters.offsets, buffers.offsets, plain_sgd, weighted, lanes
    )
    if purpose == "logits":
        schedule = schedule.headless()
    return assemble(rewritten(schedule, without), parameters.flat.dtype.name, normalized)


def plan_of_spec(spec: Spec, without: frozenset[str] = frozenset()) -> Plan:
    """Return the plan of a training step of a spec on whole batches of its data, without allocating arrays."""
    normalized = spec.data is not None and spec.data.normalize != "none"
    return assemble(_schedule_of_spec(spec, without), "float32", normalized)


def _schedule_of_spec(spec: Spec, without: frozenset[str] = frozenset()) -> ExecutionSchedule:
    """Return the schedule of a training step of a spec on whole batches."""
    schedule = ExecutionSchedule.of(
        build_graph(spec),
        spec.loss,
        spec.train.batch,
        True,
        offsets(spec.parameters()),
        offsets(spec.buffers()),
        steps_are_plain_sgd(spec),
        spec.weights is not None,
        lanes_asked(spec),
    )
    return rewritten(schedule, without)


def lanes_asked(spec: Spec) -> int | None:
    """Return the lanes that a spec says, None where it leaves them open."""
    return spec.train.lanes if isinstance(spec.train.lanes, int) else None


def with_lanes(spec: Spec, of_old: bool = False) -> Spec:
    """Return a spec with the number of its lanes: the one it says, or else what pays on this machine.

    `of_old` has it take that of runs before specs said one instead.
    """
    if lanes_asked(spec) is not None:
        return spec
    schedule = _schedule_of_spec(spec)
    count = len(schedule.lanes) if of_old else lanes_that_pay(schedule, processor_count())
    return replace(spec, train=spec.train.model_copy(update={"lanes": count}))


def steps_are_plain_sgd(spec: Spec) -> bool:
    """Return whether a step is just p − rate·g of one batch, for all weights: no decay, clipping or penalty."""
    every_layer = not spec.frozen and not spec.rates
    return spec.optimizer.plain and every_layer and spec.train.accumulate == 1 and not changes_gradients(spec)


def changes_gradients(spec: Spec) -> bool:
    """Return whether a gradient is clipped or a penalty added before the optimizer."""
    clipped = spec.train.clip_norm is not None or spec.train.clip_value is not None
    penalized = any(any(node.layer.penalty) for node in spec.nodes)
    return clipped or penalized


class Programs:
    """The programs on one network's arrays. `without` names rewrites to leave out, `lanes` is their number if chosen.

    Several threads may use them at the same time. Each uses a program alone, and makes one if none is idle. Copies and
    pickles start without programs. `most_idle` are the most programs that are kept for the next call.
    """

    def __init__(
        self,
        graph: Graph,
        loss: Loss,
        parameters: Arena,
        buffers: Arena,
        preprocessing: Preprocessing,
        without: frozenset[str] = frozenset(),
        lanes: int | None = None,
    ):
        self.graph = graph
        self.loss = loss
        self.parameters = parameters
        self.buffers = buffers
        self.preprocessing = preprocessing
        self.without = without
        self.lanes = lanes
        self._symbols = symbols_of(graph.nodes)
        self._shape = tuple(graph.input_shape)
        self.most_idle = MOST_IDLE
        self._idle: list[tuple[Key, BoundProgram]] = []  # the last used one at the end

    def __reduce__(self) -> tuple[Any, ...]:
        arrays = self.parameters, self.buffers
        return type(self), (self.graph, self.loss, *arrays, self.preprocessing, self.without, self.lanes)

    def plan(self, batch: int, purpose: Purpose, plain_sgd: bool = False, weighted: bool = False) -> Plan:
        """Return the plan for a size of batch. `plain_sgd`: a step is just p − rate·g. `weighted`: so is the loss."""
        normalized = self.preprocessing.normalize != "none"
        asked = batch, purpose, normalized, plain_sgd, self.without, weighted, self.lanes
        return plan_for(self.graph, self.loss, self.parameters, self.buffers, *asked)

    def training(
        self,
        batch: int,
        gradients: Arena,
        inputs: Array,
        targets: Array,
        random: "np.random.Generator",
        plain_sgd: bool = False,
        states: Mapping[str, Array] | None = None,
        allocate: Allocate = pages,
        weighted: bool = False,
    ) -> BoundProgram:
        """Return a training step for batches of this size, with samples and targets of the types of these arrays.

        `states` are what layers carry from batch to batch; `random` draws for dropout.
        """
        plan = self.plan(batch, "train", plain_sgd, weighted)
        target = (targets.shape[1:], targets.dtype)
        return self._bound(plan, gradients.flat, inputs.dtype, target, random, states, allocate)

    def as_samples(self, inputs: Any) -> Array:
        """Return raw samples in the shape of the programs, (samples, *input shape), as a view.

        Raises DataError if they do not fit, or are symbols that the network does not know.
        """
        samples = self.preprocessing.as_batch(inputs)
        if samples.shape[1:] != self._shape:
            samples = samples.reshape(len(samples), *self._shape)
        if self._symbols is not None:
            for start, part in parts(samples):
                place = first_unknown(part, self._symbols)
                if place is None:
                    continue
                raise DataError(
                    f"sample {start + place[0]} has {part[place]:g} at step {place[1]}, both counted from 0: symbols "
                    f"are whole numbers from 0 to {self._symbols - 1}, and -1 after the end of a shorter sequence"
                )
        return samples

    def run(self, purpose: Purpose, samples: Array) -> Iterator[Array]:
        """Yield the answers for raw samples, batch after batch. The next batch overwrites the array."""
        for start in range(0, len(samples), LARGEST):
            part = samples[start : start + LARGEST]
            key, program, given = self._loaded(purpose, part)
            try:
                yield settled(program, given)[: len(part)]
            finally:
                self._give_back(key, program)

    def answers(self, purpose: Purpose, samples: Array) -> Array:
        """Return the answers for raw samples, (samples, …), in an array of their own."""
        count = len(samples)
        if 0 < count <= LARGEST:  # without the generator, which would take as long as a short prediction
            key, program, given = self._loaded(purpose, samples[:LARGEST])
            try:
                alone: Array = settled(program, given)[:count].copy()
            finally:
                self._give_back(key, program)
            return alone
        found = np.empty((count, *self.graph.output_shape), self.parameters.flat.dtype)
        start = 0
        for part in self.run(purpose, samples):
            found[start : start + len(part)] = part
            start += len(part)
        return found

    def _loaded(self, purpose: Purpose, part: Array) -> tuple[Key, BoundProgram, Array]:
        """Return a program for these samples, at most `LARGEST`, its key, and the samples that it is called with."""
        count = len(part)
        size = 1 << (count - 1).bit_length()  # few sizes, so that few programs are made
        key = purpose, size, part.dtype
        program = self._take(key)
        if count == size:
            return key, program, part
        program.samples[:count] = part
        return key, program, program.samples

    def stream(self, purpose: Purpose, samples: Array) -> Iterator[Array]:
        """Yield the answers for raw samples that follow each other in time: layers carry their states."""
        program, _ = self.carrying(purpose, 1, samples.dtype)
        for sample in samples:
            yield settled(program, sample[None])

    def carrying(
        self, purpose: Purpose, batch: int, sample_type: np.dtype[Any]
    ) -> tuple[BoundProgram, dict[str, Array]]:
        """Return a program whose layers carry states from call to call, and these states by layer, zeros at first."""
        states = {
            node.name: np.zeros((batch, count), self.parameters.flat.dtype)
            for node in self.graph.nodes
            if (count := node.layer.carries(node.input_shapes[0]))
        }
        return self._bound(self.plan(batch, purpose), None, sample_type, None, None, states), states

    def _take(self, key: Key) -> BoundProgram:
        """Return a program that no other thread uses, an idle one if there is one.

        There is no lock, because a fork could copy it while it is held. The thread that removes a program from the list
        owns it.
        """
        for entry in reversed(self._idle.copy()):
            if entry[0] == key:
                try:
                    self._idle.remove(entry)
                except ValueError:  # another thread was faster
                    continue
                return entry[1]
        purpose, batch, sample_type = key
        return self._bound(self.plan(batch, purpose), None, sample_type, None, None)

    def _give_back(self, key: Key, program: BoundProgram) -> None:
        self._idle.append((key, program))
        del self._idle[: -self.most_idle]

    def _bound(
        self,
        plan: Plan,
        gradients: Array | None,
        sample_type: np.dtype[Any],
        target: tuple[tuple[int, ...], np.dtype[Any]] | None,
        random: "np.random.Generator | None",
        states: Mapping[str, Array] | None = None,
        allocate: Allocate = np.zeros,
    ) -> BoundProgram:
        normalization = (
            self.preprocessing.constants(sample_type, self.parameters.flat.dtype) if plan.normalized else None
        )
        return BoundProgram(
            plan,
            self.parameters.flat,
            gradients,
            self.buffers.flat,
            sample_type,
            target,
            normalization,
            random,
            states,
            executor=executor_for(plan.schedule),
            allocate=allocate,
        )


def settled(program: BoundProgram, samples: Array) -> Array:
    """Return the outputs of a program for samples of its shape and type, computed with one BLAS thread.

    A program so short that BLAS always computes it on one thread runs without `fixed_threads`, which would take as long
    as its arithmetic.
    """
    if program.one_thread_anyway:
        return program.quiet.run(program.answers, samples)
    with fixed_threads(1):
        return program.answers(samples)
