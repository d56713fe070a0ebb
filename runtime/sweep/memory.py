"""The memory of a sweep, foretold before it starts: what one trial takes, and what this machine has."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.compiler.listing import training_bytes
from nnspec.runtime.data import Data
from nnspec.runtime.data.array_likes import is_stored
from nnspec.runtime.data.augmentation.augmenter import augmentation_bytes
from nnspec.runtime.infer.program_cache import plan_of_spec
from nnspec.spec_lang.check.spec import Spec

MEMINFO = Path("/proc/meminfo")
STATM = Path("/proc/self/statm")
CGROUP = Path("/sys/fs/cgroup")

INTERPRETER = 100_000_000
"""Bytes of Python with NumPy and h5py, where the system does not say what this process has."""


def step_bytes(spec: Spec, samples: np.dtype[Any]) -> int:
    """Return the bytes of the plan of a training step of a spec, whose raw samples are of this type."""
    plan = plan_of_spec(spec)
    found = training_bytes(plan, spec, samples.itemsize)
    if spec.augment is not None and spec.input is not None and len(spec.input) == 3:
        height, width, channels = spec.input
        found += augmentation_bytes(
            spec.augment, (height, width, channels), samples, plan.schedule.batch * plan.schedule.block
        )
    return found


def data_bytes(data: Data) -> int:
    """Return the bytes of all splits that are kept in memory."""
    arrays = [array for _, split in data.splits() for array in split.arrays()]
    return sum(array.nbytes for array in arrays if not is_stored(array))


def process_bytes() -> int:
    """Return the bytes that this process has in memory before it has data."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return INTERPRETER


def available_bytes() -> int | None:
    """Return the bytes of memory that this process may still take; None where the system does not say.

    The least of what the machine has and of what its container may use.
    """
    found = [size for size in (_of_the_machine(), _of_the_container()) if size is not None]
    return min(found, default=None)


def _of_the_machine() -> int | None:
    try:
        lines = MEMINFO.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def _of_the_container() -> int | None:
    try:
        most, now = ((CGROUP / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = _inactive_file()
        return None if most == "max" else max(0, int(most) - int(now) + cached)
    except (OSError, ValueError):
        return None


def _inactive_file() -> int:
    """Return the bytes of files that the container's kernel keeps in memory and gives back when asked."""
    lines = (CGROUP / "memory.stat").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))


def jobs_that_fit(jobs: int, sizes: Sequence[int], available: int | None) -> int:
    """Return how many of `jobs` trials of these sizes fit at once into the memory, the largest of them; 0 for none."""
    if available is None or not sizes:
        return jobs
    return min(jobs, available // max(sizes))
