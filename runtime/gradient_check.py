"""The check of a gradient: it is compared with finite differences of the function, number by number."""

from collections.abc import Callable

import numpy as np

from nnspec.runtime.arrays import Array

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""The step at which truncation (h²) and rounding (eps / h), the errors of a central difference, are equal: 6·10⁻⁶."""


def numeric_gradient(f: Callable[[Array], float], x: Array) -> Array:
    """Return ∂f/∂x by central differences, (f(x + h) − f(x − h)) / 2h for each number of x, in float64.

    h is STEP, multiplied by |x| for numbers larger than 1. `f` gets the same array at each call, with one number
    changed; it must neither keep the array nor round to float32.
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
        gradient[place] = (above - below) / ((value + h) - (value - h))  # 2h as rounded to float64
        moved[place] = value
    return gradient


def gradient_check(
    f: Callable[[Array], float], x: Array, analytic: Array, name: str = "x", tolerance: float = 1e-6
) -> float:
    """Compare a gradient of f at x with central differences; return the relative error.

    This is the largest difference, relative to the largest number of either gradient: small numbers have rounding
    errors of the size of large ones. `name` is the name of x in the message. Raises AssertionError, with both numbers
    at the worst place, if the error is not below the tolerance or the shapes differ.
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
