"""Series, points in time order, cut into windows; and the source sine, a noisy series."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.sequence_sources import Sine
from nnspec.spec_lang.vocabulary.windowing import WindowedSeries


def windows(
    name: str,
    points: NDArray[np.float64],
    target: NDArray[np.float64],
    word: WindowedSeries,
    place: Callable[[int], str],
    features: tuple[str, ...] | None = None,
    times: NDArray[Any] | None = None,
) -> Samples:
    """Cut a series (time, columns) into samples (windows, window, columns).

    The target of a sample is `target` (time,) or (time, outputs) at the point `horizon` after its last: (windows,
    outputs); (windows, window, outputs) where every step predicts; (windows, horizon · outputs), one point after the
    other, where all points up to the horizon are predicted. `times` (time,) are the dates of the points. Raises
    DataError where the series is shorter than a window and its horizon.
    """
    assert word.window is not None
    count, needed = len(points) - word.horizon - word.window + 1, word.window + word.horizon
    if count < 1:
        raise DataError(
            f"{name} has {len(points):,} points, and a window of {word.window} with a horizon of {word.horizon} needs "
            f"{needed:,}: write a smaller window="
        )
    apart = word.points_apart
    inputs = np.ascontiguousarray(sliding_window_view(points, word.window, axis=0)[:count:apart].swapaxes(1, 2))
    columns = target.reshape(len(target), -1)
    if word.predict == "all":
        ahead = sliding_window_view(columns[word.window :], word.horizon, axis=0)[:count:apart]
        targets = ahead.swapaxes(1, 2).reshape(len(ahead), -1)
    else:
        every = sliding_window_view(columns[word.horizon :], word.window, axis=0)[:count:apart].swapaxes(1, 2)
        targets = every.copy() if word.predict == "every" else every[:, -1].copy()
    first = {"last": word.window + word.horizon - 1, "every": word.horizon, "all": word.window}[word.predict]
    return Samples(
        name,
        inputs,
        targets,
        lambda index: place(index * apart),
        features=features,
        steps=True,
        ordered=True,
        gap=-(-(word.horizon - 1) // apart) if word.predict == "all" else 0,
        times=times[first:][:count:apart] if times is not None else None,
    )


def sine(word: Sine) -> NDArray[np.float64]:
    """Return sin(frequency · t) + noise for t = 0, 1, 2, …, as (length,)."""
    random = np.random.Generator(np.random.PCG64(word.seed))
    time = np.arange(word.length)
    values: NDArray[Any] = np.sin(word.frequency * time) + word.noise * random.standard_normal(word.length)
    return values


@reads(Sine)
def load_sine(word: Sine, folder: Path) -> Samples:
    """Generate the sine and cut it into windows."""
    series = sine(word)
    return windows("sine", series[:, None], series, word, lambda index: f"sine, point {index}")
