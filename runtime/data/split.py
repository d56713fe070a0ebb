"""Samples in memory: what a part of the data is, and what all parts are together."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.characters import lacking
from nnspec.runtime.data.preprocessing import Preprocessing
from nnspec.runtime.errors import DataError

_CHUNK = 2**22  # numbers hashed at a time


@dataclass(frozen=True, eq=False)
class Part:
    """Samples and what they are to become.

    `inputs` is (samples, …) in the type they came in: bytes stay bytes until a batch is normalized. `targets` is
    (samples,) int64, the number of each sample's class, or (samples, outputs) of floats; of text (samples, time) int64,
    the symbol behind each step, and −1 behind the end of a shorter sequence.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, eq=False)
class Data:
    """All parts of the data, what was learnt about normalizing them, and a digest of every byte.

    `digest` is a SHA-256 in hex over the type, shape and bytes of all parts and the names of classes and features, so
    equal digests mean equal data, split in the same way.
    """

    name: str
    train: Part
    validation: Part | None
    test: Part | None
    preprocessing: Preprocessing
    digest: str

    def parts(self) -> Iterator[tuple[str, Part]]:
        """The parts that there are, by name: train, validation, test."""
        for name, part in (("train", self.train), ("validation", self.validation), ("test", self.test)):
            if part is not None:
                yield name, part

    def counts(self) -> dict[str, dict[str, int]]:
        """How many samples of each class each part has; no classes where the targets are numbers."""
        names = self.preprocessing.classes or ()
        found: dict[str, dict[str, int]] = {}
        for role, part in self.parts():
            known = part.targets[part.targets >= 0] if names else part.targets
            numbers = np.bincount(known, minlength=len(names)).tolist() if names else []
            found[role] = dict(zip(names, numbers, strict=True))
        return found

    def require_outputs(self, outputs: int) -> None:
        """Raise DataError where a class number is too high for a network of so many outputs, naming the sample.

        A single output tells two classes apart. Targets of several columns need as many outputs.
        """
        for role, part in self.parts():
            if part.targets.ndim == 2:
                if part.targets.shape[1] != outputs:
                    wanted = f"{part.targets.shape[1]} numbers for each sample"
                    raise DataError(f"the targets of {self.name} are {wanted}, and the network has {outputs} outputs")
                continue
            known = max(outputs, 2)
            worst = int(part.targets.argmax())
            label = int(part.targets[worst])
            if label >= known:
                raise DataError(
                    f"label {label} is out of range: the network ends in {outputs} outputs, so classes are 0 to "
                    f"{known - 1} (sample {worst} of the {role} part of {self.name}, counted from 0); "
                    f"write {label + 1} outputs in the last layer, or mend the labels, which count from 0"
                )

    def fitted_to(self, preprocessing: Preprocessing) -> "Data":
        """These data as a network sees them that was trained on others: normalized by what it learnt, columns and
        classes in its order, both found by name. Raises DataError for a shape, column or class that it does not know.
        """
        columns = _columns(self, preprocessing)
        renumber = _renumbered(self, preprocessing)
        symbols = self.preprocessing.vocabulary is not None and preprocessing.vocabulary is not None
        parts: dict[str, Part | None] = {"train": None, "validation": None, "test": None}
        for role, part in self.parts():
            inputs = part.inputs if columns is None else part.inputs[..., columns]
            if symbols:
                parts[role] = _as_symbols(self.name, part, renumber, preprocessing.input_shape[0])
                continue
            preprocessing.as_batch(inputs[:1])
            parts[role] = Part(inputs, part.targets if renumber is None else renumber[part.targets])
        train = parts["train"]
        assert train is not None
        sha = digest(parts, preprocessing)
        return Data(self.name, train, parts["validation"], parts["test"], preprocessing, sha)


def _columns(data: Data, preprocessing: Preprocessing) -> list[int] | None:
    """Which columns a network takes, in its order; None where all fit as they stand."""
    have, wanted = data.preprocessing.features, preprocessing.features
    if have is None or wanted is None or have == wanted:
        return None
    missing = [name for name in wanted if name not in have]
    if missing:
        raise DataError(f'{data.name} has no column "{missing[0]}", which the network was trained on')
    return [have.index(name) for name in wanted]


def _as_symbols(name: str, part: Part, renumber: NDArray[np.int64] | None, length: int) -> Part:
    """Sequences of symbols by a network's numbers and of its length: shorter ones are padded."""
    padding = length - part.inputs.shape[1]
    if padding < 0:
        raise DataError(
            f"{name} has sequences of {part.inputs.shape[1]} steps, and the network was trained on {length} at most"
        )

    def fitted(symbols: NDArray[Any]) -> NDArray[Any]:
        known = symbols if renumber is None else np.where(symbols >= 0, renumber[symbols], symbols)
        return np.pad(known, ((0, 0), (0, padding)), constant_values=-1).astype(symbols.dtype)

    return Part(fitted(part.inputs), fitted(part.targets))


def _renumbered(data: Data, preprocessing: Preprocessing) -> NDArray[np.int64] | None:
    """A network's number for each class of the data; None where they are numbered alike."""
    have, wanted = data.preprocessing.classes, preprocessing.classes
    if have is None or wanted is None or have == wanted[: len(have)]:
        return None
    present = {name for counts in data.counts().values() for name, count in counts.items() if count}
    unknown = [name for name in have if name in present and name not in wanted]
    if unknown:
        if preprocessing.vocabulary is not None:
            raise DataError(f"{data.name} has {lacking(unknown[0], wanted)}")
        known = ", ".join(wanted[:10]) + (", …" if len(wanted) > 10 else "")
        raise DataError(f'{data.name} has the class "{unknown[0]}", and the network knows {known}')
    return np.array([wanted.index(name) if name in wanted else 0 for name in have], np.int64)


def digest(parts: dict[str, Part | None], preprocessing: Preprocessing) -> str:
    """The SHA-256 that `Data.digest` promises. Hashes in chunks, so that nothing is copied at once."""
    sha = hashlib.sha256()
    sha.update(json.dumps([preprocessing.classes, preprocessing.features]).encode())
    for role, part in parts.items():
        for array in (part.inputs, part.targets) if part is not None else ():
            sha.update(f"{role} {array.dtype.str} {array.shape} ".encode())
            rows = max(1, _CHUNK // max(1, array[:1].size))
            for start in range(0, len(array), rows):
                sha.update(np.ascontiguousarray(array[start : start + rows]).data.cast("B"))
    return sha.hexdigest()
