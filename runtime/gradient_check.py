"""Whether a gradient is one: compared with the slope of the function itself, number by number."""

from collections.abc import Callable

import numpy as np

from nnspec.runtime.arrays import Array

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""Where the two errors of a central difference, of the step (h²) and of rounding (eps / h), are of one size: 6·10⁻⁶."""


def numeric_gradient(f: Callable[[Array], float], x: Array) -> Array:
    """∂f/∂x by central differences, (f(x + h) − f(x − h)) / 2h for each number of x by itself, in float64.

    h is STEP, and grows with numbers larger than 1. `f` is handed the same array at each call, with one number moved;
    it must not keep it, and not round to float32 on the way.
    """
    moved = np.array(x, np.float64)
    gradient = np.empty_like(moved)
    for place in np.ndindex(moved.shape):
        value = float(moved[place])
        h = STEP * max(1.0, abs(value))
        moved[place] = value + h
        above = f(moved)
        moved[place] = value - h
        below = f(moved)
        gradient[place] = (above - below) / ((value + h) - (value - h))  # 2h as float64 has it
        moved[place] = value
    return gradient


def gradient_check(
    f: Callable[[Array], float], x: Array, analytic: Array, name: str = "x", tolerance: float = 1e-6
) -> float:
    """Compare a gradient of f at x with its slope; returns the relative error.

    This is the largest difference, relative to the largest number of either gradient: what is small beside its
    neighbours has the rounding of their size. `name` is what the failure calls x. Raises AssertionError, with both
    numbers at the worst place, where the error is not below the tolerance or the shapes differ.
    """
    if analytic.shape != x.shape:
        raise AssertionError(f"the gradient of {name} has the shape {analytic.shape}, and {name} has {x.shape}")
    if not x.size:
        return 0.0
    numeric = numeric_gradient(f, x)
    difference = np.abs(analytic - numeric)
    scale = max(float(np.abs(analytic).max()), float(np.abs(numeric).max()), np.finfo(np.float64).tiny)
    error = float(difference.max()) / scale
    if not error < tolerance:
        worst = np.unravel_index(int(difference.argmax()), x.shape)
        place = f"{name}[{', '.join(str(index) for index in worst)}]" if worst else name
        raise AssertionError(
            f"the gradient of {place} is {analytic[worst]:.10g}, and the slope of the function there is "
            f"{numeric[worst]:.10g}: a relative error of {error:.1e}, where {tolerance:.0e} is allowed"
        )
    return error
