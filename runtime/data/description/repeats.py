"""Samples that occur more than once: in one split, or in two, where the later one tests nothing."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.split import Data

_ROWS = 4096  # samples hashed at once

Digests = NDArray[np.void]


def digests_of(samples: Any) -> Digests:
    """Return a digest of 16 bytes for each sample, (samples,); equal samples have equal ones."""
    found = np.empty(len(samples), "V16")
    for start in range(0, len(samples), _ROWS):
        part = np.ascontiguousarray(samples[start : start + _ROWS])
        for row, sample in enumerate(part):
            found[start + row] = np.void(hashlib.blake2b(sample.tobytes(), digest_size=16).digest())
    return found


def repeated(digests: Digests) -> int:
    """Return how many samples repeat an earlier one."""
    return len(digests) - len(np.unique(digests))


def shared(digests: Mapping[str, Digests]) -> dict[str, int]:
    """Return how many samples of validation and test are training samples too, and of test validation samples.

    Keys are "validation in train", "test in train" and "test in validation", of the splits that there are.
    """
    pairs = (("validation", "train"), ("test", "train"), ("test", "validation"))
    return {
        f"{later} in {earlier}": int(np.isin(digests[later], digests[earlier]).sum())
        for later, earlier in pairs
        if later in digests and earlier in digests
    }


def digests_of_splits(data: Data) -> dict[str, Digests]:
    """Return the digests of the samples of each split."""
    return {role: digests_of(split.inputs) for role, split in data.splits()}
