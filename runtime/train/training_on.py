"""Training in a program's own calls, without a run: from first weights or from those of a network, and pass by pass.

nnspec.sklearn uses it. It writes no file.
"""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from nnspec.runtime.data import Data
from nnspec.runtime.data.given import Arrays
from nnspec.runtime.data.load import load_given
from nnspec.runtime.errors import NetworkError, TrainingError
from nnspec.runtime.execute.processors import Workers, with_workers
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import with_lanes
from nnspec.runtime.train.beginning import begin, begun_from
from nnspec.runtime.train.divergence import ADVICE
from nnspec.runtime.train.events import Event, Listener, silent
from nnspec.runtime.train.loop import Trainer
from nnspec.runtime.train.spec_and_data import check_with_data
from nnspec.runtime.train.state import State, initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.vocabulary.given_arrays import GivenArrays


class EpochLosses:
    """The mean training loss of each epoch, from the losses of its steps.

    `values` has one for each epoch; one that was begun counts as long as the samples that it has had.
    """

    def __init__(self, spec: Spec, samples: int):
        self._samples = spec.samples_an_epoch(samples)
        self._step = spec.train.samples_a_step
        self._sum, self._count = 0.0, 0
        self._whole: list[float] = []

    def __call__(self, losses: list[float]) -> None:
        """Count the losses of the next steps."""
        for loss in losses:
            samples = min(self._step, self._samples - self._count)
            self._sum += loss * samples
            self._count += samples
            if self._count >= self._samples:
                self._whole.append(self._sum / self._count)
                self._sum, self._count = 0.0, 0

    @property
    def values(self) -> list[float]:
        """The means so far."""
        return [*self._whole, self._sum / self._count] if self._count else list(self._whole)


def prepared(
    request: Request, given: Arrays, dtype: Any = np.float32, former: Network | None = None
) -> tuple[State, Data]:
    """Return the state before the first step, and the data.

    The weights are those of the spec's initializers and of its line `from`, or those of a `former` network; samples are
    then encoded and scaled as that one's. Raises SpecError, DataError, CheckpointError, and NetworkError where the
    former network has other parameters.
    """
    spec, data = check_with_data(request, given, former.preprocessing if former is not None else None)
    spec = replace(spec, begins=None) if former is not None else begun_from(spec, None)
    spec = with_lanes(spec)
    network = Network(spec, data.preprocessing, dtype)
    network.initialize(spec.train.seed)
    if former is None:
        begin(network, spec)
    else:
        _take(network, former)
    return initial_state(network, len(data.train), spec.train.seed), data


def train_through(
    state: State,
    data: Data,
    listen: Listener = silent,
    each: Callable[[list[float]], None] = lambda losses: None,
    workers: Workers = "auto",
) -> Event:
    """Train to the end or to early stopping and return the end event; `each` receives the losses of the steps.

    With early_stop the network has the weights of the best evaluation. Raises TrainingError where the training
    diverges, and Interrupted after a signal.
    """
    with with_workers(workers):
        end = Trainer(state, data, None, listen, each=each).run()
    if state.network.spec.early_stop is not None and state.best is not None:
        state.judged.parameter_arena.flat[...] = state.best.weights
        state.judged.buffer_arena.flat[...] = state.best.buffers
    state.best = None
    return end


def more_data(network: Network, given: Arrays) -> Data:
    """Return samples for a network that trains on, all of them to train with, encoded and scaled as it knows.

    Raises DataError for samples and targets that it does not take.
    """
    spec = network.spec
    given = replace(given, x=network.preprocessing.as_batch(given.x))
    data = load_given(GivenArrays(), given, spec.loss.classifies, False, spec.weights)
    return replace(data, preprocessing=network.preprocessing)


def pass_over(state: State, data: Data, workers: Workers = "auto") -> float:
    """Train one epoch on data, with the optimizer of the state as it is; return the mean loss.

    A call is an epoch of the schedule. Raises TrainingError where the training diverges.
    """
    spec = state.network.spec
    losses = EpochLosses(spec, len(data.train))
    state.order, state.position = state.order_random.permutation(len(data.train)), 0
    steps = ceil(len(data.train) / spec.train.samples_a_step)
    stepper, last = Stepper(state, data, steps), state.step + steps
    with with_workers(workers), stepper.ready():
        while state.step < last:
            made = stepper.advance(last - state.step)
            bad = next((loss for loss in made if not np.isfinite(loss)), None)
            if bad is not None:
                raise TrainingError(f"training diverged at step {state.step}: the loss is {bad}\n  help: {ADVICE}")
            losses(made)
    return losses.values[-1]


def _take(network: Network, former: Network) -> None:
    """Give a network the arrays of a former one. Raises NetworkError where it has others."""
    for ours, theirs, what in (
        (network.parameter_arena, former.parameter_arena, "parameters"),
        (network.buffer_arena, former.buffer_arena, "buffers"),
    ):
        if {name: array.shape for name, array in ours.items()} != {n: array.shape for n, array in theirs.items()}:
            raise NetworkError(f"the spec has other {what} than the network that trains on: begin anew", 2)
        ours.flat[...] = theirs.flat
