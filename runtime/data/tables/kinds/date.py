"""Columns of dates and times."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.tables.dates import ORDERS, order_of, parse_date
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

CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}
"""The length in days of each cycle whose phase is encoded."""

Times = NDArray[np.datetime64]
_DAY = 86_400e6  # microseconds


@kind(rank=3)
@dataclass(frozen=True)
class Date(FittedColumn):
    """Days since the first training row and, for each cycle that training saw at least twice, its sine and cosine.

    A series has the cycles alone, if there are any: `elapsed` is false.
    `origin` is the first date, in microseconds since 1970; `order` says what comes first in 03/04/2020. A missing date
    has the days of `fill`, and 0 for sines and cosines.
    """

    kind = "date"
    reads_text = True
    order: str
    origin: int
    cycles: tuple[str, ...]
    fill: float
    flag: bool
    elapsed: bool = True

    @classmethod
    def recognizes(cls, column: Column, choices: Choices) -> bool:
        """Return whether all cells are dates. Raises DataError where day and month cannot be told apart."""
        if column.name in choices.categorical:
            return False
        if column.cells.dtype.kind == "M":
            return True
        texts = column.texts() if column.cells.dtype.kind == "O" else ()
        return bool(texts) and order_of(column.name, texts, choices.dates) is not None

    @classmethod
    def fit(cls, column: Column, choices: Choices, whole: Column) -> Self:
        """Learn the first date and which cycles there are."""
        texts = whole.texts() if whole.cells.dtype.kind == "O" else ()
        order = order_of(column.name, texts, choices.dates) or ORDERS[0]
        times = moments(column, order)
        known = times[~np.isnat(times)]
        if not known.size:
            raise empty(column)
        origin = known.min()
        days, has_times = days_since(times, origin), bool(of_day(known).any())
        span = float(np.nanmax(days))
        cycles = tuple(name for name, length in CYCLES.items() if span >= 2 * length and (name != "day" or has_times))
        if span < 1 and has_times:  # times of a day
            cycles = ("day",)
        fill, flag = statistic(column, days, choices)
        elapsed = choices.elapsed or not cycles
        return cls(column.name, order, int(origin.astype(np.int64)), cycles, fill, flag, elapsed)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The days, the sine and cosine of each cycle, and whether the date is missing."""
        cyclic = [f"{self.name}, {part} of the {cycle}" for cycle in self.cycles for part in ("sine", "cosine")]
        days = (f"{self.name} in days",) if self.elapsed else ()
        return (*days, *cyclic, *((flag_name(self.name),) if self.flag else ()))

    @property
    def scaled(self) -> tuple[bool, ...]:
        """The days alone are normalized."""
        return (self.elapsed, *(False,) * (len(self.outputs) - 1))

    def encode(self, column: Column, warn: Warn) -> Floats:
        """Return the days, sines and cosines."""
        times = moments(column, self.order)
        days, *flag = filled(column, days_since(times, np.datetime64(self.origin, "us")), self.fill, self.flag, warn)
        missing = np.isnat(times)
        parts = [days] if self.elapsed else []
        for cycle in self.cycles:
            angle = 2 * np.pi * np.where(missing, 0.0, phase(times, cycle))
            parts += [np.where(missing, 0.0, np.sin(angle)), np.where(missing, 0.0, np.cos(angle))]
        return np.column_stack([*parts, *flag])

    def cell_schema(self) -> dict[str, Any]:
        """Return a date in ISO 8601; those of the training data are read too."""
        return {"type": ["string", "null"], "format": "date"}

    @classmethod
    def measured(cls, column: Column) -> Floats:
        """Return the days since 1970, in whatever order days and months are."""
        texts = column.texts() if column.cells.dtype.kind == "O" else ()
        return days_since(moments(column, order_of(column.name, texts, ORDERS[0]) or ORDERS[0]), np.datetime64(0, "us"))

    def stated(self) -> str:
        """Return the parts."""
        first = str(np.datetime64(self.origin, "us").astype("datetime64[s]")).removesuffix("T00:00:00")
        days = (f"days since {first}",) if self.elapsed else ()
        cycles = (f"sine and cosine of {', '.join(self.cycles)}",) if self.cycles else ()
        return "; ".join(filter(None, (", ".join((*days, *cycles)), fill_in_words(self.fill, self.flag))))

    def valid(self) -> bool:
        """As the base class says."""
        return (
            self.order in ORDERS
            and type(self.origin) is int
            and abs(self.origin) < 2**60
            and isinstance(self.cycles, tuple)
            and all(isinstance(cycle, str) and cycle in CYCLES for cycle in self.cycles)
            and is_real(self.fill)
            and isinstance(self.flag, bool)
            and isinstance(self.elapsed, bool)
            and (self.elapsed or bool(self.cycles))
        )


def days_since(times: Times, origin: np.datetime64) -> Floats:
    """Return the days from `origin` to each time, NaN where it is missing."""
    return np.where(np.isnat(times), np.nan, (times - origin).astype("timedelta64[us]").astype(np.int64) / _DAY)


def phase(times: Times, cycle: str) -> Floats:
    """Return how far each time is into its cycle, from 0 to 1: a year begins on 1 January, a week on Monday."""
    if cycle == "day":
        return of_day(times)
    day = times.astype("datetime64[D]")
    if cycle == "week":
        weekday: Floats = ((day.astype(np.int64) + 3) % 7).astype(np.float64)
        return (weekday + of_day(times)) / 7
    year = times.astype("datetime64[Y]")
    start, end = year.astype("datetime64[D]"), (year + 1).astype("datetime64[D]")
    passed: Floats = (day - start).astype(np.int64) + of_day(times)
    length: Floats = np.maximum((end - start).astype(np.int64), 1).astype(np.float64)
    return passed / length


def of_day(times: Times) -> Floats:
    """Return how far each time is into its day, from 0 to 1."""
    result: Floats = (times - times.astype("datetime64[D]")).astype("timedelta64[us]").astype(np.int64) / _DAY
    return result


def moments(column: Column, order: str) -> Times:
    """Return the dates of a column, NaT where one is missing. Raises DataError for a cell that is not a date."""
    cells = column.cells
    if cells.dtype.kind == "M":
        return cells
    if cells.dtype.kind == "f":
        if np.isnan(cells).all():
            return np.full(len(cells), np.datetime64("NaT"), "datetime64[us]")
        raise DataError(f'column "{column.name}" holds numbers, and dates are needed there')
    known: dict[str | None, Any] = {None: np.datetime64("NaT")}
    found = np.empty(len(cells), "datetime64[us]")
    for row, cell in enumerate(cells.tolist()):
        if cell not in known:
            moment = parse_date(cell, order)
            if moment is None:
                raise DataError(f'{column.where(row)} holds "{cell}", which is not a date')
            known[cell] = np.datetime64(moment, "us")
        found[row] = known[cell]
    return found
