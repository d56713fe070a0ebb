"""Steps of training: samples drawn into a program's place, the gradient, the optimizer."""

import math

import numpy as np

from runtime.arena import Arena
from runtime.compiler.bind import Bound
from runtime.compiler.programs import fixed_threads, steps_are_plain_sgd
from runtime.data import Data
from runtime.optimizers import rule
from runtime.schedules import factor
from runtime.state import State, next_samples


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
        self._slots = {name: arena.flat for name, arena in state.slots.items()}
        self._programs: dict[int, Bound] = {}  # one for each size of batch: the last of an epoch may be short
        self._plain_sgd = steps_are_plain_sgd(self.spec)

    def advance(self, most: int) -> list[float]:
        """Make one step, or as many of a block as `most` and the epoch allow; the loss of each, in order.

        Where a loss is not finite the parameters are no longer worth anything, and the caller stops.
        """
        block = self._program(self.spec.train.batch).plan.draft.block if self.spec.train.batch == 1 else 1
        chosen, steps = next_samples(self.state, self.spec.train.batch, min(block, most))
        if block > 1:
            program = self._program(1)
            self._draw(program, chosen)
            last = self.state.step
            return program.block([self.rate(step) for step in range(last - steps + 1, last + 1)])
        program = self._program(len(chosen))
        self._draw(program, chosen)
        loss = program() + self.state.network.program.penalize(self.gradients)
        if np.isfinite(loss):
            self._clip()
            parameters = self.state.network.parameter_arena.flat
            step = self.state.step
            self._update(parameters, self.gradients.flat, self._slots, step, self.rate(step))
        return [loss]

    def fixed_threads(self) -> fixed_threads:
        """While this lasts BLAS has the threads of the plan for whole batches, and overflow is left to the trainer."""
        return fixed_threads(self._program(self.spec.train.batch).plan.draft.blas_threads)

    def rate(self, step: int) -> float:
        """The learning rate of a step, the first of which is 1."""
        time = (step - 1) / self.unit
        rate = self.spec.optimizer.lr * factor(self.spec.schedule, time, self.spec.train.length)
        return rate * self.state.plateau.factor

    def _program(self, batch: int) -> Bound:
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

    def _draw(self, program: Bound, chosen: np.ndarray) -> None:
        """Copy the chosen samples and their targets to where the program reads them."""
        np.take(self._inputs, chosen, axis=0, out=program.samples[: len(chosen)], mode="clip")
        np.take(self._targets, chosen, axis=0, out=program.targets[: len(chosen)], mode="clip")

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
