"""The gradients of a network beside the slopes of its loss: finite differences of single parameters, in float64.

A central difference is wrong where the loss has a corner within the step, as at the zero of a relu or where two cells
of a pool are equal. A number whose gradient disagrees is tried again with a step a hundredth as long, and then with the
slopes on either side: a corner is counted, and is no mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import frozen_arrays
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.gradient_check import STEP
from nnspec.runtime.infer.network import Network
from nnspec.runtime.layers import Mode
from nnspec.runtime.randomness import stream

TOLERANCE = 1e-6
"""The largest error that rounding explains."""


@dataclass(frozen=True)
class Slope:
    """One number of an array: its place, its gradient and the slope of the loss, None at a corner."""

    place: tuple[int, ...]
    gradient: float
    slope: float | None


@dataclass(frozen=True)
class Slopes:
    """An array of parameters: the numbers that were tried, and the place where gradient and slope differ most.

    `error` is their difference there, relative to the largest number of the array's gradient, or to a thousandth of the
    largest of all arrays where that is more. `corners` are numbers at which the loss has a corner, which have no slope.
    """

    name: str
    shape: tuple[int, ...]
    tried: int
    corners: int
    place: tuple[int, ...]
    gradient: float
    slope: float
    error: float
    numbers: tuple[Slope, ...]

    @property
    def holds(self) -> bool:
        """Whether every gradient is the slope."""
        return self.error < TOLERANCE


def parameter_slopes(
    network: Network, samples: Array, targets: Array, most: int | None = 50, seed: int = 0
) -> tuple[float, list[Slopes]]:
    """Return the training loss of some samples, and for each array of parameters gradients beside slopes.

    Arguments:
        network: a network in float64; it is computed as in training, with the statistics of the batch, but without
            dropout. Its parameters are unchanged afterwards.
        samples: raw ones, (batch, *input shape).
        targets: as the loss takes them, in the units of the data.
        most: how many numbers of each array are tried, chosen by `seed`; all of them where it is None.

    Arrays of frozen layers are left out. Raises NetworkError for a network in float32, whose rounding is as large as
    the differences.
    """
    if network.dtype != np.float64:
        raise NetworkError('slopes are measured in float64: nnspec.compile(spec, dtype="float64")', 2)
    batch = network.preprocessing.apply(samples, np.float64)
    outputs = np.broadcast_to(np.float64(0), (len(batch), *(network.spec.output_shape or ())))
    targets = network.scaled_targets(targets, outputs)
    program = network.program.with_own_buffers()
    gradients = Arena(network.spec.parameters(), network.dtype)

    def loss() -> float:
        logits, _ = program.forward(batch, Mode(training=True))
        return program.loss(logits, targets)[0] + program.penalize(unused)

    unused = Arena(network.spec.parameters(), network.dtype)
    frozen = frozen_arrays(network.programs.graph.nodes)
    random = stream(seed, "slopes")
    found = []
    with fixed_threads(1):
        value = program.loss_and_gradients(batch, targets, Mode(training=True), gradients)
        largest = float(np.abs(gradients.flat).max(initial=0)) or 1.0
        for name, array in network.parameter_arena.items():
            if name not in frozen:
                # below a thousandth of the largest gradient, rounding of the loss is all that one sees
                scale = max(float(np.abs(gradients[name]).max()), largest / 1000)
                found.append(_slopes(name, array, gradients[name], loss, most, random, scale))
    return value, found


def _slopes(
    name: str,
    array: Array,
    gradient: Array,
    loss: Callable[[], float],
    most: int | None,
    random: "np.random.Generator",
    scale: float,
) -> Slopes:
    count = array.size if most is None else min(most, array.size)
    chosen = np.sort(random.choice(array.size, count, replace=False))
    places = [tuple(int(index) for index in np.unravel_index(number, array.shape)) for number in chosen]
    pairs = [(float(gradient[place]), _central(array, place, loss, STEP)) for place in places]
    errors, numbers = [], []
    for at, place in enumerate(places):
        own, slope = pairs[at]
        if abs(own - slope) >= TOLERANCE * scale:
            slope = _central(array, place, loss, STEP / 100)
            pairs[at] = own, slope
        corner = abs(own - slope) >= TOLERANCE * scale and _is_corner(array, place, loss, own, scale)
        if corner:
            pairs[at] = own, own
        errors.append(abs(pairs[at][0] - pairs[at][1]) / scale)
        numbers.append(Slope(place, own, None if corner else slope))
    worst = int(np.argmax(errors))
    corners = sum(number.slope is None for number in numbers)
    return Slopes(name, array.shape, count, corners, places[worst], *pairs[worst], errors[worst], tuple(numbers))


def _central(array: Array, place: tuple[int, ...], loss: Callable[[], float], step: float) -> float:
    below, above = _sides(array, place, loss, step)
    return (above[1] - below[1]) / (above[0] - below[0])


def _is_corner(array: Array, place: tuple[int, ...], loss: Callable[[], float], own: float, scale: float) -> bool:
    """Return whether the slopes on the two sides differ, and the gradient is between them."""
    here = float(array[place]), loss()
    below, above = _sides(array, place, loss, STEP / 100)
    sides = sorted(_ratio(here, side) for side in (below, above))
    room = 1e-4 * scale  # of one-sided differences, whose error grows with the step
    return sides[1] - sides[0] > room and sides[0] - room <= own <= sides[1] + room


def _ratio(first: tuple[float, float], second: tuple[float, float]) -> float:
    return (second[1] - first[1]) / (second[0] - first[0])


def _sides(
    array: Array, place: tuple[int, ...], loss: Callable[[], float], step: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the number moved down and up, each with the loss there."""
    value = float(array[place])
    h = step * max(1.0, abs(value))
    sides = tuple(_at(array, place, moved, loss) for moved in (value - h, value + h))
    return sides[0], sides[1]


def _at(array: Array, place: tuple[int, ...], moved: float, loss: Callable[[], float]) -> tuple[float, float]:
    value = array[place]
    array[place] = moved
    try:
        return moved, loss()
    finally:
        array[place] = value
