"""Encoding targets, for every source: as class numbers or as floats."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.fitted.measure import first_nonfinite_index
from nnspec.runtime.data.labels import LabelGaps, gaps_in
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.errors import DataError

MOST_CLASSES = 100_000  # a larger label is taken for a mistake, so that memory for it is never allocated


class EncodedTargets(NamedTuple):
    """The targets of a source, those of each split of its own, and the names of the classes if there are any.

    `gaps` says which numbers the labels leave out, None where they are all from 0 to the largest.
    """

    targets: NDArray[Any]
    held: Mapping[str, NDArray[Any]]
    classes: tuple[str, ...] | None
    gaps: LabelGaps | None = None


def encode_targets(samples: Samples, classification: bool) -> EncodedTargets:
    """Encode the targets of a source and of the splits that it has of its own.

    Text, and with `classification` whole numbers in one column, become class numbers (samples,) int64; other targets
    become floats (samples, outputs) without class names. Classes of text are numbered in sorted order; whole numbers
    are class numbers already, and their names are the numbers. Targets that are images stay images: whole numbers
    (samples, height, width) become class numbers, others floats (samples, height, width, channels). Raises DataError
    for text without `classification`, for
    labels that are negative, fractional, too high or absent from the training split, and for NaN.
    """
    targets = _column(samples)
    if targets.dtype.kind == "U":
        return _encode_names(samples, targets, classification)
    if targets.dtype.kind not in "buif":
        raise DataError(f"the targets of {samples.name} are {targets.dtype}: they must be numbers or text")
    labels = classification and targets.ndim in (1, 3)
    number = _class_numbers if labels else _numbers
    encoded = number(samples, targets, classification, samples.classes)
    known = (samples.classes or int(encoded.max()) + 1) if labels else None
    held = {}
    for role, split in samples.held():
        column = _column(split)
        if column.dtype.kind not in "buif" or column.shape[1:] != targets.shape[1:]:
            raise DataError(f"the targets of {split.name} are of another kind or shape than those of {samples.name}")
        held[role] = number(split, column, classification, known)
    counted = labels and samples.classes is None and targets.ndim == 1
    gaps = gaps_in(samples.name, encoded, samples.place) if counted else None
    names = samples.class_names if labels and samples.class_names is not None else None
    if names is None and known is not None:
        names = tuple(map(str, range(known)))
    return EncodedTargets(encoded, held, names, gaps)


def is_number(text: str) -> bool:
    """Return whether a text can be parsed as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _column(samples: Samples) -> NDArray[Any]:
    """Return the targets as (samples,) if they are one column, else (samples, outputs), with bytes decoded.

    Images of one channel are (samples, height, width), of several (samples, height, width, channels).
    """
    targets = samples.targets
    if targets.ndim in (2, 4) and targets.shape[-1] == 1:
        targets = targets[..., 0]
    if not 1 <= targets.ndim <= 4 or 0 in targets.shape[1:]:
        raise DataError(
            f"the targets of {samples.name} have the shape {targets.shape}: give one for each sample, (samples,) or "
            "(samples, outputs), or an image for each, (samples, height, width) or (samples, height, width, channels)"
        )
    if len(targets) != len(samples.inputs):
        raise DataError(f"{samples.name} has {len(samples.inputs):,} samples and {len(targets):,} targets")
    if targets.dtype.kind == "O" and all(isinstance(entry, str) for entry in targets.flat):
        targets = targets.astype(str)
    if targets.dtype.kind == "S":
        try:
            targets = np.char.decode(targets, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"the targets of {samples.name} are bytes that are not UTF-8 text") from None
    if targets.dtype.kind == "U" and targets.ndim > 1:
        raise DataError(f"the targets of {samples.name} are text in {targets.shape[1]} columns: give one column")
    return targets


def _encode_names(samples: Samples, targets: NDArray[Any], classification: bool) -> EncodedTargets:
    if not classification:
        first = next((row for row, text in enumerate(targets.tolist()) if not is_number(text)), 0)
        raise DataError(
            f'the targets of {samples.name} are text, as "{targets[first]}" ({samples.place(first)}), so they are '
            "classes: end the network in softmax with loss cross_entropy, or give numbers for a regression"
        )
    names, encoded = np.unique(targets, return_inverse=True)
    if len(names) > MOST_CLASSES:
        raise DataError(
            f"{samples.name} has {len(names):,} different targets: there may be at most {MOST_CLASSES:,} classes"
        )
    held = {}
    for role, split in samples.held():
        column = _column(split).astype(str)
        unknown = np.flatnonzero(~np.isin(column, names))
        if unknown.size:
            name, where = column[unknown[0]], split.place(int(unknown[0]))
            raise DataError(f'class "{name}" is only in {split.name} ({where}): it cannot be learnt')
        held[role] = np.searchsorted(names, column)
    return EncodedTargets(encoded.astype(np.int64), held, tuple(names.tolist()))


def _class_numbers(
    samples: Samples, targets: NDArray[Any], classification: bool, known: int | None
) -> NDArray[np.int64]:
    """Return whole numbers from 0 as class numbers. `known` is the number of classes, None if only the data say it."""
    _refuse_where(samples, targets, lambda t: ~np.isfinite(t), "is not a class")
    _refuse_where(
        samples,
        targets,
        lambda t: t != np.floor(t),
        "is not a class: classes are whole numbers or text; for a regression write loss mse",
    )
    _refuse_where(samples, targets, lambda t: t < 0, "is out of range: classes are counted from 0")
    most = known or MOST_CLASSES
    _refuse_where(samples, targets, lambda t: t >= most, f"is out of range: the classes are 0 to {most - 1:,}")
    return targets.astype(np.int64)


def _refuse_where(
    samples: Samples, targets: NDArray[Any], wrong: Callable[[NDArray[Any]], NDArray[Any]], reason: str
) -> None:
    found = np.flatnonzero(wrong(targets))
    if found.size:
        first, each = int(found[0]), targets[0].size
        others = f" and {found.size - 1:,} more" if found.size > 1 else ""
        label = targets.reshape(-1)[first]
        raise DataError(f"label {label:.15g} {reason} ({samples.place(first // each)}{others})")


def _numbers(samples: Samples, targets: NDArray[Any], classification: bool, known: int | None) -> NDArray[Any]:
    """Return numbers as floats (samples, outputs), or images (samples, height, width, channels).

    With `classification` each must be from 0 to 1.
    """
    values = targets if targets.dtype.kind == "f" else targets.astype(np.float64)
    values = values[..., None] if values.ndim in (1, 3) else values
    place = first_nonfinite_index(values)
    if place is not None:
        raise DataError(f"the target is {values[place]} ({samples.place(place[0])}); targets must be finite")
    if classification and ((values < 0) | (values > 1)).any():
        wrong = (values < 0) | (values > 1)
        sample = int(np.flatnonzero(wrong.reshape(len(values), -1).any(axis=1))[0])
        has = values[sample].tolist() if values.ndim == 2 else values[sample][wrong[sample]][0]
        columns = f"{values.shape[-1]} {'columns' if values.ndim == 2 else 'channels'}"
        raise DataError(
            f"targets in {columns} must each be 1 for yes or 0 for no, and {samples.place(sample)} has {has}"
        )
    return values
