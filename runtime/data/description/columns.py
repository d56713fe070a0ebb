"""What a column of a table is: its kind, its range or its commonest texts, what is missing, what it says of another."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.description.association import Measure, Values, association, gives_away
from nnspec.runtime.data.tables.frame import Frame
from nnspec.runtime.data.tables.kinds import Choices, Column, FittedColumn, kind_of
from nnspec.runtime.data.tables.kinds.category import FEW, Category
from nnspec.runtime.errors import DataError

COMMONEST = 5
"""The most texts of a column that are listed."""


@dataclass(frozen=True, eq=False)
class ColumnDescription:
    """A column of a table.

    Arguments:
        name: its name.
        role: feature, target, group, or left out.
        kind: number, boolean, category, date, or empty.
        rows: the number of cells.
        missing: how many of them are missing.
        distinct: how many different values the others have.
        numbers: least, greatest, mean, median, deviation; of dates least and greatest as text; None of categories.
        commonest: the commonest texts of categories with their counts; None of numbers.
        values: the numbers, or the texts and None, (rows,).
        problem: why the column cannot be used as it is.
        measure: how the association with the target is measured.
        association: from 0 to 1, of two numbers from −1 to 1; None where it is not defined, or there is no target.
        decides: whether the column alone decides the target.
    """

    name: str
    role: str
    kind: str
    rows: int
    missing: int
    distinct: int
    numbers: dict[str, Any] | None
    commonest: dict[str, int] | None
    values: NDArray[Any]
    problem: str | None = None
    measure: Measure | None = None
    association: float | None = None
    decides: bool = False

    @property
    def groups_rows(self) -> bool:
        """Whether it is not a text for nearly each row, such as a name."""
        return self.commonest is None or self.distinct <= max(FEW, (self.rows - self.missing) / 2)

    def codes(self) -> Values:
        """Return the numbers, or the codes of the texts, −1 where one is missing."""
        if self.values.dtype.kind == "f":
            return self.values
        order = {
            text: code for code, text in enumerate(sorted({text for text in self.values.tolist() if text is not None}))
        }
        return np.array([-1 if text is None else order[text] for text in self.values.tolist()], np.intp)

    def as_json(self) -> dict[str, Any]:
        """Return everything but the values."""
        names = ("name", "role", "kind", "missing", "distinct", "numbers", "commonest", "problem", "measure")
        return {
            **{name: getattr(self, name) for name in names},
            "association": self.association,
            "decides": self.decides,
        }


def described(frame: Frame, name: str, role: str, choices: Choices) -> ColumnDescription:
    """Return the description of a column of a frame, without its association."""
    column = Column(name, frame.columns[name], frame.place, frame.decimal)
    missing = column.missing()
    rows, absent = len(missing), int(missing.sum())
    if absent == rows:
        return ColumnDescription(name, role, "empty", rows, absent, 0, None, None, np.full(rows, np.nan))
    problem = None
    kind: type[FittedColumn]
    try:
        kind = kind_of(column, choices)
        values = kind.measured(column)
    except DataError as error:
        kind, problem = Category, str(error)
        values = kind.measured(column)
    if values.dtype.kind == "f":
        known = values[~np.isnan(values)]
        numbers = _dates(known) if kind.kind == "date" else _numbers(known)
        distinct = len(np.unique(known))
        return ColumnDescription(
            name, role, kind.kind, rows, rows - len(known), distinct, numbers, None, values, problem
        )
    counts = Counter(text for text in values.tolist() if text is not None)
    commonest = dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:COMMONEST])
    return ColumnDescription(name, role, kind.kind, rows, absent, len(counts), None, commonest, values, problem)


def with_association(column: ColumnDescription, target: ColumnDescription, classes: bool) -> ColumnDescription:
    """Return a column's description with its association to the target; `classes` says that this is a class."""
    goal = as_classes(target) if classes else target.codes()
    if "empty" in (column.kind, target.kind) or not column.groups_rows:
        return column
    measure, value = association(column.codes(), goal)
    return replace(column, measure=measure, association=value, decides=gives_away(column.codes(), goal))


def as_classes(target: ColumnDescription) -> Values:
    """Return the codes of a target's values, numbers too, −1 where one is missing."""
    codes = target.codes()
    if codes.dtype.kind != "f":
        return codes
    present, found = ~np.isnan(codes), np.full(len(codes), -1, np.intp)
    found[present] = np.unique(codes[present], return_inverse=True)[1]
    return found


def _numbers(known: NDArray[np.float64]) -> dict[str, Any]:
    if not len(known):
        return {}
    return {
        "least": float(known.min()),
        "greatest": float(known.max()),
        "mean": float(known.mean()),
        "median": float(np.median(known)),
        "deviation": float(known.std()),
    }


def _dates(known: NDArray[np.float64]) -> dict[str, Any]:
    def text(days: float) -> str:
        moment = np.datetime64(round(days * 86_400), "s")
        return str(moment).removesuffix("T00:00:00")

    return {"least": text(float(known.min())), "greatest": text(float(known.max()))}
