"""A table in memory: columns by name, each an array of one type, and where its rows come from.

Readers make frames, and the encoding of columns reads them. A frame does not know kinds of columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near

MOST_LISTED = 30
"""The most columns that a message lists."""


@dataclass(frozen=True, eq=False)
class Frame:
    """Columns of equal length by name.

    Arguments:
        name: the file, for messages.
        columns: by name, each (rows,): float64, NaN where a value is missing; datetime64, NaT where it is missing; or
            objects, texts and None.
        lines: the line of each row in the file, None for a source without lines.
        notes: what was found out about the file.
        decimal: the decimal sign of numbers in texts.
        named: whether the file itself names its columns.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    lines: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    decimal: str = "."
    named: bool = True

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> str:
        """Return where a row is, for messages: "iris.csv, line 7"."""
        if self.lines is None:
            return f"{self.name}, row {row} (counted from 0)"
        return f"{self.name}, line {self.lines[row]}"

    def label(self, row: int) -> str:
        """Return a short name of a row: "iris.csv:7"."""
        return f"{self.name}[{row}]" if self.lines is None else f"{self.name}:{self.lines[row]}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.columns)

    def select(self, names: Sequence[str]) -> "Frame":
        """Return the columns of these names. Raises DataError for one that is not there."""
        return replace(self, columns={name: self.column(name) for name in names})

    def column(self, name: str) -> NDArray[Any]:
        """Return a column. Raises DataError, which lists the columns, where there is none of this name."""
        if name not in self.columns:
            raise self.lacks(name)
        return self.columns[name]

    def lacks(self, name: str) -> DataError:
        """Return the error for a column that is not there: the nearest name, or the columns that are."""
        close = near(name, self.names)
        hint = f'did you mean "{close}"? ' if close else ""
        return DataError(f'{self.name} has no column "{name}"; {hint}its columns are {listed(self.names)}')


def listed(names: Sequence[str]) -> str:
    """Return names for a message, at most 30 of them, those that are not plain words quoted as a spec needs it."""
    shown = ", ".join(name if name.isidentifier() else f'"{name}"' for name in names[:MOST_LISTED])
    return f"{shown}, … ({len(names)} in all)" if len(names) > MOST_LISTED else shown


def frame_of(columns: Mapping[str, Any], name: str = "the table") -> Frame:
    """Return a frame of arrays or lists by name: numbers, booleans, texts, dates, None where a value is missing.

    Rows are numbered from 0 in messages. Raises DataError for columns of different lengths or of other things.
    """
    made = {str(key): as_column(values, f'column "{key}" of {name}') for key, values in columns.items()}
    lengths = {key: len(column) for key, column in made.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the columns of {name} differ in length: {lengths}")
    return Frame(name, made)


def as_column(values: Any, what: str) -> NDArray[Any]:
    """Return values as a column of a frame: float64, datetime64[us] or objects of texts and None."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"{what} has the shape {array.shape}: a column has one value for each row")
    match array.dtype.kind:
        case "b":
            return np.array(["true" if value else "false" for value in array.tolist()], object)
        case "u" | "i" | "f":
            return array.astype(np.float64)
        case "M":
            return array.astype("datetime64[us]")
        case "m":
            return np.where(np.isnat(array), np.nan, array / np.timedelta64(1, "s"))
        case "U":
            return array.astype(object)
        case "O":
            return _of_objects(array, what)
        case _:
            raise DataError(f"{what} holds {array.dtype}: give numbers, texts, booleans or dates")


def _of_objects(array: NDArray[Any], what: str) -> NDArray[Any]:
    """Return a column of Python objects, by the type of those that are not missing."""
    import datetime
    from numbers import Real

    values = [None if _absent(value) else value for value in array.tolist()]
    real = [value for value in values if value is not None]
    if all(isinstance(value, bool | np.bool_) for value in real) and real:
        return np.array([None if v is None else "true" if v else "false" for v in values], object)
    if all(isinstance(value, Real) for value in real) and real:
        return np.array([np.nan if v is None else float(v) for v in values], np.float64)
    if all(isinstance(value, datetime.date) for value in real) and real:
        return np.array([np.datetime64("NaT") if v is None else _moment(v) for v in values], "datetime64[us]")
    if all(isinstance(value, str | Real | datetime.time) for value in real):
        return np.array([None if v is None else str(v) for v in values], object)
    odd = next(value for value in real if not isinstance(value, str | Real | datetime.time))
    raise DataError(f"{what} holds a {type(odd).__name__}: give numbers, texts, booleans or dates")


def _absent(value: Any) -> bool:
    """Return whether an object stands for a missing value: None, NaN, NaT, pandas.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _moment(value: Any) -> np.datetime64:
    """Return a date or datetime in UTC where it names a zone, else as it is."""
    import datetime

    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")
