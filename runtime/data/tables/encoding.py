"""The columns of a table as numbers: learnt from training rows, stored in checkpoints, applied to raw rows.

`ColumnTable` is what a source returns for the inputs of its samples; `ColumnEncoding` is what a network keeps.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.tables.frame import Frame, frame_of, listed
from nnspec.runtime.data.tables.kinds import Choices, Column, FittedColumn, Warn, kind_of, kinds
from nnspec.runtime.data.tables.kinds.category import FEW, Category, identifies_rows
from nnspec.runtime.data.tables.kinds.number import Number
from nnspec.runtime.errors import DataError

MOST_COLUMNS = 100_000


@dataclass(frozen=True)
class ColumnEncoding:
    """How each column of a table becomes numbers, in the order of the columns."""

    columns: tuple[FittedColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that it reads."""
        return tuple(column.name for column in self.columns)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the numbers that a row becomes."""
        return tuple(name for column in self.columns for name in column.outputs)

    @property
    def scaled(self) -> NDArray[np.bool_]:
        """Which of the numbers are normalized, (outputs,)."""
        return np.array([scaled for column in self.columns for scaled in column.scaled], bool)

    @property
    def plain(self) -> bool:
        """Whether a row is its numbers as they are: no category, no date, nothing missing."""
        return all(type(column) is Number and not column.flag and not column.coerce for column in self.columns)

    def blocks(self) -> tuple[tuple[int, int], ...]:
        """Return the first number and the count of numbers of each one-hot column."""
        found, start = [], 0
        for column in self.columns:
            size = len(column.outputs)
            if column.one_hot:
                found.append((start, size))
            start += size
        return tuple(found)

    def text_columns(self) -> tuple[str, ...]:
        """Return the columns whose cells a reader leaves as text although they are numbers."""
        return tuple(column.name for column in self.columns if column.reads_text)

    def encode(self, frame: Frame | Mapping[str, Any], warn: Warn | None = None) -> NDArray[np.float64]:
        """Return the numbers of raw rows, (rows, outputs).

        Arguments:
            frame: the columns by name, in any order and among others: a frame, or arrays and lists (see `frame_of`).
            warn: called with a sentence for each category that training did not see, and for missing values in a
                column that had none.

        Raises DataError where a column is not there, for all such columns at once, and for a cell of another kind.
        """
        frame = frame if isinstance(frame, Frame) else frame_of(frame)
        lacking = [name for name in self.names if name not in frame.columns]
        if lacking:
            raise _lacking(frame, lacking)
        parts = [
            column.encode(Column(column.name, frame.columns[column.name], frame.place, frame.decimal), warn or _silent)
            for column in self.columns
        ]
        return np.ascontiguousarray(np.column_stack(parts))

    def stated(self) -> tuple[str, ...]:
        """Return a sentence for each column that is not a number as it is."""
        named = ((column, column.stated()) for column in self.columns)
        return tuple(f"{column.name}: {column.kind}{', ' if how else ''}{how}" for column, how in named if how)

    def as_text(self) -> str:
        """Return the encoding as canonical JSON."""
        found = [column.as_json() for column in self.columns]
        return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the encoding that `as_text` wrote. Raises ValueError for any other text."""
        try:
            found = json.loads(text)
        except RecursionError:
            raise ValueError("the columns are nested too deeply") from None
        if not isinstance(found, list) or not 0 < len(found) <= MOST_COLUMNS:
            raise ValueError("the columns are not a list")
        columns = tuple(_column(entry) for entry in found)
        if len({column.name for column in columns}) < len(columns):
            raise ValueError("two columns have one name")
        return cls(columns)


def numbers_alone(names: tuple[str, ...], fills: NDArray[np.float64] | None) -> ColumnEncoding:
    """Return the encoding of columns that are numbers; `fills` has what replaces a missing one, None for nothing."""
    if fills is None:
        return ColumnEncoding(tuple(Complete(name, 0.0, False) for name in names))
    return ColumnEncoding(tuple(Number(name, float(fill), False) for name, fill in zip(names, fills, strict=True)))


@dataclass(frozen=True)
class Complete(Number):
    """A number that may not be missing, because nothing says what would replace it."""

    def cell_schema(self) -> dict[str, Any]:
        """Return a number."""
        return {"type": ["number"]}

    def encode(self, column: Column, warn: Warn) -> NDArray[np.float64]:
        """Return the numbers. Raises DataError where one is missing."""
        missing = np.isnan(self.values(column))
        if missing.any():
            where = column.where(int(np.argmax(missing)))
            raise DataError(f"{where} is missing: the network was trained on a complete column, without zscore")
        return super().encode(column, warn)


@dataclass(frozen=True, eq=False)
class ColumnTable:
    """The features of a table, not encoded yet: its columns, and what its user says of their kinds.

    `kept` are the columns that are used even where they seem to identify rows.
    """

    frame: Frame
    choices: Choices = field(default_factory=Choices)
    kept: frozenset[str] = field(default=frozenset())

    def __len__(self) -> int:
        return len(self.frame)

    def fit(self, rows: Any) -> tuple[ColumnEncoding, tuple[str, ...]]:
        """Learn from the training rows, a slice or indices, and return sentences on columns that were left out.

        A column without any value is left out, and so is a text column that identifies rows. Raises DataError where no
        column is left, and for a column that cannot be encoded.
        """
        columns, said = [], []
        for name, cells in self.frame.columns.items():
            whole = Column(name, cells, self.frame.place, self.frame.decimal)
            reason = self._left_out(whole)
            if reason is not None:
                said.append(reason)
                continue
            if (what := _identifies(whole)) is not None and name not in self.kept:
                said.append(f'column "{name}" {what}; if it means nothing, leave it out with ignore={whole.written()}')
            part = _part(whole, np.arange(len(cells))[rows])
            columns.append(kind_of(whole, self.choices).fit(part, self.choices, whole))
        if not columns:
            raise DataError(f"{self.frame.name} has no column to learn from: {'; '.join(said) or 'all are ignored'}")
        return ColumnEncoding(tuple(columns)), tuple(said)

    def without(self, column: str) -> "ColumnTable":
        """Return the table without a column, if there is one of this name."""
        return replace(self, frame=self.frame.select([name for name in self.frame.names if name != column]))

    def encoded(self, encoding: ColumnEncoding, warn: Warn | None = None) -> NDArray[np.float64]:
        """Return the inputs, (rows, outputs)."""
        return encoding.encode(self.frame, warn)

    def _left_out(self, column: Column) -> str | None:
        """Return why a column is not used, None where it is."""
        written = column.written()
        if column.missing().all():
            return f'column "{column.name}" has no value at all and is left out'
        named = column.name in self.kept or column.name in self.choices.categorical
        if named or kind_of(column, self.choices) is not Category or not identifies_rows(column):
            return None
        count, cells = len(column.texts()), int((~column.missing()).sum())
        return (
            f'column "{column.name}" has {count:,} different texts in {cells:,} cells, so it names rows and is left '
            f"out; write categorical={written} to use it, or ignore={written} to leave it out without this warning"
        )


def _column(entry: object) -> FittedColumn:
    found = kinds().get(entry["kind"]) if isinstance(entry, dict) and isinstance(entry.get("kind"), str) else None
    if found is None or not isinstance(entry, dict):
        raise ValueError("a column is of no kind known to this version")
    return found.from_json(entry)


def _lacking(frame: Frame, names: list[str]) -> DataError:
    if len(names) == 1:
        return frame.lacks(names[0])
    return DataError(f"{frame.name} lacks the columns {listed(names)}; it has {listed(frame.names)}")


def _identifies(column: Column) -> str | None:
    """Return how numbers seem to name rows: they count them, or differ in each and are called an id; None otherwise."""
    cells = column.cells
    if cells.dtype.kind != "f" or len(cells) <= FEW:
        return None
    if cells[0] in (0, 1) and np.array_equal(cells, np.arange(len(cells)) + cells[0]):
        return f"counts the rows from {cells[0]:.0f}"
    called_id = column.name.lower() in ("id", "index", "key") or column.name.endswith(("_id", "Id", "ID", " id"))
    if called_id and np.array_equal(cells, np.floor(cells)) and len(np.unique(cells)) == len(cells):
        return "has another number in each row, so it seems to name them"
    return None


def _part(column: Column, rows: NDArray[np.intp]) -> Column:
    """Return some rows of a column."""
    return Column(column.name, column.cells[rows], lambda row: column.place(int(rows[row])), column.decimal)


def _silent(text: str) -> None:
    """Ignore a warning."""
