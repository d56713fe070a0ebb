"""Statistics of many samples, computed in chunks so that the whole data are never copied to floats.

Results are float64, one for each channel or feature: the last axis of a sample.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2**18  # numbers in a chunk: 2 MB of float64, which fit the processor's cache

Floats = NDArray[np.float64]


def limits(samples: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the smallest and the largest value of each channel; NaN for a channel that has one."""
    low = high = samples[0]
    for part in _parts(samples):
        low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
    low, high = (each.reshape(-1, samples.shape[-1]).astype(np.float64) for each in (low, high))
    return low.min(axis=0), high.max(axis=0)


def mean(samples: NDArray[Any]) -> Floats:
    """Return the mean of each channel."""
    total = np.zeros(samples.shape[-1])
    if samples.dtype.kind in "bui" and samples.dtype.itemsize <= 2:  # the sum is exact, in any order
        for part in _parts(samples):
            total += part.sum(axis=0, dtype=np.int64).reshape(-1, samples.shape[-1]).sum(axis=0)
    else:
        for chunk in _chunks(samples):
            total += chunk.sum(axis=0)
    average: Floats = total / (samples.size // samples.shape[-1])
    return average


def mean_and_deviation(samples: NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the mean and the standard deviation of each channel, in two passes to avoid cancellation."""
    average, squares = mean(samples), np.zeros(samples.shape[-1])
    for chunk in _chunks(samples):
        chunk -= average
        squares += np.einsum("nc,nc->c", chunk, chunk)
    return average, np.sqrt(squares / (samples.size // samples.shape[-1]))


def zscore(samples: NDArray[Any], low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Return the mean and the deviation of each channel; the deviation of a constant channel is 1.

    `low` and `high` are the limits of the samples. Numbers too large to compute a mean give infinity or NaN.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        average, deviation = mean_and_deviation(samples)
    return average, np.where(high > low, deviation, 1.0)


def first_nonfinite_index(samples: NDArray[Any]) -> tuple[int, ...] | None:
    """Return the index of the first NaN or infinity, or None."""
    if samples.dtype.kind != "f":
        return None
    rows = _rows(samples)
    for start in range(0, len(samples), rows):
        finite = np.isfinite(samples[start : start + rows])
        if not finite.all():
            sample, *place = np.argwhere(~finite)[0].tolist()
            return (start + sample, *place)
    return None


def _rows(samples: NDArray[Any]) -> int:
    return max(1, _CHUNK // max(1, samples[:1].size))


def _parts(samples: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield consecutive samples (rows, …) in their own type."""
    rows = _rows(samples)
    for start in range(0, len(samples), rows):
        yield samples[start : start + rows]


def _chunks(samples: NDArray[Any]) -> Iterator[Floats]:
    """Yield the samples as (rows, channels) of float64, each chunk in the same buffer, which the caller may change."""
    buffer = np.empty((min(_rows(samples), len(samples)), *samples.shape[1:]))
    for part in _parts(samples):
        chunk = buffer[: len(part)]
        np.copyto(chunk, part)
        yield chunk.reshape(-1, samples.shape[-1])
