"""One flat array for many: the parameters of a network side by side, so that an optimizer is a few operations over
all."""

from collections.abc import Iterator, Mapping

import numpy as np

from nnspec.runtime.arrays import shared
from nnspec.spec_lang.vocabulary.shape import Parameter

Offsets = dict[str, tuple[int, tuple[int, ...]]]
"""Where each array begins in an arena, and its shape."""


def offsets(parameters: Mapping[str, Parameter]) -> Offsets:
    """The places of arrays side by side, in their order."""
    places: Offsets = {}
    start = 0
    for name, parameter in parameters.items():
        places[name] = (start, parameter.shape)
        start += parameter.size
    return places


class Arena(Mapping[str, np.ndarray]):
    """Named arrays that are views of one flat array, `flat`, in the order in which they were named."""

    def __init__(self, parameters: Mapping[str, Parameter], dtype: np.dtype):
        self.flat = shared(sum(p.size for p in parameters.values()), dtype)
        self.offsets = offsets(parameters)
        self._views: dict[str, np.ndarray] = {
            name: self.flat[start : start + parameters[name].size].reshape(shape)
            for name, (start, shape) in self.offsets.items()
        }

    def __getitem__(self, name: str) -> np.ndarray:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def of(self, layer: str) -> dict[str, np.ndarray]:
        """The arrays of one layer, by their names in it."""
        start = f"{layer}/"
        return {n.removeprefix(start): a for n, a in self._views.items() if n.rpartition("/")[0] == layer}

    def copies(self) -> dict[str, np.ndarray]:
        """A copy of every array."""
        return {name: array.copy() for name, array in self._views.items()}

    def fill(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy arrays in. Raises KeyError for a name that is not here, ValueError for another shape."""
        for name, array in arrays.items():
            if name not in self._views:
                raise KeyError(name)
            if np.shape(array) != self._views[name].shape:
                raise ValueError(f"{name} has the shape {self._views[name].shape}, not {np.shape(array)}")
        for name, array in arrays.items():
            self._views[name][...] = array
