"""Data frames and series of other libraries: pandas, Polars, PyArrow and whatever else has their interface.

None of them is imported: a frame is recognized by the protocols of exchange, `__dataframe__` or Arrow's, and by the
names of its columns, which are read one by one as NumPy arrays.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from nnspec.runtime.data.samples import rectangular
from nnspec.runtime.errors import DataError

if TYPE_CHECKING:
    from nnspec.runtime.data.tables.encoding import ColumnEncoding
    from nnspec.runtime.data.tables.frame import Frame


def is_data_frame(values: Any) -> bool:
    """Return whether values are a data frame, with names for its columns."""
    exchanged = hasattr(values, "__dataframe__") or hasattr(values, "__arrow_c_stream__")
    return exchanged and (hasattr(values, "column_names") or hasattr(values, "columns"))


def frame_from(values: Any, name: str) -> "Frame":
    """Return the columns of a data frame. `name` names it in messages.

    Raises DataError for two columns of one name, and for columns of other things than numbers, texts, booleans, dates.
    """
    from nnspec.runtime.data.tables.frame import frame_of

    names = _names(values)
    twice = next((column for column in names if names.count(column) > 1), None)
    if twice is not None:
        raise DataError(f'{name} has two columns called "{twice}": rename one')
    if not names:
        raise DataError(f"{name} has no columns")
    return frame_of({str(column): np.asarray(values[column]) for column in names}, name)


def rows_from(values: Any, encoding: "ColumnEncoding | None", shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the rows of a data frame as samples of a network, (samples, …).

    Columns are found by name and encoded; without an encoding they are numbers, in the order of the frame. Where a
    sample is several rows, (time, features), every window of consecutive rows is one. Raises DataError for columns that
    are not there, all at once, and for cells that cannot be encoded. Warns of what training did not see.
    """
    from nnspec.runtime.data.tables.encoding import numbers_alone

    frame = frame_from(values, "the data frame")
    known = encoding if encoding is not None else numbers_alone(frame.names, None)
    rows = known.encode(frame, lambda text: warnings.warn(text, stacklevel=2))
    if len(shape) != 2 or encoding is None or shape[1] != rows.shape[1]:
        return rows
    if len(rows) < shape[0]:
        raise DataError(f"{frame.name} has {len(rows)} rows, and the network needs {shape[0]} to predict the next one")
    return sliding_window_view(rows, shape[0], axis=0).swapaxes(1, 2)


def targets_from(values: Any, name: str) -> NDArray[Any]:
    """Return targets as an array: those of a data frame, a series, an array or a list.

    One column becomes (samples,), several (samples, columns). Objects become numbers or text, whichever they are.
    Raises DataError for a frame of several columns that are not all numbers, and for rows of different lengths.
    """
    if not is_data_frame(values):
        return _plain(rectangular(values, name), name)
    columns = [_plain(np.asarray(values[column]), f'column "{column}" of {name}') for column in _names(values)]
    if len(columns) == 1:
        return columns[0]
    odd = next((c for c, column in zip(_names(values), columns, strict=True) if column.dtype.kind not in "buif"), None)
    if odd is not None or not columns:
        raise DataError(f'{name} have text in the column "{odd}": several columns must be numbers; give classes as one')
    return np.column_stack(columns)


def _names(values: Any) -> list[Any]:
    """Return the names of the columns. PyArrow has them apart from the columns themselves."""
    names: Sequence[Any] = getattr(values, "column_names", None) or values.columns
    return list(names)


def _plain(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return an array without objects, where they are numbers, booleans or texts, one for each sample."""
    if array.dtype.kind != "O" or array.ndim != 1 or all(isinstance(value, str) for value in array.tolist()):
        return array
    from nnspec.runtime.data.tables.frame import as_column

    return as_column(array, name)
