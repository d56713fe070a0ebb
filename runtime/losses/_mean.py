"""Means of the terms of a loss: over samples or steps that are not padding, or over all numbers; with weights."""

import numpy as np

from nnspec.runtime.arrays import Array


def weighted(terms: Array, weights: Array | None) -> Array:
    """Return the terms (batch, …), those of each sample multiplied by its weight."""
    return terms if weights is None else terms * weights.reshape(-1, *[1] * (terms.ndim - 1)).astype(terms.dtype)


def mean(x: Array) -> float:
    """Return the mean over all axes, summed in float64."""
    return float(x.mean(dtype=np.float64))


def mean_of_real(terms: Array, gradient: Array, real: Array, weights: Array | None) -> tuple[float, Array]:
    """Return the mean of the terms (…, 1) where `real` (…, 1), and the gradient (…, classes) of that mean.

    `gradient` is that of each term. Places that are not real have neither loss nor gradient and are not counted.
    """
    terms, gradient = weighted(terms, weights), weighted(gradient, weights)
    if real.all():
        return mean(terms), gradient / terms.size
    count = max(int(np.count_nonzero(real)), 1)
    return float((terms * real).sum(dtype=np.float64)) / count, gradient * real / count
