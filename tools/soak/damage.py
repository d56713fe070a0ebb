"""Accidental damage: missing, added or flipped bytes, and how soon they are found."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, Damaged, NotACheckpoint, layout, seal
from tests.support.checkpoint_files import make_example
from tools.soak.experiments import Tally, experiment, tries
from tools.soak.pace import computing_seconds

LONGEST = 0.05  # seconds of computing in which damage to a file of ten megabytes is found


@contextmanager
def hdf5_watched() -> Iterator[list[int]]:
    """Collect the sizes of the images that HDF5 reads."""
    given: list[int] = []
    locate_datasets = layout.locate_datasets

    def watch(image: bytes) -> dict[str, layout.DatasetLocation]:
        given.append(len(image))
        return locate_datasets(image)

    with patch.object(layout, "locate_datasets", watch):
        yield given


def found(image: bytes) -> bool:
    """Return whether an image is reported as damaged, or as another kind of file, before HDF5 reads it."""
    with hdf5_watched() as given:
        try:
            checkpoints.from_bytes(image)
        except (Damaged, NotACheckpoint):
            return not given
    return False


@experiment(
    "every truncation of a small checkpoint, every flipped bit of its first 512 bytes, and flips of one to four bits "
    "anywhere after them are reported before HDF5 reads a byte",
    soak=1_000_000,
)
def damage(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Try `count` flips after the seal, and all other damage."""
    tally, image, chance = Tally(), checkpoints.to_bytes(make_example()), random.Random(seed)
    for length in range(len(image)):
        tally.count(found(image[:length]), f"cut to {length} bytes")
    for bit in range(8 * seal.SIZE):
        tally.count(found(flipped(image, [bit])), f"bit {bit} flipped")
    for _ in tries(count, seconds):
        bits = {chance.randrange(8 * seal.SIZE, 8 * len(image)) for _ in range(chance.choice((1, 1, 1, 2, 4)))}
        tally.count(found(flipped(image, sorted(bits))), f"bits {sorted(bits)} flipped")
    tally.notes.append(f"{len(image):,} truncations, {8 * seal.SIZE:,} bits of the seal")
    return tally


def flipped(image: bytes, bits: list[int]) -> bytes:
    """Return the image with these bits flipped."""
    data = bytearray(image)
    for bit in bits:
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


@experiment(
    "damage to a file of 10 MB (a flipped bit, a truncation, bytes added) is reported in under "
    f"{LONGEST * 1000:.0f} ms of computing, with a whole FILE.prev that is read too",
    soak=300,
)
def damage_in_time(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """Read `count` damaged files from the disk."""
    tally, chance, times = Tally(), random.Random(seed), list[float]()
    file = folder / "last.h5"
    image = checkpoints.to_bytes(Checkpoint({}, {"weights/w": np.arange(2_500_000, dtype="f4")}))
    file.with_name("last.h5.prev").write_bytes(image)
    kinds: list[Callable[[], bytes]] = [
        lambda: flipped(image, [chance.randrange(8 * len(image))]),
        lambda: image[: chance.randrange(1, len(image))],
        lambda: image + bytes(chance.randrange(1, 10_000)),
    ]
    for number in tries(count, seconds):
        file.write_bytes(kinds[number % len(kinds)]())
        taken = _seconds_to_find(file)
        times.append(taken)
        tally.count(taken < LONGEST, f"{taken * 1000:.1f} ms")
    tally.notes.append(
        f"{len(image):,} bytes: {np.median(times) * 1000:.0f} ms in the middle, {max(times) * 1000:.0f} ms at most"
    )
    return tally


def _seconds_to_find(file: Path) -> float:
    """Return the seconds of computing until damage to a file is reported; infinity if it is not reported."""
    error, taken = computing_seconds(partial(_error_of, file), LONGEST)
    return taken if error is not None and "last.h5.prev is whole: nnspec resume" in error.help else float("inf")


def _error_of(file: Path) -> Damaged | NotACheckpoint | None:
    try:
        checkpoints.read(file)
    except (Damaged, NotACheckpoint) as error:
        return error
    return None
