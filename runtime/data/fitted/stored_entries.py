"""Entries of a checkpoint's preprocessing, checked as they are read: a valid seal does not make their values usable."""

import json
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import DataError


class StoredEntries:
    """The entries of a checkpoint, checked as they are read. Each method raises DataError for another value."""

    def __init__(self, entries: Mapping[str, NDArray[Any] | str]):
        self.entries = entries

    def word(self, name: str, choices: tuple[str, ...]) -> str:
        """Return a text that is one of the choices."""
        value = self.entries.get(name)
        if value not in choices or not isinstance(value, str):
            raise stored_error(f"has no {name} known to this version")
        return value

    def array(self, name: str, dtype: type[np.number[Any]]) -> NDArray[Any]:
        """Return an array (n,) of finite numbers of a type."""
        value = self.entries.get(name)
        if not isinstance(value, np.ndarray) or value.dtype != dtype or value.ndim != 1 or not np.isfinite(value).all():
            raise stored_error(f"has no one-dimensional array {name} of finite {np.dtype(dtype)} numbers")
        return value

    def names(self, name: str) -> tuple[str, ...] | None:
        """Return a JSON list of texts, None where it is absent."""
        if name not in self.entries:
            return None
        try:
            value = json.loads(cast("str", self.entries[name]))
        except (TypeError, ValueError, RecursionError):
            value = None
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise stored_error(f"has {name} that are not a list of names")
        return tuple(value)


def stored_error(problem: str) -> DataError:
    """Return the error for preprocessing that no network can have."""
    return DataError(f"the preprocessing stored in the checkpoint {problem}")
