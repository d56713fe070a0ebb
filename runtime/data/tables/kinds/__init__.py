"""The kinds of columns: how each is recognized, what it learns from training rows, and how it is encoded as numbers.

Each kind has its own module, which registers a class under the name that checkpoints store. `ColumnEncoding` uses
them. A kind knows one column, no table.
"""

import importlib
import math
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import DataError

Cells = NDArray[Any]
"""A column of a frame: float64, datetime64[us], or objects that are texts and None, (rows,)."""

Floats = NDArray[np.float64]
Warn = Callable[[str], None]


@dataclass(frozen=True)
class Choices:
    """What a data statement says of the kinds of its columns.

    Arguments:
        missing: the statistic that fills a missing number, or "refuse".
        categorical: columns that are categories although their cells are numbers.
        numeric: columns that are numbers; a cell that is not one is missing.
        dates: whether the day or the month comes first in a date such as 03/04/2020; None where the cells decide.
        elapsed: whether a date has the days since the first one; of a series, whose splits follow each other in time,
            later days would lie outside what training saw.
    """

    missing: Literal["mean", "median", "refuse"] = "mean"
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    dates: Literal["day_first", "month_first"] | None = None
    elapsed: bool = True


@dataclass(frozen=True, eq=False)
class Column:
    """A column on its way to a network: its name, its cells, where its rows are, the decimal sign of texts."""

    name: str
    cells: Cells
    place: Callable[[int], str]
    decimal: str = "."

    def where(self, row: int) -> str:
        """Return the beginning of a message about a cell."""
        return f'{self.place(row)}, column "{self.name}"'

    def missing(self) -> NDArray[np.bool_]:
        """Return which cells are missing, (rows,)."""
        if self.cells.dtype.kind == "f":
            return np.isnan(self.cells)
        if self.cells.dtype.kind == "M":
            return np.isnat(self.cells)
        return np.array([cell is None for cell in self.cells.tolist()], bool)

    def texts(self) -> dict[str, int]:
        """Return each different text with its first row, in their order in the column."""
        found: dict[str, int] = {}
        for row, text in enumerate(self.cells.tolist()):
            if text is not None and text not in found:
                found[text] = row
        return found

    def written(self) -> str:
        """Return the name as a spec writes it."""
        return self.name if self.name.isidentifier() else f'"{self.name}"'


@dataclass(frozen=True)
class FittedColumn(ABC):
    """A column as it was learnt from the training rows. `name` is the column's; the fields are what checkpoints store.

    `encode` returns numbers (rows, outputs). `outputs` names them, and `scaled` says which of them are normalized.
    """

    kind: ClassVar[str]
    reads_text: ClassVar[bool] = False
    """Whether a reader leaves the cells texts although they are numbers."""
    one_hot: ClassVar[bool] = False
    """Whether exactly one of the numbers is 1, or all are 0."""
    name: str

    @classmethod
    @abstractmethod
    def recognizes(cls, column: Column, choices: Choices) -> bool:
        """Return whether a column of all rows is of this kind. Raises DataError where it nearly is."""

    @classmethod
    @abstractmethod
    def fit(cls, column: Column, choices: Choices, whole: Column) -> Self:
        """Learn from `column`, the training rows. `whole` has all rows, which say only how its cells are written."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """The names of the numbers that a cell becomes."""

    @property
    @abstractmethod
    def scaled(self) -> tuple[bool, ...]:
        """Which of the numbers are normalized; the others are 0 and 1, or sines and cosines."""

    @abstractmethod
    def encode(self, column: Column, warn: Warn) -> Floats:
        """Return the numbers of the cells, (rows, outputs). `warn` is called with what a user should know.

        Raises DataError, with the row, for a cell that the kind cannot read.
        """

    @abstractmethod
    def cell_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a cell, "type" as a list: what a program may send for it."""

    @classmethod
    @abstractmethod
    def measured(cls, column: Column) -> NDArray[Any]:
        """Return what statistics of all cells are made of, (rows,): float64, NaN where missing, or texts and None."""

    @abstractmethod
    def stated(self) -> str:
        """Return how the column is encoded, for people."""

    @abstractmethod
    def valid(self) -> bool:
        """Return whether the fields, which may be any JSON, are of the right types and in range."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields and the kind as JSON has them."""
        return {"kind": self.kind, **{field.name: getattr(self, field.name) for field in fields(self)}}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """Return the column that `as_json` described. Raises ValueError where a field is missing or out of range."""
        names = [field.name for field in fields(cls)]
        if set(found) != {"kind", *names}:
            raise ValueError(f"a column of kind {cls.kind} has other fields")
        values: dict[str, Any] = {
            name: tuple(found[name]) if isinstance(found[name], list) else found[name] for name in names
        }
        made = cls(**values)
        if not isinstance(made.name, str) or not made.valid():
            raise ValueError(f"a column of kind {cls.kind} has fields out of range")
        return made


_KINDS: dict[str, type[FittedColumn]] = {}
_RANKS: dict[str, int] = {}


def kind(rank: int) -> Callable[[type[FittedColumn]], type[FittedColumn]]:
    """Register the decorated class; kinds of a lower rank are asked first whether they recognize a column."""

    def register(cls: type[FittedColumn]) -> type[FittedColumn]:
        _KINDS[cls.kind], _RANKS[cls.kind] = cls, rank
        return cls

    return register


@cache
def kinds() -> dict[str, type[FittedColumn]]:
    """Return every kind by its name, in the order in which they are asked."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return {name: _KINDS[name] for name in sorted(_KINDS, key=lambda name: _RANKS[name])}


def kind_of(column: Column, choices: Choices) -> type[FittedColumn]:
    """Return the kind of a column, from all of its rows. Raises DataError for a column that is nearly of one."""
    return next(cls for cls in kinds().values() if cls.recognizes(column, choices))


def filled(column: Column, values: Floats, fill: float, flagged: bool, warn: Warn) -> list[Floats]:
    """Return values with `fill` in place of NaN and, where `flagged`, the flags of what was missing.

    Without a flag, as of a column that was complete in training, `warn` says that something was missing.
    """
    missing = np.isnan(values)
    if missing.any() and not flagged:
        where, count = column.where(int(np.argmax(missing))), int(missing.sum())
        more = f" and {count - 1:,} more" if count > 1 else ""
        warn(f"{where}{more} is missing and never was in training: {fill:.6g} is taken")
    values = np.where(missing, fill, values)
    return [values, missing.astype(np.float64)] if flagged else [values]


def statistic(column: Column, values: Floats, choices: Choices) -> tuple[float, bool]:
    """Return what fills a missing value, and whether any is missing. Raises DataError where that is refused."""
    missing = np.isnan(values)
    if missing.any() and choices.missing == "refuse":
        raise refused(column, int(np.argmax(missing)))
    known = values[~missing]
    with np.errstate(over="ignore"):
        fill = float(np.median(known) if choices.missing == "median" else np.mean(known))
    return fill, bool(missing.any())


def refused(column: Column, row: int) -> DataError:
    """Return the error for a missing cell where missing=refuse."""
    return DataError(
        f"{column.where(row)} is missing, and missing=refuse says that nothing may be: fill it in, remove the row, or "
        "write missing=mean"
    )


def empty(column: Column) -> DataError:
    """Return the error for a column without a value in the training split."""
    return DataError(
        f'column "{column.name}" has no value in the training split: leave it out with ignore={column.written()}'
    )


def fill_in_words(fill: float, flagged: bool) -> str:
    """Return how missing values are filled, to follow the kind; nothing for a complete column."""
    return f"missing values become {fill:.6g}, with a flag of 0 and 1" if flagged else ""


def flag_name(name: str) -> str:
    """Return the name of the number that says whether a column is missing."""
    return f"{name} is missing"


def is_real(value: object) -> bool:
    """Return whether a value of JSON is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
