"""Arenas: one flat array that holds many, such as a network's parameters, so that an optimizer works on one array."""

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np

from nnspec.runtime.arrays import pages
from nnspec.spec_lang.check.spec import Tie
from nnspec.spec_lang.vocabulary.shape import Parameter

Offsets = dict[str, tuple[int, tuple[int, ...]]]
"""Where each array begins in an arena, and its shape."""


def offsets(parameters: Mapping[str, Parameter]) -> Offsets:
    """Return where each array is when they are contiguous, in their order."""
    places: Offsets = {}
    start = 0
    for name, parameter in parameters.items():
        places[name] = (start, parameter.shape)
        start += parameter.size
    return places


class Arena(Mapping[str, np.ndarray]):
    """Named arrays that are views of one flat array, `flat`, in the order in which they were named.

    `flat` keeps its address as long as the arena exists. Copies and pickles of an arena have memory of their own.
    """

    def __init__(self, parameters: Mapping[str, Parameter], dtype: np.dtype):
        self._lay_out(offsets(parameters), sum(p.size for p in parameters.values()), dtype)

    def _lay_out(self, places: Offsets, size: int, dtype: np.dtype) -> None:
        self.flat = pages(size, dtype)
        self.offsets = places
        self._views: dict[str, np.ndarray] = {
            name: self.flat[start : start + prod(shape)].reshape(shape) for name, (start, shape) in places.items()
        }

    def __getstate__(self) -> tuple[Offsets, np.ndarray]:
        return self.offsets, np.array(self.flat)

    def __setstate__(self, state: tuple[Offsets, np.ndarray]) -> None:
        places, numbers = state
        self._lay_out(places, numbers.size, numbers.dtype)
        self.flat[...] = numbers

    def __getitem__(self, name: str) -> np.ndarray:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def of(self, layer: str, ties: Mapping[str, Tie] | None = None) -> dict[str, np.ndarray]:
        """Return the arrays of one layer, by their names in it, with those that it takes from other layers."""
        start = f"{layer}/"
        own = {n.removeprefix(start): a for n, a in self._views.items() if n.rpartition("/")[0] == layer}
        for name, tie in (ties or {}).items():
            own[name] = self._views[tie.array].T if tie.transposed else self._views[tie.array]
        return own

    def copies(self) -> dict[str, np.ndarray]:
        """Return a copy of every array."""
        return {name: array.copy() for name, array in self._views.items()}

    def fill(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy arrays in. Raises KeyError for an unknown name, ValueError for another shape."""
        for name, array in arrays.items():
            if name not in self._views:
                raise KeyError(name)
            if np.shape(array) != self._views[name].shape:
                raise ValueError(f"{name} has the shape {self._views[name].shape}, not {np.shape(array)}")
        for name, array in arrays.items():
            self._views[name][...] = array
