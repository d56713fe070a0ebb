"""The data of a run in memory: its training, validation and test splits, ready to be normalized."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.runtime.data.labels import LabelGaps
from nnspec.runtime.data.sources.characters import lacking
from nnspec.runtime.errors import DataError

_CHUNK = 2**22  # numbers hashed at once


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their targets.

    `inputs` is (samples, …) in the type of the source: bytes stay bytes until a batch is normalized. It is an array, or
    a `StoredArray`, which is read as it is needed. `targets` is (samples,) int64, the class of each sample, or
    (samples, outputs) of floats; of text (samples, time) int64, the symbol after each step, and −1 after the end of a
    shorter sequence. `weights` (samples,) multiply the terms of each sample in the training loss; None weighs all
    alike. `times` (samples,) are the dates of the first target of each sample of a series, None without dates.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[np.float64] | None = None
    times: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """Return the arrays that it has: inputs, targets and, where samples have weights, these."""
        return (self.inputs, self.targets) if self.weights is None else (self.inputs, self.targets, self.weights)


@dataclass(frozen=True, eq=False)
class Data:
    """All splits of the data, the preprocessing learnt from the training split, and a digest of every byte.

    `hashed` is what `digest` is computed from: the splits as they were read. `notes` say what was found out about the
    files and how columns are encoded, and `warnings` what their owner should look at. `gaps` says which numbers class
    labels leave out.
    """

    name: str
    train: Split
    validation: Split | None
    test: Split | None
    preprocessing: Preprocessing
    hashed: "DataDigest"
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    gaps: LabelGaps | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 in hex over the type, shape and bytes of all splits and the names of classes and features.

        Equal digests mean equal data and equal splits.
        """
        return self.hashed.hex

    def splits(self) -> Iterator[tuple[str, Split]]:
        """Yield the splits that exist, by name: train, validation, test."""
        for name, split in (("train", self.train), ("validation", self.validation), ("test", self.test)):
            if split is not None:
                yield name, split

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of samples of each class in each split; no classes where the targets are numbers."""
        names = self.preprocessing.classes or ()
        found: dict[str, dict[str, int]] = {}
        for role, split in self.splits():
            known = split.targets[split.targets >= 0] if names else split.targets
            numbers = np.bincount(known, minlength=len(names)).tolist() if names else []
            found[role] = dict(zip(names, numbers, strict=True))
        return found

    def with_labels_for(self, outputs: int) -> "Data":
        """Return these data for a network with this number of outputs: labels that skip numbers may be names.

        Where the labels are as many as the outputs (or two, and the output one), they are the names of the classes.
        """
        count = len(self.gaps.present) if self.gaps is not None else 0
        if self.gaps is None or not (outputs == count or (outputs == 1 and count == 2)):
            return self
        present = np.array(self.gaps.present)
        splits: dict[str, Split | None] = {"train": None, "validation": None, "test": None}
        for role, split in self.splits():
            unknown = np.flatnonzero(~np.isin(split.targets, present))
            if unknown.size:
                label = split.targets[unknown[0]]
                raise DataError(f'class "{label}" is only in the {role} split of {self.name}: it cannot be learnt')
            splits[role] = replace(split, targets=np.searchsorted(present, split.targets))
        preprocessing = replace(self.preprocessing, classes=self.gaps.classes())
        train = splits["train"]
        assert train is not None
        return replace(
            self,
            train=train,
            validation=splits["validation"],
            test=splits["test"],
            preprocessing=preprocessing,
            hashed=DataDigest(splits, preprocessing),
            notes=(*self.notes, f"{self.gaps.said}: these are the names of the {count} classes"),
            gaps=None,
        )

    def require_labels_for(self, outputs: int) -> "Data":
        """Return these data for a network with this number of outputs, as `with_labels_for` does.

        Raises DataError where labels skip numbers, and neither their count nor the largest fits the outputs.
        """
        data = self.with_labels_for(outputs)
        if data.gaps is None or outputs == 1:
            return data
        if outputs == data.gaps.present[-1] + 1:
            return replace(data, warnings=(*data.warnings, f"{data.gaps.said}: the other classes have no sample"))
        raise DataError(f"{data.gaps.said}, and the network has {outputs} outputs: {data.gaps.advice()}")

    def fitted_to(self, preprocessing: Preprocessing) -> "Data":
        """Return these data for a network trained on other data, whose `preprocessing` this is.

        Columns and classes are found by name and put into the network's order. Raises DataError for a shape, column or
        class that the network does not know.
        """
        columns = _columns(self, preprocessing)
        renumber = _renumbered(self, preprocessing)
        symbols = self.preprocessing.vocabulary is not None and preprocessing.vocabulary is not None
        splits: dict[str, Split | None] = {"train": None, "validation": None, "test": None}
        for role, split in self.splits():
            inputs = split.inputs if columns is None else split.inputs[..., columns]
            if symbols:
                splits[role] = _as_symbols(self.name, split, renumber, preprocessing.input_shape[0])
                continue
            preprocessing.as_batch(inputs[:1])
            targets = split.targets if renumber is None else renumber[split.targets]
            splits[role] = replace(split, inputs=inputs, targets=targets)
        train = splits["train"]
        assert train is not None
        held = splits["validation"], splits["test"]
        hashed = DataDigest(splits, preprocessing)
        return Data(self.name, train, *held, preprocessing, hashed, self.notes, self.warnings)


def _columns(data: Data, preprocessing: Preprocessing) -> list[int] | None:
    """Return the indices of the network's columns in its order; None if the columns are the same already."""
    have, wanted = data.preprocessing.features, preprocessing.features
    if have is None or wanted is None or have == wanted:
        return None
    missing = [name for name in wanted if name not in have]
    if missing:
        raise DataError(f'{data.name} has no column "{missing[0]}", which the network was trained on')
    return [have.index(name) for name in wanted]


def _as_symbols(name: str, split: Split, renumber: NDArray[np.int64] | None, length: int) -> Split:
    """Return sequences with the symbols of a network's vocabulary, padded to its length."""
    padding = length - split.inputs.shape[1]
    if padding < 0:
        raise DataError(
            f"{name} has sequences of {split.inputs.shape[1]} steps, and the network was trained on at most {length}"
        )

    def fitted(symbols: NDArray[Any]) -> NDArray[Any]:
        known = symbols if renumber is None else np.where(symbols >= 0, renumber[symbols], symbols)
        return np.pad(known, ((0, 0), (0, padding)), constant_values=-1).astype(symbols.dtype)

    return replace(split, inputs=fitted(split.inputs), targets=fitted(split.targets))


def _renumbered(data: Data, preprocessing: Preprocessing) -> NDArray[np.int64] | None:
    """Return the network's number of each class of the data; None if the numbers are the same."""
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


class DataDigest:
    """The digest of splits, computed when it is asked for: a run that saves nothing reads no byte for it."""

    def __init__(self, splits: Mapping[str, Split | None], preprocessing: Preprocessing):
        self._splits = splits
        self._names = [preprocessing.classes, preprocessing.features]

    @cached_property
    def hex(self) -> str:
        """The SHA-256 of `Data.digest`, computed in chunks so that the data are never copied whole."""
        sha = hashlib.sha256()
        sha.update(json.dumps(self._names).encode())
        for role, split in self._splits.items():
            for array in split.arrays() if split is not None else ():
                sha.update(f"{role} {array.dtype.str} {array.shape} ".encode())
                rows = max(1, _CHUNK // max(1, array[:1].size))
                for start in range(0, len(array), rows):
                    sha.update(np.ascontiguousarray(array[start : start + rows]).data.cast("B"))
        self._splits = {}
        return sha.hexdigest()
