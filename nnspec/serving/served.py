"""The network that is served: what it takes, in which forms, and its name for those who ask."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.cli.checkpoint import class_names, classifies_images
from nnspec.runtime.data.files import open_for_reading
from nnspec.runtime.data.images import takes_pictures
from nnspec.runtime.data.tables.encoding import ColumnEncoding
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.vocabulary.shape import same_meaning


@dataclass(frozen=True)
class Served:
    """A network, the SHA-256 of its checkpoint, and whether pictures have light and dark swapped before it sees them.

    `version` is that of nnspec.
    """

    network: Network
    digest: str
    version: str
    invert: bool = False

    @property
    def name(self) -> str:
        """The name of the network."""
        return self.network.spec.name

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a raw sample."""
        return self.network.preprocessing.input_shape

    @cached_property
    def forms(self) -> tuple[tuple[int, ...], ...]:
        """The shapes in which a sample may be sent, its own first: 28x28x1, 28x28 and 784 mean the same."""
        return tuple(dict.fromkeys(form for form in _forms(self.shape) if same_meaning(form, self.shape)))

    @cached_property
    def columns(self) -> ColumnEncoding | None:
        """How rows of a table become samples, None where samples are not rows."""
        return self.network.preprocessing.encoding()

    @property
    def rows_of_a_sample(self) -> int:
        """How many rows of a table a sample is: 1, or as many as a window over time has."""
        return self.shape[0] if len(self.shape) == 2 else 1

    @cached_property
    def pictures(self) -> bool:
        """Whether pictures become samples."""
        low, _ = self.network.preprocessing.limits
        fitted = self.network.preprocessing.picture_fit is not None
        return takes_pictures(self.network.preprocessing) and self.columns is None and (fitted or low >= 0)

    @cached_property
    def symbols(self) -> int | None:
        """The number of symbols, where samples are symbols."""
        return self.network.spec.input.symbols if self.network.spec.input is not None else None

    @cached_property
    def explains(self) -> bool:
        """Whether occlusion explains the network: it has probabilities of the classes of images."""
        return classifies_images(self.network)

    @cached_property
    def classes(self) -> list[str] | None:
        """The names of the classes in the order of the outputs, None where the network does not classify."""
        return class_names(self.network, steps=True)

    @cached_property
    def largest(self) -> float:
        """The largest number that the network can compute with."""
        return float(np.finfo(self.network.dtype).max)

    def about(self) -> dict[str, Any]:
        """Return what /health says of it."""
        return {"network": self.name, "digest": self.digest, "version": self.version}


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, as `sha256sum` prints it. Raises DataError where it cannot be read."""
    with open_for_reading(file) as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _forms(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield candidates: the shape, without axes of length 1 at its end, with one of them, and as a row."""
    yield shape
    trimmed = shape
    while len(trimmed) > 1 and trimmed[-1] == 1:
        trimmed = trimmed[:-1]
        yield trimmed
    if len(shape) > 1:
        yield (math.prod(shape),)
