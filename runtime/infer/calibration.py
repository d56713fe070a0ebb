"""How far a classifier's probabilities can be trusted: its confidence against how often it is right."""

from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.errors import NetworkError

BINS = 15
"""The bins of confidence, as Guo et al. take."""


@dataclass(frozen=True)
class Calibration:
    """Samples by confidence, the probability of the predicted class, in equal bins of 0 to 1.

    `edges` is (bins + 1,), `counts` (bins,) how many samples each has, `confidence` and `accuracy` (bins,) their means,
    NaN in an empty bin.
    """

    edges: Array
    counts: Array
    confidence: Array
    accuracy: Array

    @property
    def error(self) -> float:
        """The expected calibration error, Σ counts/n · |accuracy − confidence| (Guo et al. 2017, equation 3)."""
        gaps = np.abs(np.nan_to_num(self.accuracy) - np.nan_to_num(self.confidence))
        return float((self.counts * gaps).sum() / self.counts.sum())

    @property
    def gap(self) -> float:
        """Mean confidence minus accuracy over all samples: above 0 where the network is too sure."""
        share = self.counts / self.counts.sum()
        return float((share * (np.nan_to_num(self.confidence) - np.nan_to_num(self.accuracy))).sum())


def calibration(probabilities: Array, labels: Array, bins: int = BINS) -> Calibration:
    """Return the calibration of probabilities (samples, classes) for true classes (samples,).

    Raises NetworkError where there are no samples.
    """
    if not len(labels):
        raise NetworkError("there are no samples to judge the probabilities by", 2)
    sure = probabilities.max(axis=-1).astype(np.float64)
    right = probabilities.argmax(axis=-1) == labels
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)  # a bin has its upper edge
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, sure, bins) / counts
        accuracy = np.bincount(place, right, bins) / counts
    return Calibration(edges, counts, confidence, accuracy)
