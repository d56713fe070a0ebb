"""Steps of training: samples drawn into a program's place, the gradient, the optimizer."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import shared
from nnspec.runtime.compiler.bind import BoundProgram
from nnspec.runtime.data import Data
from nnspec.runtime.execute.worker_process import Partner
from nnspec.runtime.infer.program_cache import changes_gradients, fixed_threads, steps_are_plain_sgd
from nnspec.runtime.optimizers import rule
from nnspec.runtime.schedules import factor
from nnspec.runtime.train.state import State, next_samples

WORTH_HALVING = 50_000
"""Parameters that two processes move faster than one."""

ALL = slice(None)

MOVE = 0
"""The partner's work that is a step of the optimizer; those behind it are lanes."""


class Stepper:
    """Moves a state on, one step at a time or, where the plan has blocks, several at once.

    `unit` is how many steps the train statement's unit has, by which the schedule counts.
    """

    def __init__(self, state: State, data: Data, unit: float):
        self.state = state
        self.unit = unit
        self.spec = state.network.spec
        self.gradients = Arena(self.spec.parameters(), state.network.dtype)
        self._inputs = state.network.programs.as_samples(data.train.inputs)
        self._targets = data.train.targets
        self._update = rule(self.spec.optimizer)
        slots = {name: arena.flat for name, arena in state.slots.items()}
        self._arenas = state.network.parameter_arena.flat, self.gradients.flat, slots
        self._programs: dict[int, BoundProgram] = {}  # one for each size of batch: the last of an epoch may be short
        self._plain_sgd = steps_are_plain_sgd(self.spec)
        self._changes_gradients = changes_gradients(self.spec)
        self._halved = self.gradients.flat.size >= WORTH_HALVING
        self._middle = self.gradients.flat.size // 32 * 16
        self._partner: Partner | None = None
        self._asked = shared(3, np.float64)  # of the partner: the work whose lanes to add up or 0, the step, its rate

    def advance(self, most: int) -> list[float]:
        """Make one step, or as many of a block as `most` and the epoch allow; the loss of each, in order.

        Where a loss is not finite the parameters are no longer worth anything, and the caller stops.
        """
        block = self.program(self.spec.train.batch).plan.schedule.block if self.spec.train.batch == 1 else 1
        chosen, steps = next_samples(self.state, self.spec.train.batch, min(block, most))
        if block > 1:
            program = self.program(1)
            self._draw(program, chosen)
            last = self.state.step
            return program.block([self.rate(step) for step in range(last - steps + 1, last + 1)])
        program = self.program(len(chosen))
        self._draw(program, chosen)
        step = self.state.step
        return [self.move(program, program(summed=False), step, self.rate(step))]

    @contextmanager
    def ready(self) -> Iterator[None]:
        """While this lasts BLAS has the threads of the plan for whole batches, overflow is left to the trainer, and a
        partner computes the second lane, where there is one."""
        self._programs.clear()  # what they work on is made in the process that works with it
        batch = self.spec.train.batch
        sizes = {batch, len(self.state.order) % batch or batch}
        programs = [self.program(size) for size in sorted(sizes)]
        parted = [program for program in programs if len(program.plan.schedule.lanes) == 2]
        with fixed_threads(self.program(batch).plan.schedule.blas_threads):
            halved = self._halved and programs[0].plan.schedule.block == 1
            works = [lambda _: self._move_second_half(parted), *(program.share for program in parted)]
            partner = Partner.of(works) if parted or halved else None
            if partner is None:
                yield
                return
            try:
                self._partner = partner
                for number, program in enumerate(parted, start=MOVE + 1):
                    program.partner, program.work = partner, number
                yield
            finally:
                self._partner = None
                for program in parted:
                    program.partner = None
                partner.close()

    def rate(self, step: int) -> float:
        """The learning rate of a step, the first of which is 1."""
        time = (step - 1) / self.unit
        rate = self.spec.optimizer.lr * factor(self.spec.schedule, time, self.spec.train.length)
        return rate * self.state.plateau.factor

    def program(self, batch: int) -> BoundProgram:
        """The training step for batches of this size."""
        if batch not in self._programs:
            self._programs[batch] = self.state.network.programs.training(
                batch,
                self.gradients,
                self._inputs,
                self._targets,
                self.state.dropout_random,
                self._plain_sgd,
                self.state.carried,
            )
        return self._programs[batch]

    def _draw(self, program: BoundProgram, chosen: np.ndarray) -> None:
        """Copy the chosen samples and their targets to where the program reads them."""
        if len(chosen) == 1:
            program.samples[0], program.targets[0] = self._inputs[chosen[0]], self._targets[chosen[0]]
            return
        np.take(self._inputs, chosen, axis=0, out=program.samples[: len(chosen)], mode="clip")
        np.take(self._targets, chosen, axis=0, out=program.targets[: len(chosen)], mode="clip")

    def move(self, program: BoundProgram, loss: float, step: int, rate: float) -> float:
        """Move the parameters by what the lanes of a program found, unless the loss is not finite; returns the loss
        with its penalties."""
        apart = program.partner is not None and not self._changes_gradients and math.isfinite(loss)
        if not apart:
            program.sum_up(ALL)
            loss += self.state.network.program.penalize(self.gradients)
        if not math.isfinite(loss):
            return loss
        if not apart:
            self._clip()
        lanes = program if apart else None  # whose gradients are still to be added up
        if self._partner is None or not self._halved:
            self._move_part(ALL, lanes, step, rate)
            return loss
        self._asked[:] = program.work if lanes is not None else 0, step, rate
        self._partner.begin(MOVE)
        self._move_part(slice(self._middle), lanes, step, rate)
        self._partner.end()
        return loss

    def _move_second_half(self, programs: list[BoundProgram]) -> None:
        """The partner's share of a step of the optimizer."""
        work, step, rate = self._asked.tolist()
        lanes = programs[int(work) - MOVE - 1] if work else None
        self._move_part(slice(self._middle, None), lanes, int(step), rate)

    def _move_part(self, part: slice, lanes: BoundProgram | None, step: int, rate: float) -> None:
        """Move a part of the parameters, the gradients of the lanes added up before if there are any."""
        if lanes is not None:
            lanes.sum_up(part)
        parameters, gradients, slots = self._arenas
        if part is not ALL:
            parameters, gradients = parameters[part], gradients[part]
            slots = {name: slot[part] for name, slot in slots.items()}
        self._update(parameters, gradients, slots, step, rate)

    def _clip(self) -> None:
        """Clip the gradient as the spec asks; what is not finite in it stays so, or a divergence would be hidden."""
        flat, train = self.gradients.flat, self.spec.train
        if train.clip_value is not None:
            np.clip(flat, -train.clip_value, train.clip_value, out=flat, where=np.isfinite(flat))
        if train.clip_norm is not None:
            norm = float(np.sqrt(np.dot(flat, flat)))
            if math.isinf(norm):  # the squares were too large for float32; not so for float64, unless a number is
                norm = float(np.linalg.norm(flat.astype(np.float64)))
            if norm > train.clip_norm:
                flat *= flat.dtype.type(train.clip_norm / norm)
