"""The weights of samples in the training loss: by class, by a column of the data, or both."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.samples import Samples
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary.statements import Weights


def weights_of(samples: Samples, word: Weights | None) -> NDArray[np.float64] | None:
    """Return the weight of each sample, (samples,): those given, times the column that the word names; None without.

    Raises DataError where the source has no such column, or a weight is not a finite number from 0.
    """
    if word is None or word.column is None:
        return samples.weights
    if samples.column is None:
        raise DataError(f"{samples.name} has no columns beside its samples and targets: leave out weights column=", 2)
    what = f'the weights "{word.column}" of {samples.name}'
    column = checked_weights(samples.column(word.column), what, len(samples.inputs))
    return column if samples.weights is None else column * samples.weights


def checked_weights(values: NDArray[Any], what: str, count: int) -> NDArray[np.float64]:
    """Return weights as float64, (samples,). Raises DataError where one is not a finite number from 0."""
    if values.dtype.kind not in "buif" or values.shape != (count,):
        raise DataError(f"{what} are {values.dtype} of the shape {values.shape}: give one number for each of {count:,}")
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        raise DataError(f"{what}: {values[wrong[0]]} (sample {wrong[0]}, counted from 0) is not a number from 0")
    return values.astype(np.float64)


def training_weights(
    name: str,
    own: NDArray[np.float64] | None,
    targets: NDArray[Any],
    classes: tuple[str, ...] | None,
    balanced: bool,
) -> NDArray[np.float64]:
    """Return the weight of each training sample, (samples,), with a mean of 1.

    With `balanced` each class has the same total weight: that of a sample is proportional to 1 / (samples of its
    class), as scikit-learn's "balanced". `own` (samples,) multiplies them. Raises DataError where targets are not one
    for each sample, or every weight is 0.
    """
    if np.issubdtype(targets.dtype, np.integer) and targets.ndim > 1:
        raise DataError(f"weights are for one target of each sample, and {name} has a target for each step", 2)
    weights = own if own is not None else np.ones(len(targets))
    if balanced:
        if classes is None or targets.ndim > 1:
            raise DataError(f"classes=balanced needs one class for each sample, and {name} has none", 2)
        weights = weights / np.bincount(targets, minlength=len(classes))[targets]
    if not weights.any():
        raise DataError(f"every training sample of {name} has the weight 0")
    return np.asarray(weights / weights.mean())
