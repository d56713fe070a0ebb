"""Functions of whole arrays that layers, losses and metrics share.

Each keeps the type of its argument, float32 or float64, and gives a finite result, without a warning, for numbers as
large as ±10⁴ and beyond.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def empty(shape: int | tuple[int, ...], dtype: Any) -> Array:
    """Return an uninitialized array aligned to a cache line, 64 bytes: operations on short vectors are a sixth slower
    on NumPy's own, which begin anywhere."""
    kind = np.dtype(dtype)
    size = (prod(shape) if isinstance(shape, tuple) else shape) * kind.itemsize
    memory = np.empty(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    array: Array = memory[start : start + size].view(kind).reshape(shape)
    return array


def full(shape: int | tuple[int, ...], value: float, dtype: Any) -> Array:
    """Return an aligned array filled with a value."""
    array = empty(shape, dtype)
    array.fill(value)
    return array


def pages(shape: int | tuple[int, ...], dtype: Any) -> Array:
    """Return an array of zeros in whole pages of memory, which `nnspec.runtime.execute.shared_memory` can share with a
    worker process; a plain array if the platform has no anonymous mappings."""
    kind = np.dtype(dtype)
    size = (prod(shape) if isinstance(shape, tuple) else shape) * kind.itemsize
    try:
        from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
    except ImportError:
        return np.zeros(shape, kind)
    if not size:
        return np.zeros(shape, kind)
    try:
        memory = mmap(-1, size, MAP_PRIVATE | MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"no {size:,} bytes of memory") from error
    array: Array = np.frombuffer(memory, kind).reshape(shape)
    return array


# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), highest power first:
# erf(x) = x · P(x²) / Q(x²) below 0.46875, and erfc(x) = exp(−x²) · P(x) / Q(x) from there to 4.
_NEAR = 0.46875
_NEAR_P = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_Q = (
    1.0,
    2.36012909523441209e1,
    2.44024637934444173e2,
    1.28261652607737228e3,
    2.84423683343917062e3,
)
_FAR_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_FAR_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)


def polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Return Σ coefficient · xᵏ by Horner's rule, the highest power first."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


def erf(x: Array) -> Array:
    """Return 2/√π ∫₀ˣ exp(−t²) dt, within 10⁻¹⁵ in float64 (Cody 1969).

    Cody's third range, above 4, is omitted: erfc is below 2·10⁻⁸ there, and his second range is precise enough up to 6,
    where erf rounds to 1 in float64.
    """
    inner = np.clip(x, -_NEAR, _NEAR)
    square = inner * inner
    near = inner * (polynomial(_NEAR_P, square) / polynomial(_NEAR_Q, square))
    size = np.minimum(np.abs(x), 6)
    far = 1 - np.exp(-size * size) * (polynomial(_FAR_P, size) / polynomial(_FAR_Q, size))
    inside = size < _NEAR
    y: Array = near * inside + np.copysign(far, x) * ~inside
    return y


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(−x)), computed as exp(x) / (1 + exp(x)) for negative x, so that exp does not overflow."""
    y: Array = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))
    return y


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)) as max(x, 0) + log(1 + exp(−|x|))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def log_softmax(x: Array) -> Array:
    """Return x − log Σ exp(x) over the last axis. The maximum is subtracted first, so that exp does not overflow."""
    shifted: Array = x - x.max(axis=-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return shifted


def softmax(x: Array) -> Array:
    """Return exp(x) / Σ exp(x) over the last axis."""
    powers: Array = np.exp(x - x.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


def sum_of_places(x: Array) -> Array:
    """Return the sum over every axis but the last, (…, channels) → (channels,).

    The sum is in float64: float32 loses a digit with every factor of 100 in the number of terms.
    """
    total: Array = x.sum(axis=tuple(range(x.ndim - 1)), dtype=np.float64)
    return total.astype(x.dtype, copy=False)


def one_hot(classes: Array, count: int, dtype: Any) -> Array:
    """Return 1 at each class and 0 elsewhere, (…) → (…, count)."""
    return np.equal(classes[..., None], np.arange(count)).astype(dtype)
