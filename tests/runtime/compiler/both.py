"""A network in both of its forms: as it is defined, and as it is planned."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.arena import Arena
from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.compiler.graph import build_graph, draws_of
from nnspec.runtime.compiler.kernels import meets
from nnspec.runtime.compiler.rewrites import REWRITES, rewritten
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.execute.executor import Executor
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.infer.drawn import drawn_targets
from nnspec.runtime.infer.network import Network
from nnspec.runtime.layers import Mode
from nnspec.runtime.targets import PADDING
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.shape import Shape

Array = NDArray[Any]

CLOSE = {"float64": 1e-10, "float32": 1e-5}
"""How far a planned number may be from the plain one, as a share of the largest."""

NONE: frozenset[str] = frozenset()


def all_but(*names: str) -> frozenset[str]:
    """Every rewrite except these, for `without`."""
    return frozenset(REWRITES) - set(names)


class Outcome(NamedTuple):
    """A training step: the loss, the gradients in one row, and the buffers afterwards."""

    loss: float
    gradients: Array
    buffers: Array


class Batch(NamedTuple):
    """Samples (batch, *input shape) and their targets."""

    x: Array
    y: Array


@dataclass(frozen=True)
class Both:
    """A network with random parameters, and what belongs to planning it."""

    network: Network

    @classmethod
    def of(cls, text: str, dtype: str = "float64", shape: Shape | None = None) -> "Both":
        """The network of a text; `shape` is that of its samples where the text does not say it."""
        return cls.from_spec(check_source(Source("a test", text), input_shape=shape), dtype)

    @classmethod
    def from_spec(cls, spec: Spec, dtype: str = "float64") -> "Both":
        """The network of a checked spec whose shapes are known."""
        assert spec.input is not None
        network = Network(spec, Preprocessing.identity(spec.input), np.dtype(dtype))
        random = np.random.default_rng(3)
        for array in network.parameter_arena.values():
            array[...] = random.normal(0, 0.5, array.shape)
        for name, array in network.buffer_arena.items():
            array[...] = random.uniform(0.5, 2, array.shape) if "var" in name else random.normal(0, 0.5, array.shape)
        return cls(network)

    @property
    def dtype(self) -> str:
        return str(self.network.dtype.name)

    def batch(self, size: int, seed: int = 0) -> Batch:
        """Random samples, and targets as the loss wants them."""
        random, spec = np.random.default_rng(seed), self.network.spec
        assert spec.input is not None
        assert spec.output_shape is not None
        x = random.normal(size=(size, *spec.input)).astype(self.dtype)
        shape = (size, *spec.output_shape)
        padding = np.zeros((size, *spec.input), bool)
        symbols = [count for node in spec.nodes if (count := node.layer.vocabulary(node.input_shape)) is not None]
        if symbols:
            x = random.integers(0, min(symbols), x.shape).astype(self.dtype)
            padding = np.arange(x.shape[1]) >= random.integers(1, x.shape[1] + 1, (size, 1))
            x[padding] = PADDING
        y = drawn_targets(spec.loss, shape, random)
        if not spec.loss.classes:
            return Batch(x, y.astype(self.dtype))
        if spec.output_shape.sequence and y.shape == padding.shape:
            y[padding] = PADDING
        return Batch(x, y)

    def plain(self, batch: Batch) -> Outcome:
        """A step as it is defined; the network's buffers stay as they are."""
        network = self.network
        before = network.buffer_arena.flat.copy()
        gradients = Arena(network.spec.parameters(), network.dtype)
        loss = network.program.loss_and_gradients(*batch, self.mode(len(batch.x)), gradients)
        after = network.buffer_arena.flat.copy()
        network.buffer_arena.flat[...] = before
        return Outcome(loss, gradients.flat, after)

    def mode(self, size: int) -> Mode:
        """Training, with the random numbers that `planned` draws."""
        random = np.random.default_rng(5)
        draws = draws_of(self.network.program.graph.nodes)
        return Mode(True, draws={n: random.random((size, *shape), np.float32) for n, shape in draws.items()})

    def schedule(self, size: int, training: bool = True, plain_sgd: bool = False) -> ExecutionSchedule:
        """The schedule for batches of a size, before any rewrite."""
        network = self.network
        offsets = network.parameter_arena.offsets, network.buffer_arena.offsets
        return ExecutionSchedule.of(build_graph(network.spec), network.spec.loss, size, training, *offsets, plain_sgd)

    def rewritten(self, size: int, without: frozenset[str] = NONE, training: bool = True) -> ExecutionSchedule:
        """The schedule after its rewrites, for single steps."""
        return rewritten(self.schedule(size, training), without)

    def schedules(self, size: int, without: frozenset[str] = NONE) -> tuple[ExecutionSchedule, ...]:
        """For training and for inference, as the rules say and in two lanes."""
        made = [self.rewritten(size, without, training) for training in (True, False)]
        lanes = [in_lanes(schedule) for schedule in made]
        return (*made, *(schedule for schedule in lanes if schedule not in made))

    def bound(
        self,
        schedule: ExecutionSchedule,
        batch: Batch,
        random: np.random.Generator | None = None,
        executor: Executor = IN_TURN,
    ) -> tuple[BoundProgram, Array]:
        """A program over the network's own arrays, nothing normalized, and where it writes the gradients."""
        network, plan = self.network, assemble(schedule, self.dtype, False)
        gradients = np.full_like(network.parameter_arena.flat, np.nan)
        target = (batch.y.shape[1:], batch.y.dtype) if schedule.training else None
        given = gradients if schedule.training else None
        arrays = network.parameter_arena.flat, given, network.buffer_arena.flat
        return BoundProgram(plan, *arrays, batch.x.dtype, target, None, random, executor=executor), gradients

    def planned(self, batch: Batch, schedule: ExecutionSchedule | None = None, executor: Executor = IN_TURN) -> Outcome:
        """A step as it is planned, after one on other samples, so that all it left behind is there to be overwritten.

        The gradients are filled with NaN before; the network's buffers stay as they are.
        """
        network, size = self.network, len(batch.x)
        random = np.random.default_rng(5)
        schedule = schedule if schedule is not None else self.rewritten(size)
        bound, gradients = self.bound(schedule, batch, random, executor)
        before = network.buffer_arena.flat.copy()
        run(bound, self.batch(size, seed=9))
        network.buffer_arena.flat[...] = before
        random.bit_generator.state = np.random.default_rng(5).bit_generator.state
        gradients.fill(np.nan)
        loss = run(bound, batch)
        after = network.buffer_arena.flat.copy()
        network.buffer_arena.flat[...] = before
        arena = Arena(network.spec.parameters(), network.dtype)
        arena.flat[...] = gradients
        loss += network.program.penalize(arena)
        return Outcome(loss, arena.flat, after)

    def outputs(self, batch: Batch, schedule: ExecutionSchedule | None = None, executor: Executor = IN_TURN) -> Array:
        """The answers as they are planned, after those to other samples."""
        size = len(batch.x)
        schedule = schedule if schedule is not None else self.rewritten(size, training=False)
        bound, _ = self.bound(schedule, batch, executor=executor)
        run(bound, self.batch(size, seed=9))
        answers: Array = run(bound, batch).copy()
        return answers

    def assert_planned_is_plain(self, *schedules: ExecutionSchedule) -> None:
        """Loss, gradients and buffers of a step, or the answers, are what they are defined to be, by each schedule."""
        batch = self.batch(schedules[0].batch)
        training, plain = self.plain(batch), self.network.program.outputs(batch.x)
        for schedule in schedules:
            if schedule.training:
                assert_agree(self.planned(batch, schedule), training, CLOSE[self.dtype])
            else:
                answers = self.outputs(batch, schedule)
                assert (answers.shape, answers.dtype) == (plain.shape, plain.dtype)
                assert_close(answers, plain, CLOSE[self.dtype])


def run(bound: BoundProgram, batch: Batch) -> Any:
    """What a program gives for a batch."""
    bound.samples[...] = batch.x
    if bound.plan.schedule.training:
        bound.targets[...] = batch.y
    return bound()


def in_lanes(schedule: ExecutionSchedule) -> ExecutionSchedule:
    """The schedule in two lanes, whatever its work, where a batch can be cut: the first has the odd sample."""
    half = (schedule.batch + 1) // 2
    whole = any(node.layer.mixes_samples is not False and not meets(node) for node in schedule.nodes)
    together = schedule.training and (whole or schedule.output_shape.sequence)  # statistics, steps that are counted
    return schedule if schedule.batch < 2 or together else replace(schedule, lanes=(half, schedule.batch - half))


def assert_agree(a: Outcome, b: Outcome, share: float) -> None:
    """Two outcomes are the same but for rounding."""
    assert_close(a.loss, b.loss, share)
    assert_close(a.gradients, b.gradients, share)
    assert_close(a.buffers, b.buffers, share)


def assert_close(a: Array | float, b: Array | float, share: float) -> None:
    """Finite numbers that differ by no more than this share of the largest of them (of 0.001 where all are smaller)."""
    assert np.isfinite(a).all()
    np.testing.assert_allclose(a, b, rtol=0, atol=share * float(np.max(np.abs(b), initial=1e-3)))
