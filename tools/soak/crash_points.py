"""A save cut off by a loss of power: a small model of a file system, in which what was not fsynced may be lost.

The system calls of one save are recorded. After each of them the power may fail, and then

- every change of a name since the folder was last fsynced may or may not have reached the disk, each by itself, so
  that a later one may be there and an earlier one not; a rename is there as a whole or not at all;
- of a file that was not fsynced the disk may have nothing, half of it, all, or zeros of its length.

Every such state is laid out in a folder and looked at as the next start of the program does.
"""

import errno
import itertools
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, system
from tools.soak.experiments import Tally, experiment

Names = dict[str, int | None]  # name → number of its file, None where there is none


@dataclass
class Recording:
    """The calls of a save as changes of files and names, in order, while they are really made."""

    folder: Path
    changes: list[tuple[str, Any]] = field(default_factory=list)
    names: Names = field(default_factory=dict)
    handles: dict[int, int | None] = field(default_factory=dict)  # handle → number of the file, None for the folder
    hard_links: bool = True

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        """Record a created file, or look up an open one by its handle."""
        handle = os.open(path, flags, mode)
        name = os.path.relpath(path, self.folder)
        if flags & os.O_CREAT:
            self.name({name: 100 + len(self.changes)})
        self.handles[handle] = self.names.get(name)
        return handle

    def write(self, handle: int, data: bytes) -> int:
        """Bytes are added to a file."""
        self.changes.append(("write", (self.handles[handle], bytes(data))))
        return os.write(handle, data)

    def fsync(self, handle: int) -> None:
        """A file's bytes, or the folder's names, are on the disk."""
        self.changes.append(("fsync", self.handles[handle]))
        os.fsync(handle)

    def link(self, old: str, new: str) -> None:
        """A file gets a second name."""
        if not self.hard_links:
            raise OSError(errno.EPERM, "no hard links here")
        os.link(old, new)
        self.name({self.relative(new): self.names[self.relative(old)]})

    def replace(self, old: str, new: str) -> None:
        """A file changes its name."""
        os.replace(old, new)
        self.name({self.relative(old): None, self.relative(new): self.names[self.relative(old)]})

    def unlink(self, path: str) -> None:
        """A name goes."""
        os.unlink(path)
        self.name({self.relative(path): None})

    def name(self, change: Names) -> None:
        """Names change, all of these at once."""
        self.changes.append(("names", change))
        self.names |= change

    def relative(self, path: str) -> str:
        """The path as a name in the folder."""
        return os.path.relpath(path, self.folder)


@dataclass(frozen=True)
class Disk:
    """What a loss of power left: the bytes under each name."""

    files: Mapping[str, bytes]
    saved: bool  # whether the save had come to its end


def record(folder: Path, versions: list[Checkpoint], hard_links: bool, keep_previous: bool) -> tuple[Recording, Names]:
    """Save the versions one after the other; gives the recording of the last save, and the names before it."""
    path = folder / "last.h5"
    for version in versions[:-1]:
        checkpoints.write(path, version)
    before: Names = {p.name: i for i, p in enumerate(sorted(folder.iterdir()))}
    recording = Recording(folder, names=dict(before), hard_links=hard_links)
    calls = ("open", "write", "fsync", "link", "replace", "unlink")
    with patch.multiple(system, **{name: getattr(recording, name) for name in calls}):
        checkpoints.write(path, versions[-1], keep_previous)
    return recording, before


def disks(recording: Recording, before: Names, contents: dict[int, bytes]) -> Iterator[Disk]:
    """Yield every possible state of the disk after a loss of power at any point of the recorded save."""
    for length in range(len(recording.changes) + 1):
        durable, pending = dict(before), list[Names]()
        written, safe = dict(contents), set(contents)
        for kind, what in recording.changes[:length]:
            if kind == "names":
                pending.append(what)
            elif kind == "write":
                written[what[0]] = written.get(what[0], b"") + what[1]
            elif what is not None:
                safe.add(what)
            else:
                for change in pending:
                    durable |= change
                pending = []
        for chosen in itertools.product((False, True), repeat=len(pending)):
            names = dict(durable)
            for change, there in zip(pending, chosen, strict=True):
                names |= change if there else {}
            for files in _contents(names, written, safe):
                yield Disk(files, length == len(recording.changes))


def _contents(names: Names, written: dict[int, bytes], safe: set[int]) -> Iterator[dict[str, bytes]]:
    """The files under these names, once for each thing that may have become of bytes that were not fsynced."""
    numbers = {name: number for name, number in names.items() if number is not None}
    if all(number in safe for number in numbers.values()):
        yield {name: written.get(number, b"") for name, number in numbers.items()}
        return
    for damage in (lambda data: b"", lambda data: data[: len(data) // 2], lambda data: data, lambda d: bytes(len(d))):
        yield {
            name: written.get(number, b"") if number in safe else damage(written.get(number, b""))
            for name, number in numbers.items()
        }


SAVES = {
    "a first save": (1, True, True),
    "a second save": (2, True, True),
    "a third save": (3, True, True),
    "a save without hard links": (3, False, True),
    "a save that keeps no former file": (3, True, False),
}


@experiment(
    "a loss of power after any system call of a save, with any subset of what was not fsynced lost, leaves exactly the "
    "old or the new file, after the save's end the new one; FILE.prev is whole, and the next save works (each distinct "
    "state of the disk is one try)",
    soak=1,
)
def crash_points(count: int, seed: int, folder: Path, seconds: float) -> Tally:
    """All states of all kinds of saves; `count` and `seed` change nothing."""
    tally = Tally()
    for number, (label, (saves, hard_links, keep_previous)) in enumerate(SAVES.items()):
        recorded = folder / f"recorded{number}"
        recorded.mkdir()
        versions = [_version(step) for step in range(1, saves + 1)]
        recording, before = record(recorded, versions, hard_links, keep_previous)
        images = [checkpoints.to_bytes(version) for version in versions]
        new, old = images[-1], images[-2] if saves > 1 else None
        contents = dict(enumerate(images[-3:-1][::-1]))  # last.h5 sorts before last.h5.prev
        states = {tuple(sorted(disk.files.items())): disk for disk in disks(recording, before, contents)}
        for disk in states.values():
            place = folder / "state"
            place.mkdir()
            tally.count(*_judged(place, disk, new, old, images, label))
            shutil.rmtree(place)
    return tally


def _version(step: int) -> Checkpoint:
    return Checkpoint({"step": step}, {"weights/w": np.full(300, float(step)), "spec/source": "dense 2"})


def _judged(
    place: Path, disk: Disk, new: bytes, old: bytes | None, images: list[bytes], label: str
) -> tuple[bool, str]:
    """Return whether the next start finds the old or the new file and can save again, and what was seen."""
    for name, data in disk.files.items():
        (place / name).write_bytes(data)
    checkpoints.sweep(place)
    left = {path.name: path.read_bytes() for path in place.iterdir()}
    last, former = left.pop("last.h5", None), left.pop("last.h5.prev", None)
    right = last == new or (last == old and not disk.saved)
    right &= former is None or former in images[:-1]
    with patch.object(system, "fsync", lambda handle: None):
        checkpoints.write(place / "last.h5", _version(9))
    right &= (place / "last.h5").read_bytes() == checkpoints.to_bytes(_version(9)) and not left
    return right, f"{label}: { ({name: len(data) for name, data in disk.files.items()}) }, left {sorted(left)}"
