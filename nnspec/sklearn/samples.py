"""Samples and weights as scikit-learn's callers give them: checked, in an order of their own, repeated by their counts.

A fit does not depend on the order of its rows, and a row with the weight 2 is the row twice, to the bit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from nnspec.runtime.data.data_frames import is_data_frame

MOST_REPEATED = 10
"""Whole weights are counts of rows as long as they make at most this many times the rows; larger ones are factors."""


def checked_fit(estimator: Any, x: Any, y: Any, reset: bool) -> tuple[Any, NDArray[Any]]:
    """Return samples and targets to fit, checked; with `reset` the estimator learns the features' count and names.

    Samples are an array (n, …) of numbers, or a data frame with columns that have to be encoded. Raises ValueError,
    TypeError as scikit-learn does.
    """
    if mixed_frame(x):
        validate_data(estimator, x, y, reset=reset, skip_check_array=True)
        y = check_array(y, ensure_2d=False, dtype=None, accept_sparse="csr", input_name="y", estimator=estimator)
        check_consistent_length(x, y)
        return x, _dense(y)
    rows, shape = _as_rows(x)
    rows, y = validate_data(estimator, rows, y, reset=reset, multi_output=True)
    return _numbers(rows, shape), _dense(y)


def checked(estimator: Any, x: Any, encoded: bool) -> Any:
    """Return samples to predict, checked against those of the fit. `encoded`: that was on a frame of mixed columns."""
    if encoded:
        if not is_data_frame(x):
            raise ValueError(
                f"{type(estimator).__name__} was fitted on a data frame with text, dates or missing values, and X is "
                f"a {type(x).__name__}: give a data frame with the same columns"
            )
        validate_data(estimator, x, reset=False, skip_check_array=True)
        return x
    rows, shape = _as_rows(x)
    return _numbers(validate_data(estimator, rows, reset=False), shape)


def checked_weights(weights: Any, count: int) -> NDArray[np.float64] | None:
    """Return the weights of samples, (count,), None where there are none. Raises ValueError."""
    if weights is None:
        return None
    if isinstance(weights, int | float | np.number):
        weights = np.full(count, weights)
    found = check_array(weights, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if found.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if found.shape != (count,):
        raise ValueError(f"sample_weight has {len(found):,} weights, and X has {count:,} samples")
    if (found < 0).any():
        raise ValueError("sample_weight has a negative weight: give numbers from 0")
    if not found.any():
        raise ValueError("every sample weight is zero: one sample at least must count")
    return np.asarray(found)


def mixed_frame(x: Any) -> bool:
    """Return whether samples are a data frame with other columns than numbers without gaps."""
    if not is_data_frame(x):
        return False
    for name in list(getattr(x, "column_names", None) or x.columns):
        column = np.asarray(x[name])
        if column.ndim != 1 or column.dtype.kind not in "buif":  # two columns of one name are scikit-learn's to refuse
            return column.ndim == 1
        if column.dtype.kind == "f" and np.isnan(column).any():
            return True
    return False


def in_own_order(x: Any, y: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.intp]:
    """Return the order of samples that follows from their values, targets and weights alone, (n,)."""
    ties = [y] if weights is None else [weights, y]
    return np.lexsort([_keys(part) for part in (*ties, _codes(x) if is_data_frame(x) else x)])


def counted(
    weights: NDArray[np.float64] | None, order: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64] | None]:
    """Return the samples to train on, as places of an order, and their weights, None where all weigh the same.

    Whole weights are counts: their samples come so many times, and weigh the same. Others multiply the loss; a sample
    without weight is left out.
    """
    if weights is None:
        return order, None
    own = weights[order]
    if (own == np.floor(own)).all() and own.sum() <= MOST_REPEATED * len(own):
        return np.repeat(order, own.astype(np.intp)), None
    order = order[own > 0]
    return order, weights[order]


def rows_of(x: Any, places: NDArray[np.intp]) -> Any:
    """Return the samples at these places."""
    return _safe_indexing(x, places) if is_data_frame(x) else x[places]


def _as_rows(x: Any) -> tuple[Any, tuple[int, ...]]:
    """Return samples of several axes as rows, and the shape of each; as they are, and (), for any others."""
    given = np.shape(x) if isinstance(x, np.ndarray) else ()
    if len(given) < 3 or not x.size:
        return x, ()
    return x.reshape(len(x), -1), given[1:]


def _numbers(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return checked rows in the shape of the samples, of a type that nnspec takes."""
    if rows.dtype.kind == "f" and rows.dtype.itemsize not in (4, 8):
        rows = rows.astype(np.float64)
    return rows.reshape(len(rows), *shape) if shape else rows


def _dense(y: Any) -> NDArray[Any]:
    return np.asarray(y.toarray() if hasattr(y, "toarray") else y)


def _keys(rows: NDArray[Any]) -> NDArray[np.void]:
    """Return the bytes of each row, (n,), which sort and compare as one value."""
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1))
    return flat.view(np.dtype((np.void, flat.itemsize * flat.shape[1])))[:, 0]


def _codes(frame: Any) -> NDArray[np.intp]:
    """Return a number for each cell of a data frame, (rows, columns): equal cells of a column have the same one."""
    names = list(getattr(frame, "column_names", None) or frame.columns)
    columns = (np.asarray(frame[name]) for name in names)
    return np.column_stack([np.unique(column.astype(str), return_inverse=True)[1] for column in columns])
