"""One training step: it copies samples to the program, computes the gradient and applies the optimizer."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nnspec.runtime.arena import Arena, Offsets
from nnspec.runtime.arrays import Array, pages
from nnspec.runtime.compiler.bind import ALL, Allocate, BoundProgram
from nnspec.runtime.data import Data
from nnspec.runtime.data.array_likes import ReadAhead, StoredArray
from nnspec.runtime.execute import processors
from nnspec.runtime.execute.blas import GATE, fixed_threads
from nnspec.runtime.execute.executor import Executor, ForkedExecutor, Lent
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.infer.program_cache import changes_gradients, steps_are_plain_sgd
from nnspec.runtime.optimizers import rule
from nnspec.runtime.schedules import factor
from nnspec.runtime.targets import counted
from nnspec.runtime.train import averaging
from nnspec.runtime.train.state import State, next_samples
from nnspec.spec_lang.check.spec import Spec

if TYPE_CHECKING:
    from nnspec.runtime.data.augmentation.augmenter import Augmenter

WORTH_HALVING = 50_000
"""From this number of parameters on, two processes update them faster than one, also where a step has one lane."""


class Stretch(NamedTuple):
    """Numbers of an arena, from `start` to `stop`, whose learning rate has one factor."""

    start: int
    stop: int
    factor: float


def stretches(spec: Spec, places: Offsets) -> list[Stretch]:
    """Return the parts of an arena of parameters that training changes, as long as they can be, in their order."""
    factors, found = spec.rate_factors(), list[Stretch]()
    for name, (start, shape) in places.items():
        factor, stop = factors[name.rpartition("/")[0]], start + prod(shape)
        if found and found[-1].stop == start and found[-1].factor == factor:
            found[-1] = found[-1]._replace(stop=stop)
        elif factor:
            found.append(Stretch(start, stop, factor))
    return found


class SliceUpdate:
    """A step of the optimizer, slice by slice: an `nnspec.runtime.execute.executor.Update`."""

    def __init__(
        self,
        move: Callable[[Array, Array, Mapping[str, Array], int, float], None],
        parameters: Array,
        gradients: Array,
        slots: Mapping[str, Array],
        parts: Sequence[Stretch],
    ):
        self.program: BoundProgram | None = None
        self.step = 0
        self.rate = 0.0
        self._move = move
        self._parameters = parameters
        self._gradients = gradients
        self._slots = slots
        self._parts = parts
        self.size = parameters.size
        self._as_one = list(parts) == [Stretch(0, parameters.size, 1.0)]

    def __call__(self, part: slice) -> None:
        """Update a slice of the parameters; if there is a program, first sum the gradients of its lanes."""
        if self.program is not None:
            self.program.sum_up(part)
        if self._as_one:
            self._update(part, self.rate)
            return
        first, last, _ = part.indices(self._parameters.size)
        for start, stop, own in self._parts:
            if max(start, first) < min(stop, last):
                self._update(slice(max(start, first), min(stop, last)), self.rate * own)

    def _update(self, part: slice, rate: float) -> None:
        """Update a slice of the parameters at a rate."""
        parameters, gradients, slots = self._parameters, self._gradients, self._slots
        if part is not ALL:
            parameters, gradients = parameters[part], gradients[part]
            slots = {name: slot[part] for name, slot in slots.items()}
        self._move(parameters, gradients, slots, self.step, rate)


class Stepper:
    """Advances a state, one step at a time or, where the plan has blocks, several at once.

    `unit` is the number of steps in the unit of the train statement, which is the unit of the schedule. `update` is a
    step of the optimizer, `workers` compute lanes and parts of it while the trainer is ready, None where none do.
    """

    def __init__(self, state: State, data: Data, unit: float):
        self.state = state
        self.unit = unit
        self.spec = state.network.spec
        self.gradients = Arena(self.spec.parameters(), state.network.dtype)
        self._inputs = state.network.programs.as_samples(data.train.inputs)
        self._scaling = state.network.preprocessing.target_scaling
        self._targets = data.train.targets
        if self._scaling is not None and self._targets.dtype not in (np.float32, np.float64):
            self._targets = self._targets.astype(np.float64)  # a batch of them holds the scaled ones
        self._weights = data.train.weights
        self._ahead = ReadAhead(self._inputs) if isinstance(self._inputs, StoredArray) else None
        self._augmenter: Augmenter | None = None
        self._samples_like = self._inputs[:0]  # what a program reads
        if self.spec.augment is not None:
            from nnspec.runtime.data.augmentation import augmenter

            size, kind, batch = self._inputs.shape[1:], self._inputs.dtype, self.spec.train.batch
            random = state.augment_random
            targets = self._targets if self._targets.ndim > 2 else None  # images, which move with their samples
            labels = self.spec.loss.labels
            self._augmenter = augmenter.Augmenter(
                self.spec.augment, random, data.preprocessing, size, kind, batch, targets, labels
            )
            self._samples_like = self._samples_like.astype(self._augmenter.dtype)
        slots = {name: arena.flat for name, arena in state.slots.items()}
        flat = self.gradients.flat
        self._accumulated = (
            np.empty_like(flat) if self.spec.train.accumulate > 1 else None
        )  # gradients of a step so far
        learning = stretches(self.spec, self.gradients.offsets)
        self.update = SliceUpdate(rule(self.spec.optimizer), state.network.parameter_arena.flat, flat, slots, learning)
        self._frozen = [self.gradients[name] for name in sorted(self.spec.frozen_arrays())]
        self._programs: dict[int, BoundProgram] = {}  # one for each size of batch: the last of an epoch may be short
        self._plain_sgd = steps_are_plain_sgd(self.spec)
        self._changes_gradients = changes_gradients(self.spec)
        self.workers: ForkedExecutor | None = None
        self._optimizer: Executor = IN_TURN
        self._blas = fixed_threads(1)
        self._allocate: Allocate = pages

    def advance(self, most: int) -> list[float]:
        """Make one step, or as many of a block as `most`, the average of weights and the epoch allow.

        Returns the loss of each, in order. After a loss that is not finite the parameters are useless, and the caller
        stops.
        """
        word, averaged = self.spec.ema, self.state.averaged
        if word is None or averaged is None:
            return self._steps(most)
        losses = self._steps(min(most, averaging.steps_until_update(word, self.state.step)))
        averaging.update(word, averaged, self.state.network, self.state.step)
        return losses

    def _steps(self, most: int) -> list[float]:
        """Make one step or several, as `advance` does, without an average of weights."""
        if GATE.waiting:
            self._blas.give_way()
        block = self.program(self.spec.train.batch).plan.schedule.block if self.spec.train.batch == 1 else 1
        chosen, steps = next_samples(self.state, self.spec.train.samples_a_step, min(block, most))
        first = self.state.position - len(chosen)
        if block > 1:
            program = self.program(1)
            self._draw(program, chosen, first)
            last = self.state.step
            return program.block([self.rate(step) for step in range(last - steps + 1, last + 1)])
        step = self.state.step
        if self._accumulated is not None:
            return [self.move(None, self._accumulate(chosen, first, self._accumulated), step, self.rate(step))]
        program = self.program(len(chosen))
        self._draw(program, chosen, first)
        return [self.move(program, program(summed=False), step, self.rate(step))]

    def _accumulate(self, chosen: np.ndarray, first: int, total: Array) -> float:
        """Compute the mean loss and gradients over several batches, each weighed by what counts in its loss.

        `first` is the position of the first sample in the epoch. Returns the loss; the gradients are in `gradients`.
        """
        batch, flat, loss = self.spec.train.batch, self.gradients.flat, 0.0
        parts = [slice(start, start + batch) for start in range(0, len(chosen), batch)]
        counts = [self._counted(chosen[part]) for part in parts]
        for number, part in enumerate(parts):
            program = self.program(len(chosen[part]))
            self._draw(program, chosen[part], first + part.start)
            share = counts[number] / max(sum(counts), 1)
            loss += share * program()
            if number:
                flat *= flat.dtype.type(share)
                total += flat
            else:
                np.multiply(flat, flat.dtype.type(share), out=total)
        flat[...] = total
        return loss

    def _counted(self, chosen: np.ndarray) -> int:
        """Return how many targets of some samples count in the loss."""
        outputs = np.broadcast_to(np.float32(0), (len(chosen), *(self.spec.output_shape or ())))
        return counted(self._targets[chosen], outputs) if self.spec.loss.skips_padding else len(chosen)

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Give BLAS one thread, ignore overflow, and start worker processes if they pay.

        The state is in memory that forks share only if there are any. Raises TrainingError if the network is being
        trained already.
        """
        with self.state.network.trained():
            self._programs.clear()  # the process that computes a lane allocates its buffers
            self._allocate = processors.allocator()
            batch = self.spec.train.batch
            sizes = {batch, len(self.state.order) % batch or batch}
            programs = [self.program(size) for size in sorted(sizes)]
            self._blas = fixed_threads(1)
            try:
                with self._blas, self._with_workers(programs):
                    yield
            finally:
                self._programs.clear()
                self._allocate = pages

    @contextmanager
    def _with_workers(self, programs: list[BoundProgram]) -> Iterator[None]:
        """Let worker processes compute lanes and parts of the optimizer, if they pay."""
        in_lanes = [program for program in programs if len(program.steps) > 1]
        halved = self.gradients.flat.size >= WORTH_HALVING and programs[0].plan.schedule.block == 1
        most = max(len(program.steps) for program in programs)
        count = min(processors.worker_count(), max(most, 2 if halved else 1))
        if count == 1:
            yield
            return
        with processors.workers_for(count, in_lanes, self.update, self._lent()) as workers:
            if workers is None:
                yield
                return
            for program in in_lanes:
                program.executor = workers
            self.workers = workers
            self._optimizer = workers if halved else IN_TURN
            try:
                yield
            finally:
                self.workers, self._optimizer = None, IN_TURN

    def dismiss(self) -> None:
        """Begin to end the workers, if there are any, after the last step."""
        if self.workers is not None:
            self.workers.dismiss()

    def _lent(self) -> list[Lent]:
        """Return the arrays of the state and the gradients. Only those of the network outlive a run."""
        state = self.state
        network = state.network.parameter_arena, state.network.buffer_arena
        slots = [Lent(slot.flat, filled=state.step > 0, returned=False) for slot in state.slots.values()]
        gradients = Lent(self.gradients.flat, filled=False, returned=False)
        return [*(Lent(arena.flat) for arena in network), Lent(state.carried.flat), *slots, gradients]

    def rate(self, step: int) -> float:
        """Return the learning rate of a step; steps count from 1."""
        time = (step - 1) / self.unit
        rate = self.spec.optimizer.lr * factor(self.spec.schedule, time, self.spec.train.length, 1 / self.unit)
        return rate * self.state.plateau.factor

    def program(self, batch: int) -> BoundProgram:
        """Return the training step for batches of this size."""
        if batch not in self._programs:
            self._programs[batch] = self.state.network.programs.training(
                batch,
                self.gradients,
                self._samples_like,
                self._targets,
                self.state.dropout_random,
                self._plain_sgd,
                self.state.carried,
                self._allocate,
                self._weights is not None,
            )
        return self._programs[batch]

    def _draw(self, program: BoundProgram, chosen: np.ndarray, first: int) -> None:
        """Copy the chosen samples, augmented, their targets, scaled, and weights to the arrays of the program.

        `first` is the position of the first of them in the order of the epoch.
        """
        if self._weights is not None and program.weights is not None:
            program.weights[: len(chosen)] = self._weights[chosen]
        targets = program.targets[: len(chosen)]
        if len(chosen) == 1:
            targets[0] = self._targets[chosen[0]]
        else:
            np.take(self._targets, chosen, axis=0, out=targets, mode="clip")
        if self._augmenter is not None:
            raw = self._augmenter.raw(len(program.samples))[: len(chosen)]
            self._copy(chosen, first, raw)
            self._augmenter(raw, program.samples[: len(chosen)], targets)
        else:
            self._copy(chosen, first, program.samples[: len(chosen)])
        if self._scaling is not None:
            self._scaling.apply(targets, out=targets)

    def _copy(self, chosen: np.ndarray, first: int, out: Array) -> None:
        """Copy the chosen raw samples, which are those from the position `first` in the epoch on."""
        if self._ahead is not None:
            self._ahead.read(self.state.order, first, out)
        elif len(chosen) == 1:
            out[0] = self._inputs[chosen[0]]
        else:
            np.take(self._inputs, chosen, axis=0, out=out, mode="clip")

    def move(self, program: BoundProgram | None, loss: float, step: int, rate: float) -> float:
        """Update the parameters by the gradients of a program's lanes, unless the loss is not finite; return the loss
        with its penalties. Without a program the gradients are summed already."""
        update = self.update
        apart = (
            program is not None
            and program.executor is self.workers
            and not self._changes_gradients
            and math.isfinite(loss)
        )
        update.program = program if apart else None  # whose gradients are summed with the update, slice by slice
        if not apart:
            if program is not None and len(program.steps) > 1:
                program.sum_up(ALL)
            if self._changes_gradients:
                loss += self.state.network.program.penalize(self.gradients)
        if not math.isfinite(loss):
            return loss
        if self._changes_gradients:
            self._clip()
        update.step, update.rate = step, rate
        self._optimizer.apply(update)
        return loss

    def _clip(self) -> None:
        """Clip the gradient as the spec says. Numbers that are not finite stay, so that a divergence is detected."""
        flat, train = self.gradients.flat, self.spec.train
        for gradient in self._frozen:
            gradient.fill(0)  # a frozen layer may have left one, which counts in no norm
        if train.clip_value is not None:
            np.clip(flat, -train.clip_value, train.clip_value, out=flat, where=np.isfinite(flat))
        if train.clip_norm is not None:
            norm = float(np.sqrt(np.dot(flat, flat)))
            if math.isinf(norm):  # the squares overflow float32; in float64 they do not, unless a number is infinite
                norm = float(np.linalg.norm(flat.astype(np.float64)))
            if norm > train.clip_norm:
                flat *= flat.dtype.type(train.clip_norm / norm)
