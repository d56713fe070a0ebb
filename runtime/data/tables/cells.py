"""The cells of a table as text: which are missing, which are numbers, and in which notation.

Readers and column kinds use it. It does not know columns.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset(
    {"", "?", "-", ".", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nil", "missing", "#null!", "nat"}
)
"""The texts of a missing value, in lower case."""

_GROUPS = {
    ".": re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+|(?:['’ \u00a0\u202f]\d{3})+)(?:\.\d*)?"),
    ",": re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3})+|(?:['’ \u00a0\u202f]\d{3})+)(?:,\d*)?"),
}
"""A number with thousands separators, by its decimal sign."""

_COMMA = re.compile(r"[+-]?(?:\d+,\d*|,\d+|\d{1,3}(?:[.'’ \u00a0\u202f]\d{3})+,\d+)(?:[eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d{1,3}(?:[,'’ \u00a0\u202f]\d{3})+\.\d+)(?:[eE][+-]?\d+)?")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_SIGNS_OF_GROUPS = re.compile(r"[,.'’ \u00a0\u202f](?=\d{3})")


def is_missing(cell: str) -> bool:
    """Return whether a cell says that its value is missing: empty, NA, NaN, null, ? and the like."""
    return cell.lower() in MISSING


def number_of(cell: str, decimal: str = ".") -> float | None:
    """Return the number that a cell holds, NaN where it is missing, None where it holds something else.

    `decimal` is the decimal sign, "." or ",". Thousands may be separated by the other sign, a space or an apostrophe.
    """
    if is_missing(cell):
        return float("nan")
    if _GROUPS[decimal].fullmatch(cell):
        cell = _SIGNS_OF_GROUPS.sub("", cell) if decimal == "." else _without_groups(cell)
    if decimal == ",":
        if "." in cell:
            return None
        cell = cell.replace(",", ".", 1)
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _without_groups(cell: str) -> str:
    whole, comma, fraction = cell.partition(",")
    return _SIGNS_OF_GROUPS.sub("", whole) + comma + fraction


def numbers_of(cells: Sequence[str], decimal: str = ".") -> NDArray[np.float64] | None:
    """Return the numbers of many cells (cells,), NaN where one is missing; None where a cell holds something else."""
    if decimal == ".":
        try:  # most columns are plain numbers
            found = np.array(list(map(float, cells)), np.float64)
        except ValueError:
            pass
        else:
            return None if "_" in "".join(cells) else found
    values = []
    for cell in cells:
        value = number_of(cell.strip(), decimal)
        if value is None:
            return None
        values.append(value)
    return np.array(values, np.float64)


def decimal_sign(cells: Iterable[str], doubtful: str) -> str:
    """Return the decimal sign that cells use, "." or ","; `doubtful` where "1.234" or "1,234" is all that they show."""
    comma = point = either = 0
    for cell in cells:
        if _EITHER.fullmatch(cell):
            either += 1
        elif _COMMA.fullmatch(cell):
            comma += 1
        elif _POINT.fullmatch(cell):
            point += 1
    if comma == point == 0:
        return doubtful if either else "."
    return "," if comma > point else "."
