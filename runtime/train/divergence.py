"""Numbers that are none: where in a run they are, and what to do about it."""

from collections.abc import Iterator, Mapping

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.train.state import State

ADVICE = (
    "lower the learning rate, try another init, clip the gradient (clip_norm=1), or look for odd values in the data"
)


def first_not_finite(state: State, gradients: Mapping[str, Array]) -> str | None:
    """The first array of a run that holds NaN or Inf, in words; None where all are finite.

    Gradients come last: where a weight is not finite, all that was computed from it need not be either.
    """
    return next((words for words, array in _arrays(state, gradients) if not np.isfinite(array).all()), None)


def largest_weight(state: State) -> str:
    """Which weight has the largest number, and what it is."""
    arena = state.network.parameter_arena
    sizes = {name: float(np.abs(array).max()) for name, array in arena.items() if array.size}
    name = max(sizes, key=lambda name: sizes[name])
    return f"every weight is finite, and the largest, {sizes[name]:.3g}, is in {name}"


def _arrays(state: State, gradients: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    network = state.network
    for name, array in network.parameter_arena.items():
        yield name, array
    for name, array in network.buffer_arena.items():
        yield name, array
    for slot, arena in state.slots.items():
        for name, array in arena.items():
            yield f"{slot} of {name}", array
    for name, array in gradients.items():
        yield f"the gradient of {name}", array
