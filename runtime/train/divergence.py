"""Divergence of a run: which of its arrays holds NaN or infinity, and what the user can do about it."""

from collections.abc import Iterator, Mapping

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.train.state import State

ADVICE = "lower the learning rate, try another init, clip the gradient (clip_norm=1), or look for outliers in the data"


def first_nonfinite_array(state: State, gradients: Mapping[str, Array]) -> str | None:
    """Return the name of the first array of a run that holds NaN or infinity; None where all are finite.

    The order is parameters, buffers, optimizer slots, gradients: a parameter that is not finite makes gradients that
    are not finite either.
    """
    return next((name for name, array in _arrays(state, gradients) if not _finite(array)), None)


def _finite(array: Array) -> bool:
    """Return whether all numbers are finite: that of a sum says so quickly, unless it overflows."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(array, axis=None)) or np.isfinite(array).all())


def largest_weight(state: State) -> str:
    """Return a clause that names the parameter with the largest absolute value, and this value."""
    arena = state.network.parameter_arena
    sizes = {name: float(np.abs(array).max()) for name, array in arena.items() if array.size}
    name = max(sizes, key=lambda name: sizes[name])
    return f"every weight is finite, and the largest, {sizes[name]:.3g}, is in {name}"


def _arrays(state: State, gradients: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    network = state.network
    yield from network.parameter_arena.items()
    yield from network.buffer_arena.items()
    if state.averaged is not None:
        for name, array in (*state.averaged.parameter_arena.items(), *state.averaged.buffer_arena.items()):
            yield f"the average of {name}", array
    for slot, arena in state.slots.items():
        for name, array in arena.items():
            yield f"{slot} of {name}", array
    for name, array in gradients.items():
        yield f"the gradient of {name}", array
