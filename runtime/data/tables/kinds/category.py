"""Columns of text: each different text is a category."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.tables.kinds import (
    Cells,
    Choices,
    Column,
    FittedColumn,
    Floats,
    Warn,
    flag_name,
    kind,
    refused,
)
from nnspec.runtime.errors import DataError

MOST_CATEGORIES = 1000
"""The most categories of a column: each is a number of every sample."""

FEW = 20
"""A column with at most so many different texts never counts as one that identifies rows."""

_LISTED = 6


@kind(rank=9)
@dataclass(frozen=True)
class Category(FittedColumn):
    """One-hot: a 0 or 1 for each category of the training rows, in sorted order.

    Missing cells are a category of their own, the last one, where `missing` says that the training rows had some. A
    category that they did not have becomes zeros, with a warning that names it.
    """

    kind = "category"
    reads_text = True
    one_hot = True
    categories: tuple[str, ...]
    missing: bool

    @classmethod
    def recognizes(cls, column: Column, choices: Choices) -> bool:
        """Return True: what is of no other kind is text."""
        return True

    @classmethod
    def fit(cls, column: Column, choices: Choices, whole: Column) -> Self:
        """Sort the categories."""
        missing = column.missing()
        if missing.any() and choices.missing == "refuse":
            raise refused(column, int(np.argmax(missing)))
        found = sorted({text for text in texts(column.cells) if text is not None})
        if len(found) > MOST_CATEGORIES:
            raise DataError(
                f'column "{column.name}" has {len(found):,} categories in the training split, and {MOST_CATEGORIES:,} '
                f"are the most: leave it out with ignore={column.written()}, or group its values"
            )
        return cls(column.name, tuple(found), bool(missing.any()))

    @property
    def outputs(self) -> tuple[str, ...]:
        """A name for each category, as sex=male."""
        named = tuple(f"{self.name}={category}" for category in self.categories)
        return (*named, flag_name(self.name)) if self.missing else named

    @property
    def scaled(self) -> tuple[bool, ...]:
        """Nothing is normalized."""
        return (False,) * len(self.outputs)

    def encode(self, column: Column, warn: Warn) -> Floats:
        """Return the one-hot rows, with a warning for each category that training did not see."""
        numbers: dict[str | None, int] = {category: number for number, category in enumerate(self.categories)}
        if self.missing:
            numbers[None] = len(numbers)
        encoded = np.zeros((len(column.cells), len(self.outputs)))
        unseen: dict[str | None, list[int]] = {}
        for row, text in enumerate(texts(column.cells)):
            number = numbers.get(text)
            if number is None:
                unseen.setdefault(text, []).append(row)
            else:
                encoded[row, number] = 1
        for text, rows in unseen.items():
            warn(self._unseen(column, text, rows))
        return encoded

    def _unseen(self, column: Column, text: str | None, rows: list[int]) -> str:
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        where = f"{column.where(rows[0])}{more}"
        if text is None:
            return f"{where} is missing and never was in training: all its categories are 0"
        return f'{where} holds "{text}", which training did not see ({_listed(self.categories)}): its categories are 0'

    def cell_schema(self) -> dict[str, Any]:
        """Return that any text, number or boolean will do: an unknown one is a warning, as a missing one may be."""
        return {"type": ["string", "number", "boolean", "null"], "examples": list(self.categories[:_LISTED])}

    @classmethod
    def measured(cls, column: Column) -> NDArray[Any]:
        """Return the texts."""
        return np.array(texts(column.cells), object)

    def stated(self) -> str:
        """Return the number of categories, and the first of them."""
        missing = "; missing is one more" if self.missing else ""
        return f"{len(self.categories)} one-hot: {_listed(self.categories)}{missing}"

    def valid(self) -> bool:
        """As the base class says."""
        names = self.categories
        return (
            isinstance(names, tuple)
            and len(names) <= MOST_CATEGORIES
            and len(names) + bool(self.missing) > 0
            and all(isinstance(name, str) for name in names)
            and len(set(names)) == len(names)
            and isinstance(self.missing, bool)
        )


def texts(cells: Cells) -> list[str | None]:
    """Return cells as texts: 3.0 is "3"."""
    if cells.dtype.kind == "O":
        return list(cells.tolist())
    if cells.dtype.kind == "M":
        return [None if np.isnat(cell) else str(cell) for cell in cells]
    return [None if cell != cell else str(int(cell)) if cell == cell // 1 else repr(cell) for cell in cells.tolist()]


def identifies_rows(column: Column) -> bool:
    """Return whether a text column names rows rather than groups of them: more than half of its texts differ."""
    count = len(column.texts())
    return count > FEW and count > 0.5 * int((~column.missing()).sum())


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
