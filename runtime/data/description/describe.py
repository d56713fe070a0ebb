"""Describing the source of a data statement."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.data.description import findings
from nnspec.runtime.data.description.columns import ColumnDescription, as_classes, described, with_association
from nnspec.runtime.data.description.repeats import digests_of, digests_of_splits, repeated, shared
from nnspec.runtime.data.fitted.measure import limits
from nnspec.runtime.data.load import SOURCES, load_data
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.data.sources.table_sources import choices_of, read_table, role_of
from nnspec.runtime.data.split import Data
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary import data as words
from nnspec.spec_lang.vocabulary.data_tables import Table

MOST_CLASSES = 20
"""Whole numbers with at most so many values are taken for classes."""


@dataclass(frozen=True, eq=False)
class Description:
    """What a source holds.

    Arguments:
        name: the file.
        samples: how many samples or rows there are.
        sample: the shape and type of a sample, as "28x28x1 uint8", or "6 columns".
        columns: those of a table, with the values; empty for another source.
        classes: the samples of each class, None where there are no classes.
        splits: the samples of each split, None where no target is known.
        duplicates: how many samples repeat an earlier one, in all columns of a table.
        contradictions: how many rows have the features of an earlier row and another target; None without a target.
        leaks: how many samples of each later split are in an earlier one.
        limits: the smallest and the largest number of arrays; None for a table.
        notes: what was found out about the file.
        warnings: what to look at.
    """

    name: str
    samples: int
    sample: str
    columns: tuple[ColumnDescription, ...]
    classes: dict[str, int] | None
    splits: dict[str, int] | None
    duplicates: int
    contradictions: int | None
    leaks: dict[str, int]
    limits: tuple[float, float] | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the description without the values of its columns."""
        return {
            **vars(self),
            "columns": [column.as_json() for column in self.columns],
            "limits": list(self.limits) if self.limits is not None else None,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def describe(word: words.DataSource, folder: Path | None = None) -> Description:
    """Return what the source of a data statement holds; paths are relative to `folder`.

    Without a target the columns of a table are described alone. Raises DataError where the file cannot be read.
    """
    describes = _table if isinstance(word, Table) else _arrays
    return describes(word, folder or Path())


def _table(word: Any, folder: Path) -> Description:
    frame = read_table(word, folder / word.path)
    columns = [described(frame, name, role_of(word, frame, name), choices_of(word)) for name in frame.names]
    target = next((column for column in columns if word.target == (column.name,)), None)
    classes = target is not None and _is_class(target)
    if target is not None:
        columns = [with_association(column, target, classes) if column is not target else column for column in columns]
    data, problem = _loaded(word, folder, classes) if word.target else (None, ())
    rows = np.column_stack([as_classes(column) for column in columns])
    duplicates = repeated(digests_of(rows))
    used = [index for index, column in enumerate(columns) if column.role == "feature"]
    again = None
    if word.target and used:
        both = [index for index, column in enumerate(columns) if column.role in ("feature", "target")]
        again = repeated(digests_of(rows[:, used])) - repeated(digests_of(rows[:, both]))
    counted = _counted(target) if target is not None and classes else None
    splits, leaks = _splits(data)
    told = problem or (data.warnings if data is not None else ())
    return Description(
        Path(frame.name).name,
        len(frame),
        f"{len(columns)} columns",
        tuple(columns),
        counted,
        splits,
        duplicates,
        again,
        leaks,
        None,
        frame.notes,
        tuple(
            dict.fromkeys(
                (
                    *told,
                    *findings.of_columns(columns, target, again),
                    *findings.of_classes(counted),
                    *findings.of_leaks(leaks, splits),
                )
            )
        ),
    )


def _arrays(word: words.DataSource, folder: Path) -> Description:
    samples: Samples = SOURCES[type(word)](word, folder)
    targets, inputs = samples.targets, samples.inputs
    few = targets.ndim == 1 and targets.dtype.kind in "bui" and len(np.unique(targets)) <= MOST_CLASSES
    data, problem = _loaded(word, folder, targets.dtype.kind in "USO" or few or samples.symbols is not None)
    numbers = inputs.dtype.kind in "buif" and inputs.ndim > 1 and len(inputs) > 0
    low, high = limits(inputs) if numbers else (np.empty(0), np.empty(0))
    classes = None
    if data is not None and data.preprocessing.classes is not None and samples.symbols is None:
        counts: Counter[str] = Counter()
        for split in data.counts().values():
            counts.update(split)
        classes = dict(counts)
    splits, leaks = _splits(data)
    return Description(
        samples.name,
        len(inputs),
        f"{'x'.join(map(str, inputs.shape[1:])) or 1} {inputs.dtype}",
        (),
        classes,
        splits,
        repeated(digests_of(inputs)),
        None,
        leaks,
        (float(low.min()), float(high.max())) if len(low) else None,
        (*samples.notes, *_of_targets(samples)),
        (*problem, *findings.of_classes(classes), *findings.of_leaks(leaks, splits)),
    )


def _of_targets(samples: Samples) -> tuple[str, ...]:
    """Return in words what targets of several axes are, such as images: their size, and their numbers or range."""
    targets = samples.targets
    if targets.ndim < 3 or targets.dtype.kind not in "buif" or not targets.size or samples.symbols is not None:
        return ()
    words = f"each target is {'x'.join(map(str, targets.shape[1:]))} {targets.dtype}"
    values, counts = np.unique(targets, return_counts=True)
    if targets.dtype.kind == "f" or len(values) > MOST_CLASSES:
        return (f"{words}, numbers from {float(values[0]):.6g} to {float(values[-1]):.6g}",)
    shares = zip(values.tolist(), (100 * counts / targets.size).tolist(), strict=True)
    return (f"{words}: {', '.join(f'{share:.1f} % are {int(value)}' for value, share in shares)}",)


def _loaded(word: words.DataSource, folder: Path, classes: bool) -> tuple[Data | None, tuple[str, ...]]:
    """Return the data in their splits, or None and why they cannot be trained on."""
    try:
        return load_data(word, folder, classes), ()
    except DataError as error:
        return None, (str(error),)


def _splits(data: Data | None) -> tuple[dict[str, int] | None, dict[str, int]]:
    """Return the samples of each split, and how many of a later one are in an earlier one."""
    if data is None:
        return None, {}
    return {role: len(split) for role, split in data.splits()}, shared(digests_of_splits(data))


def _is_class(target: ColumnDescription) -> bool:
    """Return whether a target is a class: text, or few whole numbers."""
    if target.values.dtype.kind != "f":
        return True
    known = target.values[~np.isnan(target.values)]
    whole = bool((known == np.floor(known)).all())
    return whole and target.distinct <= MOST_CLASSES and len(known) > 2 * target.distinct


def _counted(target: ColumnDescription) -> dict[str, int]:
    """Return the rows of each class, numbers in their order."""
    known = [value for value in target.values.tolist() if value is not None and value == value]
    counts = Counter(known)
    return {f"{value:.15g}" if isinstance(value, float) else value: counts[value] for value in sorted(counts)}
