"""Columns of numbers, and of two words for yes and no."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.tables.cells import number_of
from nnspec.runtime.data.tables.kinds import (
    Choices,
    Column,
    FittedColumn,
    Floats,
    Warn,
    empty,
    fill_in_words,
    filled,
    flag_name,
    is_real,
    kind,
    statistic,
)
from nnspec.runtime.errors import DataError

NEARLY = 0.9
"""The share of numbers from which another text in a column is taken for a mistake."""

PAIRS = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"), ("on", "off"))
"""The words for yes and no, in lower case."""

_TRUTH = {word: value for yes, no in PAIRS for word, value in ((yes, 1.0), (no, 0.0))} | {"1": 1.0, "0": 0.0}


@kind(rank=2)
@dataclass(frozen=True)
class Number(FittedColumn):
    """A number as it is.

    `fill` is the training rows' statistic, and `flag` whether any of them was missing. With `coerce` a cell that is not
    a number is missing.
    """

    kind = "number"
    fill: float
    flag: bool
    coerce: bool = False

    @classmethod
    def recognizes(cls, column: Column, choices: Choices) -> bool:
        """Return whether cells are numbers. Raises DataError where nearly all are."""
        if column.name in choices.categorical:
            return False
        if column.cells.dtype.kind == "f" or column.name in choices.numeric:
            return True
        if column.cells.dtype.kind == "O":
            _refuse_strays(column)
        return False

    @classmethod
    def fit(cls, column: Column, choices: Choices, whole: Column) -> Self:
        """Take the mean or the median."""
        coerce = column.name in choices.numeric
        values = cls.values(column, coerce)
        if np.isnan(values).all():
            raise empty(column)
        return cls(column.name, *statistic(column, values, choices), coerce)

    @classmethod
    def values(cls, column: Column, coerce: bool = False) -> Floats:
        """Return the numbers of a column, NaN where one is missing, or with `coerce` where a cell is not a number."""
        return numbers(column, coerce)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The column, and whether it is missing."""
        return (self.name, flag_name(self.name)) if self.flag else (self.name,)

    @property
    def scaled(self) -> tuple[bool, ...]:
        """The number is normalized, the flag is not."""
        return (True, False) if self.flag else (True,)

    def encode(self, column: Column, warn: Warn) -> Floats:
        """Return the numbers, with the statistic where one is missing."""
        return np.column_stack(filled(column, self.values(column, self.coerce), self.fill, self.flag, warn))

    def cell_schema(self) -> dict[str, Any]:
        """Return a number or null; a text too where those that are not numbers count as missing."""
        return {"type": ["number", "string", "null"] if self.coerce else ["number", "null"]}

    @classmethod
    def measured(cls, column: Column) -> Floats:
        """Return the numbers; what is not one is missing."""
        return numbers(column, coerce=True)

    def stated(self) -> str:
        """Return how missing values are filled."""
        coerced = "what is not a number is missing" if self.coerce else ""
        return "; ".join(filter(None, (coerced, fill_in_words(self.fill, self.flag))))

    def valid(self) -> bool:
        """As the base class says."""
        return is_real(self.fill) and isinstance(self.flag, bool) and isinstance(self.coerce, bool)


@kind(rank=1)
@dataclass(frozen=True)
class Boolean(Number):
    """Yes as 1 and no as 0. `fill` is the training rows' share of yes, or with missing=median the more frequent."""

    kind = "boolean"

    @classmethod
    def recognizes(cls, column: Column, choices: Choices) -> bool:
        """Return whether the cells are a pair of words for yes and no, or one of them."""
        if column.cells.dtype.kind != "O" or column.name in (*choices.categorical, *choices.numeric):
            return False
        words = {text.lower() for text in column.texts()}
        return bool(words) and any(words <= set(pair) for pair in PAIRS)

    @classmethod
    def values(cls, column: Column, coerce: bool = False) -> Floats:
        """Return 1, 0 or NaN for each cell, a word or a number."""
        found = np.empty(len(column.cells))
        for row, cell in enumerate(column.cells.tolist()):
            missing = cell is None or cell != cell
            word = f"{cell:g}" if isinstance(cell, float) else str(cell).lower()
            value = np.nan if missing else _TRUTH.get(word)
            if value is None:
                raise DataError(f'{column.where(row)} holds "{cell}", and the network knows yes and no there')
            found[row] = value
        return found

    def cell_schema(self) -> dict[str, Any]:
        """Return the words for yes and no, as JSON has them or as the table had them."""
        return {"type": ["boolean", "string", "number", "null"], "enum": [True, False, *_TRUTH, 1, 0, None]}

    @classmethod
    def measured(cls, column: Column) -> NDArray[Any]:
        """Return the words in lower case."""
        return np.array([None if cell is None else cell.lower() for cell in column.cells.tolist()], object)

    @property
    def scaled(self) -> tuple[bool, ...]:
        """Nothing is normalized."""
        return (False,) * len(self.outputs)

    def stated(self) -> str:
        """Return how missing values are filled."""
        return "; ".join(filter(None, ("yes is 1, no is 0", fill_in_words(self.fill, self.flag))))


def numbers(column: Column, coerce: bool = False) -> Floats:
    """Return the numbers of a column, NaN where one is missing, or with `coerce` where a cell is not a number.

    Raises DataError for a cell that is not a number, infinity, and dates.
    """
    cells = column.cells
    if cells.dtype.kind == "M":
        raise DataError(f'column "{column.name}" holds dates, and numbers are needed there')
    if cells.dtype.kind == "O":
        found = np.empty(len(cells))
        for row, cell in enumerate(cells.tolist()):
            value = np.nan if cell is None else number_of(cell, column.decimal)
            if value is None and not coerce:
                raise DataError(f'{column.where(row)} holds "{cell}", which is not a number')
            found[row] = np.nan if value is None else value
        cells = found
    infinite = np.isinf(cells)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise DataError(f"{column.where(row)} holds {cells[row]}: samples must be finite")
    return cells


def _refuse_strays(column: Column) -> None:
    cells = column.cells.tolist()
    known = [row for row, cell in enumerate(cells) if cell is not None]
    odd = [row for row in known if number_of(cells[row], column.decimal) is None]
    others = len(known) - len(odd)
    if odd and others > len(odd) and len(odd) <= max(1, (1 - NEARLY) * len(known)):
        more = f", as {len(odd) - 1:,} more are not" if len(odd) > 1 else ""
        raise DataError(
            f'{column.where(odd[0])} holds "{cells[odd[0]]}", which is not a number{more}; the other {others:,} cells '
            f"are. Correct it, or write numeric={column.written()} to take it for a missing value, or "
            f"categorical={column.written()} to take the column for categories"
        )
