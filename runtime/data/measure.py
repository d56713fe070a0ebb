"""What the numbers of many samples have in common, found in chunks: no float copy of the whole data ever exists.

All results are float64, one for each channel or feature, which is the last axis of a sample.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2**18  # numbers looked at a time: 2 MB of float64, which stay in the processor's cache

Floats = NDArray[np.float64]


def limits(samples: NDArray[Any]) -> tuple[Floats, Floats]:
    """The smallest and the largest value of each channel; NaN where a channel has one."""
    lows, highs = [], []
    for chunk in _chunks(samples):
        lows.append(chunk.min(axis=0))
        highs.append(chunk.max(axis=0))
    return np.min(lows, axis=0), np.max(highs, axis=0)


def mean_and_deviation(samples: NDArray[Any]) -> tuple[Floats, Floats]:
    """The mean of each channel and the standard deviation around it, in two passes, so that no large squares cancel."""
    channels = samples.shape[-1]
    total, squares, count = np.zeros(channels), np.zeros(channels), samples.size // channels
    for chunk in _chunks(samples):
        total += chunk.sum(axis=0)
    mean = total / count
    for chunk in _chunks(samples):
        chunk -= mean
        squares += np.einsum("nc,nc->c", chunk, chunk)
    return mean, np.sqrt(squares / count)


def first_nonfinite_index(samples: NDArray[Any]) -> tuple[int, ...] | None:
    """Where the first NaN or infinity stands, or None."""
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


def _chunks(samples: NDArray[Any]) -> Iterator[Floats]:
    """The samples as (rows, channels) of float64, chunk by chunk in one buffer that may be written to."""
    rows = _rows(samples)
    buffer = np.empty((min(rows, len(samples)), *samples.shape[1:]))
    for start in range(0, len(samples), rows):
        part = samples[start : start + rows]
        chunk = buffer[: len(part)]
        np.copyto(chunk, part)
        yield chunk.reshape(-1, samples.shape[-1])
