"""Samples as a source gives them, before anything is checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnspec.runtime.errors import DataError


@dataclass(frozen=True, eq=False)
class Samples:
    """One source's samples: its inputs (samples, …), its targets (samples,) or (samples, outputs), numbers or text.

    `place` tells a person where the sample of an index stands, as "iris.csv, line 7". `test` are the samples of a test
    split, where the source has one of its own. `features` are the names of columns; `classes` is how many classes there
    are, where that is known beforehand.

    With `steps` the targets stand ready as they are: numbers (samples, …), or with `symbols`, the vocabulary of a text,
    the number of the symbol behind each step (samples, time), −1 for padding as in the inputs. `ordered` says that
    samples follow each other in time, so that splits are cut in their order.
    """

    name: str
    inputs: NDArray[Any]
    targets: NDArray[Any]
    place: Callable[[int], str]
    test: "Samples | None" = None
    features: tuple[str, ...] | None = None
    classes: int | None = None
    symbols: tuple[str, ...] | None = None
    steps: bool = False
    ordered: bool = False


def rectangular(values: ArrayLike, what: str) -> NDArray[Any]:
    """Values as an array. Raises DataError where some are longer than others, as sequences are."""
    try:
        return np.asarray(values)
    except ValueError:
        raise DataError(
            f"the {what} differ in length or shape, and a batch has one: put -1 behind shorter sequences of symbols, "
            "which is padding and counts nowhere; cut or fill numbers to one length"
        ) from None


def numbered_places(name: str) -> Callable[[int], str]:
    """Places in a file or array that has no lines: the sample's number, counted from 0 as NumPy does."""
    return lambda index: f"{name}, sample {index} (counted from 0)"
