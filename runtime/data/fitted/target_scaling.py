"""The scaling of numeric targets: a network computes scaled numbers, and its users see theirs."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.fitted.measure import limits, zscore
from nnspec.runtime.errors import DataError
from nnspec.runtime.targets import as_numbers


@dataclass(frozen=True, eq=False)
class TargetScaling:
    """One mean and one deviation for each column of the targets, (outputs,) float64; a deviation is above 0.

    A network trains on (target − shift) / scale, and predicts output · scale + shift.
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(cls, targets: NDArray[Any]) -> Self:
        """Learn the scaling of training targets (samples, …, outputs). A constant column is only shifted.

        Raises DataError for numbers whose spread is outside the range of float64.
        """
        targets = targets if targets.ndim > 1 else targets[:, None]  # a number for each sample
        low, high = limits(targets)
        shift, scale = zscore(targets, low, high)
        if not (np.isfinite(shift).all() and np.isfinite(scale).all() and (scale > 0).all()):
            raise DataError(
                f"targets from {low.min():g} to {high.max():g} cannot be scaled: their spread is outside the "
                "range of float64; scale them yourself, and write targets=none"
            )
        return cls(shift, scale)

    def apply(self, targets: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return (target − shift) / scale of targets (…, outputs) in float64, or write it to `out` in its type."""
        scaled = targets - self.shift
        scaled /= self.scale
        if out is None:
            return scaled
        np.copyto(out, scaled, casting="same_kind")
        return out

    def scaled(self, targets: NDArray[Any], outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the scaled target of each output, (batch, …, outputs) float64. `outputs` gives the shape.

        Raises TargetError for targets that do not fit the outputs; those of a single output may lack the last axis.
        """
        return self.apply(as_numbers(targets, np.broadcast_to(np.float64(0), outputs.shape)))

    def invert(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return output · scale + shift of a network's outputs (…, outputs), in their type."""
        numbers = outputs * self.scale
        numbers += self.shift
        return numbers.astype(outputs.dtype)
