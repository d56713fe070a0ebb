"""Samples as a source returns them: read, and not checked yet."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.data.array_likes import is_stored
from nnspec.runtime.data.pictures import Fit
from nnspec.runtime.errors import DataError

if TYPE_CHECKING:
    from nnspec.runtime.data.tables.encoding import ColumnEncoding


@runtime_checkable
class Unencoded(Protocol):
    """Inputs that become numbers only after the training rows are known: the columns of a table."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def fit(self, rows: Any) -> "tuple[ColumnEncoding, tuple[str, ...]]":
        """Learn the encoding from the training samples, a slice or indices; also return warnings."""

    def encoded(self, encoding: "ColumnEncoding", warn: Callable[[str], None] | None = None) -> NDArray[np.float64]:
        """Return the numbers, (samples, …)."""

    def without(self, column: str) -> "Unencoded":
        """Return the same samples without a column, if there is one of this name."""


@dataclass(frozen=True, eq=False)
class Samples:
    """One source's samples: its inputs (samples, …), numbers or columns to encode, and its targets.

    Targets are (samples,) or (samples, outputs), numbers or text. `place` returns where the sample of an index is, for
    messages, as "iris.csv, line 7". `test` has the samples of the
    test split if the source has its own. `features` are the names of the columns. `classes` is the number of classes if
    it is known beforehand, and `class_names` what they are called, where that is more than their numbers.

    With `steps` the targets need no encoding: numbers (samples, …), or with `symbols`, the vocabulary of a text, the
    number of the symbol after each step (samples, time), −1 for padding as in the inputs. `ordered` means that samples
    are in time order, so splits are cut in that order. `groups` names the group of each sample, which is in one split
    whole. `validation` has the samples of the validation split if the source has its own. `column` reads another column
    or array of the source by its name, (samples,), such as the weights of samples; None where there are no others.
    `weights` (samples,) are weights that were given with the samples. `notes` are sentences on what was found and left
    out. `gap` is the number of samples that belong to no split between two of them in order of time, because their
    targets reach into the later one. `times` (samples,) are the dates of the first target of each sample of a series.
    `picture_fit` is how pictures of a folder were brought to one size.
    """

    name: str
    inputs: Any  # an array, or Unencoded
    targets: NDArray[Any]
    place: Callable[[int], str]
    test: "Samples | None" = None
    features: tuple[str, ...] | None = None
    classes: int | None = None
    class_names: tuple[str, ...] | None = None
    symbols: tuple[str, ...] | None = None
    steps: bool = False
    ordered: bool = False
    groups: NDArray[Any] | None = None
    validation: "Samples | None" = None
    column: Callable[[str], NDArray[Any]] | None = None
    weights: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
    gap: int = 0
    times: NDArray[Any] | None = None
    picture_fit: Fit | None = None

    def held(self) -> "Iterator[tuple[str, Samples]]":
        """Yield the splits that the source has of its own, by name."""
        for name, split in (("validation", self.validation), ("test", self.test)):
            if split is not None:
                yield name, split


def rectangular(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return values as an array. Raises DataError where they differ in length, as sequences do."""
    if is_stored(values):
        return cast("NDArray[Any]", values)
    try:
        return np.asarray(values)
    except ValueError:
        raise DataError(
            f"the {what} differ in length or shape, and a batch needs one shape: pad shorter sequences of symbols with "
            "-1, which loss and metrics ignore; cut or fill numeric sequences to one length"
        ) from None


def as_targets(values: ArrayLike) -> NDArray[Any]:
    """Return targets as an array (samples, …). Raises DataError where they are not finite numbers, one a sample."""
    targets = rectangular(values, "targets")
    if targets.ndim == 0:
        raise DataError("the targets are a single value: give one for each sample", 2)
    if targets.dtype.kind not in "buif":
        raise DataError(f"the targets are {targets.dtype}: give numbers, classes as whole numbers from 0", 2)
    if not np.isfinite(targets).all():
        raise DataError("the targets have NaN or infinity: give finite numbers", 2)
    return targets


def numbered_places(name: str) -> Callable[[int], str]:
    """Return the `place` of samples in a file or array without lines: the sample's number, counted from 0."""
    return lambda index: f"{name}, sample {index} (counted from 0)"
