"""Reading a text file with a table into a frame."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.tables.cells import is_missing, numbers_of
from nnspec.runtime.data.tables.dialect import Dialect, Options, records, sniff, text_lines
from nnspec.runtime.data.tables.frame import Frame, listed
from nnspec.runtime.errors import DataError

_CHUNK = 2**14  # rows converted at once
NUMBERED = "column{}"
"""The name of a column of a table without a header, by its position from 1."""


def read_csv(path: Path, given: Options | None = None, as_text: tuple[str, ...] = ()) -> Frame:
    """Return the table in a text file.

    Arguments:
        path: the file.
        given: what is known of how it is written; the rest is sniffed, and said in the frame's notes.
        as_text: columns that stay text although their cells are numbers.

    A column is numbers where every cell is one or is missing, else text. Blank lines, and those whose cells are all
    empty, are left out, and so is a last column without a name and without cells. Raises DataError, with the line, for
    a file that is missing or is not a table, a line of another length, a quote that is not closed, names that are
    missing or repeated.
    """
    dialect = sniff(path, given or Options())
    rows = _Rows(path, dialect)
    names = rows.header()
    wanted = frozenset(as_text)
    while True:
        columns = _Columns(names, dialect.decimal, wanted)
        for line, cells in rows:
            columns.add(line, cells)
        if columns.finish():
            break
        wanted = columns.texts
    if not columns.lines:
        raise DataError(f"{path} has a header and no rows")
    found, dropped = _named(path, names, columns)
    notes = dialect.notes + ((dropped,) if dropped else ())
    said = (f"{path.name}: {'; '.join(notes)}",) if notes else ()
    return Frame(str(path), found, np.array(columns.lines, np.int64), said, dialect.decimal, dialect.header)


class _Rows:
    """The rows of a file: the number of each line, and its cells. Iterating begins after the header each time."""

    def __init__(self, path: Path, dialect: Dialect):
        self.path = path
        self.dialect = dialect
        self.width = 0

    def header(self) -> list[str]:
        """Return the names of the columns, and take their number for that of every row."""
        for _, cells in self._records():
            self.width = len(cells)
            if self.dialect.header:
                return _checked_names(self.path, [cell.strip() for cell in cells])
            return [NUMBERED.format(column + 1) for column in range(len(cells))]
        raise DataError(f"{self.path} has no lines")

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        found = self._records()
        if self.dialect.header:
            next(found)
        for line, cells in found:
            if len(cells) != self.width:
                if not any(cells):
                    continue
                raise DataError(
                    f"{self.path}, line {line} has {len(cells)} values, and the table has {self.width} columns"
                )
            if len(cells) == 1 or any(cells):
                yield line, cells

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the records that are not blank."""
        counter = _Counter(text_lines(self.path, self.dialect.encoding), self.dialect.comment)
        try:
            for cells in records(counter, self.dialect.separator):
                if len(cells) > 1 or (cells and cells[0].strip()):
                    yield counter.line, cells
        except csv.Error as error:
            raise DataError(f"{self.path}, line {counter.line}: {error}") from None


class _Counter:
    """Lines without comments and without `sep=;`; `line` is the number of the last one."""

    def __init__(self, lines: Iterator[str], comment: str | None):
        self.lines = lines
        self.comment = comment
        self.line = 0

    def __iter__(self) -> Iterator[str]:
        for line, text in enumerate(self.lines, 1):
            self.line = line
            declares = self.line == 1 and text[:4].lower() == "sep=" and len(text.strip()) <= 6
            if not declares and not (self.comment and text.startswith(self.comment)):
                yield text


class _Columns:
    """The columns of a file as they grow: chunks of numbers, or of texts where a cell is not a number.

    `texts` are the names of the columns that are kept as texts. Where a column turns out to be one after its first
    chunk, `finish` returns False, and the file is read again.
    """

    def __init__(self, names: list[str], decimal: str, texts: frozenset[str]):
        self.names = names
        self.decimal = decimal
        self.texts = texts
        self.lines: list[int] = []
        self.complete = True
        self._waiting: list[list[str]] = []
        self._chunks: list[list[Any]] = [[] for _ in names]
        self._shared: list[dict[str, str]] = [{} for _ in names]  # equal texts are stored once

    def add(self, line: int, cells: list[str]) -> None:
        """Add a row."""
        self.lines.append(line)
        self._waiting.append(cells)
        if len(self._waiting) == _CHUNK:
            self._convert()

    def finish(self) -> bool:
        """Convert what is left, and return whether every column is of one type."""
        if self._waiting:
            self._convert()
        return self.complete

    def column(self, position: int) -> NDArray[Any]:
        """Return a column."""
        return np.concatenate(self._chunks[position])

    def _convert(self) -> None:
        for position, cells in enumerate(zip(*self._waiting, strict=True)):
            name, chunks = self.names[position], self._chunks[position]
            if name not in self.texts:
                numbers = numbers_of(cells, self.decimal)
                if numbers is not None:
                    chunks.append(numbers)
                    continue
                self.texts |= {name}
                self.complete &= not chunks
            share = self._shared[position].setdefault
            texts = map(str.strip, cells)
            chunks.append(np.array([None if is_missing(cell) else share(cell, cell) for cell in texts], object))
        self._waiting = []


def _named(path: Path, names: list[str], columns: _Columns) -> tuple[dict[str, NDArray[Any]], str | None]:
    """Return the columns by name, without those that have neither a name nor a cell, and what is said of these."""
    found, dropped = {}, 0
    for position, name in enumerate(names):
        column = columns.column(position)
        if name:
            found[name] = column
        elif all(cell is None or cell != cell for cell in column.tolist()):
            dropped += 1
        else:
            raise DataError(
                f"{path}: column {position + 1} has no name; save the table without its index (index=False)"
            )
    return found, f"{dropped} empty columns without a name are left out" if dropped else None


def _checked_names(path: Path, names: list[str]) -> list[str]:
    """Return the names of a header. Raises DataError where all are numbers, or two are equal."""
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise DataError(f'{path} has two columns called "{name}"; its columns are {listed(names)}')
        seen.add(name)
    return names
