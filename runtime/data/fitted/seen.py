"""What training saw of its inputs, to warn of what is unlike it: an image of 0 to 1 for 0 to 255, ink on paper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.fitted.measure import mean

BEYOND = 0.5
"""How far outside the range of training a number is told of, as a part of that range."""

FLAT = 0.02
"""An image whose numbers span less than this part of the range of training has another scale, or is blank."""

TURNED = 0.25
"""How much nearer to the mean of training an image has to come when light and dark are swapped, of the range."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The smallest, the largest and the mean number of each channel or feature in training, (channels,) float64."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    mean: NDArray[np.float64]

    def unlike(self, samples: NDArray[Any], labels: Sequence[str], features: tuple[str, ...] | None) -> Iterator[str]:
        """Yield what is unlike training in raw samples (samples, …, channels), one sentence for each thing.

        Samples of three axes are images, whose channels are judged together; others are rows, judged by column.
        `labels` name the samples, `features` the columns.
        """
        if not len(samples):
            return
        if samples.ndim == 4:
            yield from self._images(samples.reshape(len(samples), -1), labels)
        else:
            yield from self._columns(samples, labels, features)

    def _images(self, pixels: NDArray[Any], labels: Sequence[str]) -> Iterator[str]:
        low, high = float(self.low.min()), float(self.high.max())
        span = high - low or 1.0
        least, most = pixels.min(axis=1).astype(float), pixels.max(axis=1).astype(float)
        seen = f"training saw {low:g} to {high:g}"
        beyond = np.flatnonzero((least < low - BEYOND * span) | (most > high + BEYOND * span))
        if beyond.size:
            first = beyond[0]
            yield f"{_named(labels, beyond)} has numbers from {least[first]:g} to {most[first]:g}, and {seen}"
        flat = np.flatnonzero(most - least < FLAT * span)
        if flat.size:
            first = flat[0]
            scale = "; is it scaled to 0 to 1?" if least[first] >= 0 and 0 < most[first] <= 1 < high else ""
            yield f"{_named(labels, flat)} has numbers from {least[first]:g} to {most[first]:g}, and {seen}{scale}"
        means, usual = pixels.mean(axis=1, dtype=float), float(self.mean.mean())
        nearer = np.abs(means - usual) - np.abs(low + high - means - usual) > TURNED * span
        nearer[beyond] = nearer[flat] = False
        turned = np.flatnonzero(nearer)
        if turned.size:
            yield (
                f"{_named(labels, turned)} is light where the images of training are dark, or the other way round (its "
                f"mean is {means[turned[0]]:.3g}, theirs {usual:.3g}): swap light and dark, as --invert does"
            )

    def _columns(self, rows: NDArray[Any], labels: Sequence[str], features: tuple[str, ...] | None) -> Iterator[str]:
        span = self.high - self.low
        outside = (rows < self.low - BEYOND * span) | (rows > self.high + BEYOND * span)
        for column in np.flatnonzero(outside.reshape(-1, rows.shape[-1]).any(axis=0)):
            samples = np.flatnonzero(outside[..., column].reshape(len(rows), -1).any(axis=1))
            values = rows[samples[0], ..., column].reshape(-1)
            value = values[outside[samples[0], ..., column].reshape(-1)][0]
            name = f'"{features[column]}"' if features is not None else f"feature {column}"
            low, high = self.low[column], self.high[column]
            yield f"{_named(labels, samples)}: {name} is {value:g}, and training saw {low:g} to {high:g}"


def finite_mean(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of each channel, the largest float where it is beyond that."""
    with np.errstate(over="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.nan_to_num(mean(samples))
    return found


def _named(labels: Sequence[str], samples: NDArray[np.intp]) -> str:
    more = f" (and {samples.size - 1:,} more)" if samples.size > 1 else ""
    return f"{labels[samples[0]]}{more}"
