"""How strongly two columns belong together, whatever their kinds: from 0, not at all, to 1.

Numbers are float64 with NaN where one is missing; categories are integer codes, −1 where one is missing. Rows in which
one of both is missing are left out.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

FEWEST = 20
"""The fewest rows from which a column may be said to decide the target."""

Measure = Literal["Pearson", "correlation ratio", "Cramér's V"]
Values = NDArray[np.float64] | NDArray[np.intp]


def association(one: Values, other: Values) -> tuple[Measure, float | None]:
    """Return the measure that the kinds of both columns demand, and its value; None where a column is constant.

    Two numbers: Pearson's correlation, from −1 to 1. A number and categories: the correlation ratio, the root of the
    share of the variance that lies between the categories. Categories: Cramér's V, without a correction of its bias.
    """
    present = ~(_missing(one) | _missing(other))
    one, other = one[present], other[present]
    match one.dtype.kind == "f", other.dtype.kind == "f":
        case True, True:
            return "Pearson", pearson(one.astype(np.float64), other.astype(np.float64))
        case True, False:
            return "correlation ratio", correlation_ratio(one.astype(np.float64), other.astype(np.intp))
        case False, True:
            return "correlation ratio", correlation_ratio(other.astype(np.float64), one.astype(np.intp))
        case _:
            return "Cramér's V", cramers_v(one.astype(np.intp), other.astype(np.intp))


def pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Return the correlation of two numbers."""
    x, y = _centred(x), _centred(y)
    scale = np.sqrt((x @ x) * (y @ y))
    return float(np.clip(x @ y / scale, -1, 1)) if scale > 0 else None


def correlation_ratio(values: NDArray[np.float64], codes: NDArray[np.intp]) -> float | None:
    """Return the correlation ratio of numbers over categories."""
    values = _centred(values)
    total = float(values @ values)
    counts = np.bincount(codes)
    if not total > 0 or (counts > 0).sum() < 2:
        return None
    sums = np.bincount(codes, values)
    between = float((sums[counts > 0] ** 2 / counts[counts > 0]).sum())
    return float(np.sqrt(min(1.0, between / total)))


def cramers_v(one: NDArray[np.intp], other: NDArray[np.intp]) -> float | None:
    """Return Cramér's V of two columns of categories."""
    _, one = np.unique(one, return_inverse=True)
    _, other = np.unique(other, return_inverse=True)
    rows, columns = (int(codes.max()) + 1 if codes.size else 0 for codes in (one, other))
    if min(rows, columns) < 2:
        return None
    table = np.bincount(one * columns + other, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    chi2 = float(((table - expected) ** 2 / expected).sum())
    return float(np.sqrt(min(1.0, chi2 / table.sum() / (min(rows, columns) - 1))))


def gives_away(one: Values, target: Values) -> bool:
    """Return whether a column alone decides the target: a sign that it was not known before the target was.

    Categories do where each of them has one class, and at least two rows on average. Numbers do where as many
    thresholds as there are classes less one separate these, or where they are the target on another scale.
    """
    present = ~(_missing(one) | _missing(target))
    one, target = one[present], target[present]
    if len(one) < FEWEST or len(np.unique(target)) < 2:
        return False
    if target.dtype.kind == "f":
        measure, same = association(one, target)
        return measure == "Pearson" and same is not None and abs(same) > 0.9999
    if one.dtype.kind == "f":
        order = np.lexsort((target, one))
        changes = int((np.diff(target[order]) != 0).sum())
        return changes == len(np.unique(target)) - 1 and not _split_ties(one[order], target[order])
    pairs = len(np.unique(one * (int(target.max()) + 1) + target))
    groups = len(np.unique(one))
    return groups == pairs and len(one) >= 2 * groups


def _split_ties(values: Values, target: Values) -> bool:
    """Return whether equal numbers, next to each other, have different classes."""
    return bool(((np.diff(values) == 0) & (np.diff(target) != 0)).any())


def _missing(values: Values) -> NDArray[np.bool_]:
    return np.isnan(values) if values.dtype.kind == "f" else values < 0


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values without their mean, scaled so that squares stay in the range of float64."""
    largest = np.abs(values).max(initial=0)
    scaled = values / largest if largest > 0 else values
    centred: NDArray[np.float64] = scaled - scaled.mean() if scaled.size else scaled
    return np.where(np.abs(centred) < 1e-12, 0.0, centred)
