"""CSV tables: a header line, then rows of numbers and a target column of numbers or text."""

import csv
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.files import first_bytes, looks_like, open_for_reading
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.series import windows
from nnspec.runtime.data.target_encoding import is_number
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.report.diagnostics import near
from nnspec.spec_lang.vocabulary import data as words


@dataclass(frozen=True, eq=False)
class Table:
    """The numbers of a table (rows, columns), the names of its columns, the line of each row, and the targets."""

    path: Path
    columns: tuple[str, ...]
    lines: "array[int]"
    numbers: NDArray[np.float64]
    target: NDArray[Any]  # (rows,) of float64 or text; (0,) without a target column

    def place(self, row: int) -> str:
        """Return where a row is, for messages."""
        return f"{self.path}, line {self.lines[row]}"


@reads(words.Csv)
def load_csv(word: words.Csv, folder: Path) -> Samples:
    """Read the table that the word names. A test table has the same columns, in any order."""
    if word.window is not None:
        return _over_time(word, folder)
    train = read_table(folder / word.path, word.separator, word.target)
    test = None
    if word.test is not None:
        table = read_table(folder / word.test, word.separator, word.target, train.columns)
        test = _samples(table, None)
    return _samples(train, test)


def _over_time(word: words.Csv, folder: Path) -> Samples:
    """Read the rows as a series in windows; the past of the target is a feature too."""
    train = read_table(folder / word.path, word.separator, None)
    samples = _windows(train, word)
    if word.test is None:
        return samples
    return replace(samples, test=_windows(read_table(folder / word.test, word.separator, None, train.columns), word))


def _windows(table: Table, word: words.Csv) -> Samples:
    target = table.numbers[:, _position(table.path, list(table.columns), word.target)]
    return windows(table.path.name, table.numbers, target, word, table.place, table.columns)


def _samples(table: Table, test: Samples | None) -> Samples:
    return Samples(table.path.name, table.numbers, table.target, table.place, test, table.columns)


def read_records(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of a CSV file that are not blank: the number of each, and its stripped cells.

    Raises DataError where the file is missing, is not UTF-8 text, or has a quote that is not closed.
    """
    head = first_bytes(path)
    if not head or "\x00" in head.decode("latin-1"):
        raise DataError(f"{path} is not a table: it seems to be {looks_like(head)}")
    with open_for_reading(path) as file:
        rows = csv.reader(_text(path, file), delimiter=separator, strict=True)
        try:
            for cells in rows:
                if cells and (len(cells) > 1 or cells[0].strip()):
                    yield rows.line_num, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise DataError(f"{path}, line {rows.line_num}: {error}") from None


def _text(path: Path, lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            seems = "; it seems to be " + looks_like(line[:512]) if number == 1 else ""
            raise DataError(f"{path}, line {number} is not UTF-8 text{seems}; save the table as UTF-8") from None


def read_table(path: Path, separator: str, target: str | None, features: tuple[str, ...] | None = None) -> Table:
    """Read a table with a header line. `features` selects columns by name; None takes all but the target.

    Raises DataError, with line and column, for a missing or repeated name, a line of another length, an empty cell, a
    cell that is not a number, NaN and infinity, and a table without rows.
    """
    rows = read_records(path, separator)
    header = next(rows, None)
    if header is None:
        raise DataError(f"{path} has no lines")
    names = header[1]
    _check_header(path, names, target, separator)
    return table_from_rows(path, names, rows, features or tuple(name for name in names if name != target), target)


def table_from_rows(
    path: Path,
    names: list[str],
    rows: Iterable[tuple[int, list[str]]],
    features: tuple[str, ...],
    target: str | None,
) -> Table:
    """Return the table of rows whose columns have these names. Raises as `read_table` does."""
    if not features:
        raise DataError(f"{path} has no column but its target; is the separator right? See separator=")
    pick = _picker([_position(path, names, feature) for feature in features])
    target_column = _position(path, names, target) if target is not None else None
    lines, numbers, targets = array("Q"), array("d"), []
    for line, cells in rows:
        if len(cells) != len(names):
            raise DataError(f"{path}, line {line} has {len(cells)} values, and the table has {len(names)} columns")
        try:
            numbers.extend(map(float, pick(cells)))
        except ValueError:
            raise _no_number(path, line, features, pick(cells)) from None
        if target_column is not None:
            if not cells[target_column]:
                raise DataError(f'{path}, line {line}: the target "{target}" is empty')
            targets.append(cells[target_column])
        lines.append(line)
    if not lines:
        raise DataError(f"{path} has a header and no rows")
    table = Table(path, features, lines, np.frombuffer(numbers).reshape(len(lines), -1), _as_target(targets))
    if not np.isfinite(table.numbers).all():
        row, column = np.argwhere(~np.isfinite(table.numbers))[0]
        value = table.numbers[row, column]
        raise DataError(f'{table.place(row)}, column "{features[column]}" holds {value}: samples must be finite')
    return table


def _picker(positions: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """Return a function that picks the cells at these positions, as a tuple even of one."""
    if len(positions) == 1:
        return lambda cells: (cells[positions[0]],)
    return itemgetter(*positions)


def _as_target(cells: list[str]) -> NDArray[Any]:
    """Return numbers if every cell is a number, else text."""
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        return np.array(cells)


def _position(path: Path, names: list[str], wanted: str) -> int:
    if wanted in names:
        return names.index(wanted)
    close = near(wanted, names)
    hint = f'did you mean "{close}"?' if close else f"it has {', '.join(names[:20])}{', …' * (len(names) > 20)}"
    raise DataError(f'{path} has no column "{wanted}"; {hint}')


def _check_header(path: Path, names: list[str], target: str | None, separator: str) -> None:
    if all(map(is_number, names)):
        raise DataError(f"{path} begins with numbers: its first line must name the columns")
    if len(names) == 1 and target not in names:
        other = guess_separator(names[0])
        if other != separator and other in names[0]:
            written = "tab" if other == "\t" else f'"{other}"'
            raise DataError(f'{path} has a single column with the separator "{separator}"; write separator={written}')
    seen: set[str] = set()
    for column, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{path}: column {column} has no name; save the table without its index (index=False)")
        if name in seen:
            raise DataError(f'{path} has two columns called "{name}"')
        seen.add(name)


def guess_separator(line: str) -> str:
    """Return the separator that a line uses most, a comma if it uses none."""
    return max((",", ";", "\t", "|"), key=line.count)


def _no_number(path: Path, line: int, features: tuple[str, ...], cells: tuple[str, ...]) -> DataError:
    column = next(index for index, cell in enumerate(cells) if not is_number(cell))
    where = f'{path}, line {line}, column "{features[column]}"'
    if not cells[column]:
        return DataError(f"{where} is empty: fill it in, or remove the line")
    return DataError(
        f'{where} holds "{cells[column]}", which is not a number. Features must be numbers: replace text by a column '
        "of 0 and 1 for each value, fill in missing values, or remove the column"
    )
