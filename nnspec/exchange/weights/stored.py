"""What a file of weights holds, whatever its format, and the rules that every file is held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.runtime.arrays import Array

Framework = Literal["torch", "keras", "nnspec"]
"""Whose names, shapes and orders the arrays have."""

MOST_ARRAYS = 100_000
LONGEST_NAME = 512
SMALL = 64 * 2**20  # bytes that any file may unpack to
UNPACKED = 20  # times its size that a larger file may unpack to


@dataclass(frozen=True)
class Stored:
    """Arrays by their names in a file, in its order.

    `framework` is the one that its format is of, None where it does not say; `convention` the one to take where nothing
    does, and the shapes of both fit. `called` has another name of
    a layer by its path, and `settings` the arguments of a layer by its path, where the file has them. `order` are the
    paths of the layers in the order of the network, None where it is that of the arrays; `ordered` says whether there
    is any. `notes` say what was left out.
    """

    arrays: Mapping[str, Array]
    framework: Framework | None = None
    convention: Framework = "keras"
    called: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    order: tuple[str, ...] | None = None
    ordered: bool = True
    notes: tuple[str, ...] = ()


def checked_name(name: object, where: str) -> str:
    """Return the name of an array. Raises ExchangeError for one that no framework writes."""
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME or not name.isprintable():
        shown = repr(name if len(str(name)) <= 80 else f"{str(name)[:80]}…")
        raise ExchangeError(f"{where}: {shown} is not the name of an array")
    return name


def check_declared(declared: int, size: int, what: str) -> None:
    """Raise ExchangeError where a file of `size` bytes declares more numbers than it can hold."""
    if declared > max(SMALL, UNPACKED * size):
        raise ExchangeError(f"{what} declares {declared:,} bytes, more than a file of {size:,} bytes can hold")


def as_numbers(array: Array, what: str) -> Array:
    """Return an array of finite numbers. Raises ExchangeError for anything else."""
    if array.dtype.kind not in "fiub":
        raise ExchangeError(f"{what} is of type {array.dtype}, and weights are numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        count = int(array.size - np.isfinite(array).sum())
        raise ExchangeError(f"{what} has {count:,} of {array.size:,} numbers that are NaN or infinite")
    return array
