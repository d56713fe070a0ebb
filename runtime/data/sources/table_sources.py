"""The readers of the words csv and parquet: a file → its columns → features, targets and groups."""

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.load import reads
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.sources.table_series import SeriesTable
from nnspec.runtime.data.tables.dialect import Options
from nnspec.runtime.data.tables.encoding import ColumnTable
from nnspec.runtime.data.tables.frame import Frame, listed
from nnspec.runtime.data.tables.kinds import Choices, Column
from nnspec.runtime.data.tables.kinds.category import texts
from nnspec.runtime.data.tables.kinds.number import Boolean, numbers
from nnspec.runtime.data.tables.parquet import read_parquet
from nnspec.runtime.data.tables.reading import read_csv
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary import data_tables as words

UNNAMED = "Unnamed: 0"
"""The column that pandas writes for an index without a name."""


@reads(words.Csv, words.Parquet)
def load_table(word: words.Table, folder: Path) -> Samples:
    """Return the samples of a table and of its validation and test tables, with the same columns in any order."""
    frame = read_table(word, folder / word.path)
    features = features_of(word, frame)
    held = {}
    for name, path in (("validation", word.validation), ("test", word.test)):
        if path is not None:
            other = read_table(word, folder / path)
            lacking = [feature for feature in features if feature not in other.columns]
            if lacking:
                raise other.lacks(lacking[0])
            held[name] = _samples(word, other, features)
    return replace(_samples(word, frame, features), validation=held.get("validation"), test=held.get("test"))


@singledispatch
def read_table(word: words.Table, path: Path) -> Frame:
    """Return the columns of a file as the word says. Raises DataError where it is missing or is not a table."""
    raise NotImplementedError(f"nothing reads {word.word} yet: register a function for it in {__name__}")


@read_table.register
def _(word: words.Csv, path: Path) -> Frame:
    known = (*word.target, *word.features, *word.categorical, *word.numeric)
    given = Options(word.separator, word.decimal, word.encoding, word.header, word.comment, known)
    return read_csv(path, given, word.categorical)


@read_table.register
def _(word: words.Parquet, path: Path) -> Frame:
    return read_parquet(path)


def choices_of(word: words.Table) -> Choices:
    """Return what the word says of the kinds of its columns."""
    return Choices(word.missing, word.categorical, word.numeric, word.dates, elapsed=not word.windowed)


def _samples(word: words.Table, frame: Frame, features: Sequence[str]) -> Samples:
    name = Path(frame.name).name
    table = ColumnTable(frame.select(features), choices_of(word), frozenset(word.features))
    if word.windowed:
        target = np.column_stack([_series(_column(frame, column)) for column in word.target])
        return SeriesTable(table, word, target).samples(name, frame.notes)
    groups = None
    if word.group is not None:
        groups = np.array([text or "" for text in texts(frame.column(word.group))])
    return Samples(
        name,
        table,
        _targets(word, frame),
        frame.place,
        groups=groups,
        column=lambda wanted: numbers(_column(frame, wanted)),
        notes=frame.notes,
    )


def features_of(word: words.Table, frame: Frame) -> tuple[str, ...]:
    """Return the columns to learn from. Raises DataError, which lists the columns, for names that are not there."""
    if not word.target:
        raise DataError(f"{frame.name} needs target=, the column to predict; its columns are {listed(frame.names)}", 2)
    features = tuple(name for name in frame.names if role_of(word, frame, name) == "feature")
    if word.windowed:
        features = tuple(name for name in frame.names if name in (*features, *word.target))
    if word.features:
        features = tuple(name for name in word.features if name in features)
    if not features:
        raise DataError(f"{frame.name} has no column but its target; is the separator right? See separator=")
    return features


def role_of(word: words.Table, frame: Frame, name: str) -> str:
    """Return what a column is for: target, group, feature, or ignored.

    Raises DataError, which lists the columns, where the word names one that is not there.
    """
    group = (word.group,) if word.group else ()
    for wanted in (*word.target, *word.features, *word.categorical, *word.numeric, *group):
        frame.column(wanted)
    if name in word.target:
        return "target"
    if name in group:
        return "group"
    ignored = {name for pattern in word.ignore for name in _matching(frame, pattern)}
    return "ignored" if name in (*ignored, UNNAMED) or (word.features and name not in word.features) else "feature"


def _matching(frame: Frame, pattern: str) -> list[str]:
    found = [name for name in frame.names if name == pattern or fnmatchcase(name, pattern)]
    if not found:
        raise frame.lacks(pattern)
    return found


def _targets(word: words.Table, frame: Frame) -> NDArray[Any]:
    """Return the targets: numbers or text (rows,), or numbers (rows, targets) of several columns."""
    columns = [_target(_column(frame, name), word) for name in word.target]
    if len(columns) == 1:
        return columns[0]
    named = zip(columns, word.target, strict=True)
    return np.column_stack([_as_numbers(column, _column(frame, name)) for column, name in named])


def _target(column: Column, word: words.Table) -> NDArray[Any]:
    """Return the numbers or the texts of a target. Raises DataError where one is missing."""
    _require_complete(column)
    if column.name in word.categorical:
        return np.array(texts(column.cells))
    if column.name in word.numeric:
        return numbers(column)
    if column.cells.dtype.kind == "f":
        return column.cells
    return np.array(texts(column.cells))


def _as_numbers(target: NDArray[Any], column: Column) -> NDArray[np.float64]:
    """Return one of several targets as numbers: yes and no are 1 and 0."""
    if target.dtype.kind == "f":
        return target
    if Boolean.recognizes(column, Choices()):
        return Boolean.values(column)
    raise DataError(
        f'{column.where(0)} holds "{target[0]}", and one of several targets must be a number, or yes and no: make a '
        "column of 0 and 1 for each class"
    )


def _series(column: Column) -> NDArray[np.float64]:
    """Return the numbers of a target over time. Raises DataError where one is missing."""
    _require_complete(column)
    return numbers(column)


def _require_complete(column: Column) -> None:
    missing = column.missing()
    if missing.any():
        count = int(missing.sum())
        more = f", as in {count - 1:,} more rows" if count > 1 else ""
        place = column.place(int(np.argmax(missing)))
        raise DataError(f'{place}: the target "{column.name}" is empty{more}: remove the row')


def _column(frame: Frame, name: str) -> Column:
    return Column(name, frame.column(name), frame.place, frame.decimal)
