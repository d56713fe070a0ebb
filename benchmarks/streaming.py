"""Times an epoch in random order from a file on a disk, beside reading the file from start to end.

    python -m benchmarks.streaming                      2 GB in the system's folder for temporary files
    python -m benchmarks.streaming --gigabytes 20 --folder /data --seconds 60

Each file is read with its pages dropped from the system's cache, and again with what is left in it.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.machine import Watch, machine
from nnspec.runtime.data.array_likes import MEMORY, ReadAhead, StoredArray
from nnspec.runtime.data.sources.hdf5 import load_hdf5
from nnspec.runtime.data.sources.npy import open_array
from nnspec.spec_lang.vocabulary.file_sources import Hdf5

SAMPLES = {"28x28x1": 784, "32x32x3": 3072, "224x224x3": 150_528}
"""Bytes of a sample, by what it is."""

BATCH = 32
_BLOCK = 2**24


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table: megabytes a second of each kind of file and size of sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2.0, help="the size of a file")
    parser.add_argument("--folder", type=Path, help="where the files are written, and removed again")
    parser.add_argument("--seconds", type=float, default=20.0, help="the most seconds of one measurement")
    given = parser.parse_args(arguments)
    os.environ[MEMORY] = "0"
    watch = Watch.start()
    print("MB/s of one file            start to end      epoch, random order")
    print("                            cold     warm     cold     warm")
    for name, row in SAMPLES.items():
        shape = (max(1, int(given.gigabytes * 1e9) // row), row)
        for kind, write in (("npy", _write_npy), ("hdf5", _write_hdf5), ("hdf5 chunks", _write_chunks)):
            with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                path = write(Path(folder), shape)
                speeds = [*_both(path, given.seconds, _whole), *_both(path, given.seconds, _epoch)]
            print(f"{name:10} {kind:12}" + "".join(f"{speed:9,.0f}" for speed in speeds), flush=True)
    print(
        f"{machine()['processor']}, {given.gigabytes:g} GB each; others used {100 * watch.others():.0f} % of the cores"
    )
    return 0


def _both(path: Path, seconds: float, read: Callable[[Path, float], float]) -> list[float]:
    _drop(path)
    return [read(path, seconds), read(path, seconds)]


def _whole(path: Path, seconds: float) -> float:
    """Return the megabytes a second of plain reads from the start of the file."""
    buffer, done, began = bytearray(2**22), 0, time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while time.perf_counter() - began < seconds and (count := file.readinto(buffer)):
            done += count
    return done / (time.perf_counter() - began) / 1e6


def _epoch(path: Path, seconds: float) -> float:
    """Return the megabytes a second of the batches of an epoch."""
    samples = _open(path)
    ahead, order = ReadAhead(samples), np.random.default_rng(1).permutation(len(samples))
    out, done, began = np.empty((BATCH, *samples.shape[1:]), samples.dtype), 0, time.perf_counter()
    for start in range(0, len(samples) - BATCH, BATCH):
        ahead.read(order, start, out)
        done += out.nbytes
        if time.perf_counter() - began > seconds:
            break
    return done / (time.perf_counter() - began) / 1e6


def _open(path: Path) -> StoredArray:
    samples: Any = open_array(path) if path.suffix == ".npy" else load_hdf5(Hdf5(path=path.name), path.parent).inputs
    assert isinstance(samples, StoredArray)
    return samples


def _drop(path: Path) -> None:
    """Write a file to the disk and drop its pages from the system's cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _blocks(shape: tuple[int, int]) -> "list[slice]":
    step = max(1, _BLOCK // shape[1])
    return [slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step)]


def _write_npy(folder: Path, shape: tuple[int, int]) -> Path:
    random = np.random.default_rng(0)
    with (folder / "x.npy").open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for part in _blocks(shape):
            file.write(random.integers(0, 256, (part.stop - part.start, shape[1]), np.uint8).tobytes())
    return folder / "x.npy"


def _write_hdf5(folder: Path, shape: tuple[int, int], **options: Any) -> Path:
    random = np.random.default_rng(0)
    with h5py.File(folder / "x.h5", "w") as file:
        samples = file.create_dataset("x", shape, "u1", **options)
        for part in _blocks(shape):
            samples[part] = random.integers(0, 256, (part.stop - part.start, shape[1]), np.uint8)
        file["y"] = np.zeros(shape[0], np.int8)
    return folder / "x.h5"


def _write_chunks(folder: Path, shape: tuple[int, int]) -> Path:
    """A chunk for each sample, compressed."""
    return _write_hdf5(folder, shape, chunks=(1, shape[1]), compression="lzf")


if __name__ == "__main__":
    raise SystemExit(main())
