"""The columns of a table as inputs of their own: what each kind of column becomes, in operators of ONNX.

A number and a date are an input of float64 (batch,), NaN where it is missing; a date is the days since 1970-01-01, with
the time of day as a fraction. Yes and no, and categories, are an input of strings (batch,), "" where it is missing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.onnx.graph import BATCH, GraphFile, Port
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.data.tables.encoding import ColumnEncoding
from nnspec.runtime.data.tables.kinds import FittedColumn
from nnspec.runtime.data.tables.kinds.category import Category
from nnspec.runtime.data.tables.kinds.date import CYCLES, Date
from nnspec.runtime.data.tables.kinds.number import PAIRS, Boolean, Number

DAY = 86_400e6
"""Microseconds."""


def encoding_of(fitted: Preprocessing) -> ColumnEncoding:
    """Return how the columns of a table become its samples. Raises ExchangeError where samples are no rows of one."""
    found = fitted.encoding()
    if found is None or len(fitted.input_shape) != 1:
        why = "the samples of the network are not rows of a table, and so have no columns"
        raise ExchangeError(f"{why}\n  help: leave --columns out")
    return found


def rows_of(file: GraphFile, encoding: ColumnEncoding) -> str:
    """Add an input for each column, and return the rows that they become, (batch, outputs) float64."""
    parts = []
    for column in encoding.columns:
        written = next(function for cls, function in _KINDS.items() if isinstance(column, cls))
        name = file.free(column.name)
        file.inputs.append(Port(name, "string" if isinstance(column, Boolean | Category) else "float64", (BATCH,)))
        axis = file.integers("column.axis", [1])
        each = file.add("Unsqueeze", [name, axis], f"{name}.column")
        parts += written(file, column, f"column.{name}", each)
    return file.add("Concat", parts, "row", axis=1) if len(parts) > 1 else parts[0]


def drawn_columns(encoding: ColumnEncoding, fitted: Preprocessing, count: int) -> dict[str, Array]:
    """Return random cells of each column as the inputs of the file take them, missing and unseen ones among them."""
    random = np.random.default_rng(0)
    found: dict[str, Array] = {}
    start = 0
    for column in encoding.columns:
        absent = random.random(count) < 0.2
        if isinstance(column, Boolean):
            words = [word for pair in PAIRS for word in pair]
            found[column.name] = np.where(absent, "", random.choice(words, count)).astype(object)
        elif isinstance(column, Category):
            cells = random.choice(np.array([*column.categories, "never seen"], object), count)
            found[column.name] = np.where(absent, "", cells).astype(object)
        else:
            spread, middle = float(fitted.scale[start]), float(fitted.shift[start])
            if isinstance(column, Date):
                spread, middle = 2000.0, column.origin / DAY + 1000.0
            cells = random.normal(middle, spread, count)
            found[column.name] = np.where(absent & _may_be_missing(column), np.nan, cells)
        start += len(column.outputs)
    return found


def as_cells(encoding: ColumnEncoding, given: dict[str, Array]) -> dict[str, Any]:
    """Return the inputs of a file as cells of a table, as the network reads them."""
    cells: dict[str, Any] = {}
    for column in encoding.columns:
        values = given[column.name]
        if isinstance(column, Boolean | Category):
            cells[column.name] = [text if text else None for text in values.tolist()]
        elif isinstance(column, Date):
            whole = np.where(np.isnan(values), 0, np.rint(np.nan_to_num(values) * DAY)).astype(np.int64)
            times = whole.astype("datetime64[us]")
            cells[column.name] = np.where(np.isnan(values), np.datetime64("NaT", "us"), times)
        else:
            cells[column.name] = values
    return cells


def _may_be_missing(column: FittedColumn) -> bool:
    return type(column) in (Number, Boolean, Date, Category)  # and not one that has to be complete


def _filled(file: GraphFile, column: Any, name: str, values: str, missing: str) -> list[str]:
    """Return values with the column's statistic where they are missing, and the flags where it has them."""
    fill = file.constant(f"{name}.fill", float(column.fill), np.float64)
    filled = file.add("Where", [missing, fill, values], f"{name}.filled")
    return [filled, file.add("Cast", [missing], f"{name}.missing", to="float64")] if column.flag else [filled]


def _number(file: GraphFile, column: Number, name: str, cells: str) -> list[str]:
    return _filled(file, column, name, cells, file.add("IsNaN", [cells], f"{name}.absent"))


def _boolean(file: GraphFile, column: Boolean, name: str, cells: str) -> list[str]:
    """Words for yes and no in lower case, capitals, or with a first capital; anything else is missing."""
    found = []
    for answer, ones in (("yes", ("1",)), ("no", ("0",))):
        words = [pair[answer == "no"] for pair in PAIRS]
        spelled = sorted({form for word in words for form in (word, word.upper(), word.capitalize())} | set(ones))
        equal = file.add("Equal", [cells, file.strings(f"{name}.{answer}_words", spelled)], f"{name}.{answer}_equal")
        numbers = file.add("Cast", [equal], f"{name}.{answer}_each", to="float64")
        axes = file.integers("column.axis", [1])
        found.append(file.add("ReduceMax", [numbers, axes], f"{name}.{answer}", keepdims=1))
    known = file.add("Add", found, f"{name}.known")
    missing = file.add("Equal", [known, file.constant("column.zero", 0.0, np.float64)], f"{name}.absent")
    return _filled(file, column, name, found[0], missing)


def _category(file: GraphFile, column: Category, name: str, cells: str) -> list[str]:
    known = file.strings(f"{name}.categories", [*column.categories, *([""] if column.missing else [])])
    return [file.add("Cast", [file.add("Equal", [cells, known], f"{name}.equal")], name, to="float64")]


def _date(file: GraphFile, column: Date, name: str, cells: str) -> list[str]:
    """The days since the first date, and sine and cosine of the phase of each cycle, zeros where it is missing."""
    missing = file.add("IsNaN", [cells], f"{name}.absent")
    origin = file.constant(f"{name}.origin", column.origin / DAY, np.float64)
    days, *flag = _filled(file, column, name, file.add("Sub", [cells, origin], f"{name}.days"), missing)
    zero = file.constant("column.zero", 0.0, np.float64)
    known = file.add("Where", [missing, zero, cells], f"{name}.known")
    parts = [days] if column.elapsed else []
    turn = file.constant("column.turn", 2 * np.pi, np.float64)
    quarter = file.constant("column.quarter_turn", np.pi / 2, np.float64)
    for cycle in column.cycles:
        angle = file.add("Mul", [_phase(_Days(file, f"{name}.{cycle}"), known, cycle), turn], f"{name}.{cycle}_angle")
        ahead = file.add("Add", [angle, quarter], f"{name}.{cycle}_ahead")  # some versions have no Cos of float64
        for function, of in (("sine", angle), ("cosine", ahead)):
            value = file.add("Sin", [of], f"{name}.{cycle}_{function}")
            parts.append(file.add("Where", [missing, zero, value], f"{name}.{cycle}_{function}_known"))
    return [*parts, *flag]


class _Days:
    """Arithmetic of float64 in the graph, for calendars."""

    def __init__(self, file: GraphFile, name: str):
        self.file, self.name = file, name

    def of(self, operator: str, first: str, second: "str | float") -> str:
        """Return the result of an operator of two."""
        other = second if isinstance(second, str) else self.file.constant(f"number.{second:g}", second, np.float64)
        return self.file.add(operator, [first, other], f"{self.name}.{operator.lower()}")

    def floor(self, first: str, divisor: float = 1) -> str:
        """Return the whole part of a quotient."""
        quotient = self.of("Div", first, divisor) if divisor != 1 else first
        return self.file.add("Floor", [quotient], f"{self.name}.floor")

    def rest(self, first: str, divisor: float = 1) -> str:
        """Return what is left of a division into whole parts."""
        whole = self.floor(first, divisor)
        return self.of("Sub", first, self.of("Mul", whole, divisor) if divisor != 1 else whole)


def _phase(days: _Days, since: str, cycle: str) -> str:
    """Return how far days since 1970-01-01, a Thursday, are into their cycle, from 0 to 1; a week begins on Monday."""
    if cycle == "day":
        return days.rest(since)
    if cycle == "week":
        return days.of("Div", days.rest(days.of("Add", since, 3.0), 7.0), CYCLES["week"])
    return _phase_of_year(days, since)


def _phase_of_year(days: _Days, since: str) -> str:
    """Return how far days since 1970-01-01 are into their year, of 365 or 366 days.

    Years are counted from March in eras of 400 years, so that the leap day is the last one (Hinnant,
    chrono-compatible low-level date algorithms, days_from_civil).
    """
    day = days.of("Add", days.floor(since), 719_468.0)  # since 1 March of the year 0
    of_era = days.rest(day, 146_097.0)
    leaps = days.of("Sub", days.floor(of_era, 36_524.0), days.floor(of_era, 1_460.0))
    leaps = days.of("Sub", leaps, days.floor(of_era, 146_096.0))
    year = days.floor(days.of("Add", of_era, leaps), 365.0)  # of the era, from March
    begun = days.of("Add", days.of("Mul", year, 365.0), days.floor(year, 4.0))
    begun = days.of("Sub", begun, days.floor(year, 100.0))
    from_march = days.of("Sub", of_era, begun)
    later = days.of("Div", from_march, 306.0)
    january = days.floor(later)  # 1 in January and February, which are of the next year
    own = days.of("Add", year, january)
    leap = _leap(days, own)
    before = days.of("Add", leap, 59.0)  # days of January and February
    shift = days.of("Sub", before, days.of("Mul", january, days.of("Add", before, 306.0)))
    whole = days.of("Add", from_march, shift)
    passed = days.of("Add", whole, days.rest(since))
    return days.of("Div", passed, days.of("Add", leap, 365.0))


def _leap(days: _Days, year: str) -> str:
    """Return 1 for a leap year and 0 for another."""
    found = None
    for length, sign in ((4.0, "Add"), (100.0, "Sub"), (400.0, "Add")):
        divides = days.of("Equal", days.rest(year, length), 0.0)
        one = days.file.add("Cast", [divides], f"{days.name}.divides", to="float64")
        found = one if found is None else days.of(sign, found, one)
    assert found is not None
    return found


_KINDS: dict[type[FittedColumn], Callable[[GraphFile, Any, str, str], list[str]]] = {
    Boolean: _boolean,
    Number: _number,
    Category: _category,
    Date: _date,
}
"""How each kind of column is written; that of a subclass before that of its parent."""
