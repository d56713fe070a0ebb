"""Folders of pictures: the name of each folder inside is a class, and train, validation and test may be folders too."""

import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.data.array_likes import Places, RowReader, StoredArray, most_in_memory, stored_note, typed_as_array
from nnspec.runtime.data.files import absent, first_bytes, looks_like
from nnspec.runtime.data.load import reads
from nnspec.runtime.data.pictures import FORMATS, SUFFIXES, Fit, decode, decode_all, listed, size_of
from nnspec.runtime.data.samples import Samples
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.vocabulary import file_sources as words

SPLITS = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}
"""The names of folders that are splits, where there is a folder train that has folders and no pictures of its own."""

_SLOW = 2.0  # seconds after which a terminal shows how far the reading is


@dataclass
class Contents:
    """What is in a folder: pictures in the order of their paths, other files, and the number of hidden ones."""

    pictures: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    hidden: int = 0


@dataclass
class Classes:
    """The pictures of each class, in the order of the names of the classes, and what is beside them."""

    folder: Path
    pictures: dict[str, list[Path]] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    hidden: int = 0

    def notes(self) -> Iterator[str]:
        """Yield sentences on what is left out and what is few."""
        left = []
        if self.others:
            left.append(
                f"{_counted(len(self.others), 'file')} outside of a class or no picture ({listed(self.others, 3)})"
            )
        if self.hidden:
            left.append(_counted(self.hidden, "hidden file"))
        if left:
            yield f"{self.folder}: left out {' and '.join(left)}"
        empty = [name for name, pictures in self.pictures.items() if not pictures]
        if empty:
            yield f"{self.folder}: no pictures in {listed(empty)}, which is therefore no class"
        single = [name for name, pictures in self.pictures.items() if len(pictures) == 1]
        if single:
            yield f"{self.folder}: a single picture in {listed(single)}"


class PictureRows(RowReader):
    """Pictures that are decoded as they are needed, (pictures, height, width, channels) of bytes."""

    def __init__(self, paths: list[Path], shape: tuple[int, int, int], fit: Fit):
        self.shape = (len(paths), *shape)
        self.dtype = np.dtype(np.uint8)
        self._paths = paths
        self._fit: Fit = fit

    def read(self, rows: Places, out: NDArray[Any], places: Places) -> None:
        """Decode the pictures one by one."""
        for row, place in zip(rows.tolist(), places.tolist(), strict=True):
            out[place] = decode(self._paths[row], self.shape[1:], self._fit)  # type: ignore[arg-type]


@reads(words.Images)
def load_images(word: words.Images, folder: Path) -> Samples:
    """Read the pictures of the folder. Raises DataError where it has no classes, or names pictures that are broken."""
    root = folder / word.path
    name = root.resolve().name or str(root)
    splits, notes = _splits(root)
    found = {name: _classes(path) for name, path in splits.items()}
    for split in found.values():
        if not any(split.pictures.values()):
            raise DataError(_no_pictures(split))
    shape = _shape(word, [path for split in found.values() for paths in split.pictures.values() for path in paths])
    train = _samples(name, found["train"], shape, word)
    held = {split: _samples(f"{name} ({split})", found[split], shape, word) for split in found if split != "train"}
    if len(set(train.targets.tolist())) < 2:
        raise DataError(f"{found['train'].folder} has a single class, {train.targets[0]}: put each class into a folder")
    return Samples(
        train.name,
        train.inputs,
        train.targets,
        train.place,
        held.get("test"),
        validation=held.get("validation"),
        notes=(*notes, *train.notes),
        picture_fit=word.fit,
    )


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder and the folders in it, by path. Raises DataError where it cannot be read."""
    return _contents(folder).pictures


def _splits(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the folder of each split, or the folder itself as that of the training split, and what is left out."""
    folders = {entry.name: Path(entry.path) for entry in _entries(root) if entry.is_dir()}
    train = next((path for name, path in folders.items() if name.lower() == "train"), None)
    if train is None or not any(entry.is_dir() for entry in _entries(train)) or _has_pictures(train):
        return {"train": root}, []
    found = {}
    for split, called in SPLITS.items():
        there = [path for name, path in folders.items() if name.lower() in called]
        if len(there) > 1:
            raise DataError(f"{root} has both {there[0].name} and {there[1].name}, which are one split: leave one")
        if there:
            found[split] = there[0]
    others = [name for name, path in folders.items() if path not in found.values() and not name.startswith(".")]
    return found, [f"{root}: left out the folders {listed(others)}, which are no splits"] if others else []


def _classes(folder: Path) -> Classes:
    """Return the pictures of each class of a folder, with those in folders inside the class."""
    found = Classes(folder)
    for entry in _entries(folder):
        path = Path(entry.path)
        if entry.name.startswith("."):
            found.hidden += 1
        elif entry.is_dir():
            inside = _contents(path)
            found.pictures.setdefault(_class_name(path), []).extend(inside.pictures)
            found.others += inside.others
            found.hidden += inside.hidden
        else:
            found.others.append(path)
    return found


def _class_name(path: Path) -> str:
    """Return the name of a class in one form of Unicode: systems store the accents of names in different ones."""
    name = unicodedata.normalize("NFC", path.name)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"the name of the folder {path.name!r} in {path.parent} is not UTF-8: rename it") from None
    return name


def _contents(folder: Path) -> Contents:
    """Return what is in a folder and the folders inside; links to folders inside are not followed."""
    found = Contents()

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}", exit_code=2)

    for inside, folders, files in os.walk(folder, onerror=refuse):
        found.hidden += sum(name.startswith(".") for name in (*folders, *files))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.others += [path for name in folders if (path := Path(inside, name)).is_symlink()]
        for name in files:
            if not name.startswith("."):
                path = Path(inside, name)
                (found.pictures if _is_candidate(path) else found.others).append(path)
    for paths in (found.pictures, found.others):
        paths.sort(key=lambda path: path.relative_to(folder).parts)
    return found


def _is_candidate(path: Path) -> bool:
    """Return whether a file is a picture by its content, or is called like one."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        return looks_like(first_bytes(path)) in FORMATS
    except DataError:
        return False


def _has_pictures(folder: Path) -> bool:
    return any(not e.name.startswith(".") and e.is_file() and _is_candidate(Path(e.path)) for e in _entries(folder))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is directly in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        raise absent(folder) from None
    except NotADirectoryError:
        raise DataError(f"{folder} is a file: images reads a folder with a folder for each class", 2) from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}", exit_code=2) from error


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _no_pictures(found: Classes) -> str:
    loose = sum(_is_candidate(path) for path in found.others)
    advice = "put the pictures of each class into a folder of its name"
    if loose:
        what = f"{loose:,} pictures that are" if loose > 1 else "1 picture that is"
        return f"{found.folder} has {what} in no folder of a class: {advice}"
    return f"{found.folder} has no pictures in folders: {advice}"


def _shape(word: words.Images, paths: list[Path]) -> tuple[int, int, int]:
    """Return the shape of a sample: as the word says, or the size that all pictures have."""
    given = word.sample_shape()
    if given is not None:
        return given[0], given[1], given[2]
    first: tuple[Path, tuple[int, int]] | None = None
    for path in paths:
        try:
            size = size_of(path)
        except DataError:  # it is reported with all others that are broken
            continue
        if first is not None and size != first[1]:
            one, other = (f"{size[0]}x{size[1]}" for size in (first[1], size))
            raise DataError(
                f"the pictures differ in size, as {first[0]} of {one} and {path} of {other}: write the size of a "
                "sample, as size=32x32",
                exit_code=2,
            )
        first = first or (path, size)
    height, width = first[1] if first is not None else (1, 1)  # without any, reading them says what is wrong
    return height, width, 3 if word.mode == "rgb" else 1


def _samples(name: str, found: Classes, shape: tuple[int, int, int], word: words.Images) -> Samples:
    """Return the samples of one split, each picture decoded once to see whether it is whole."""
    labelled = [(path, label) for label, paths in sorted(found.pictures.items()) for path in paths]
    paths = [path for path, _ in labelled]
    size = len(paths) * int(np.prod(shape, dtype=object))
    kept = np.empty((len(paths), *shape), np.uint8) if size <= most_in_memory() else None
    broken = _decode_all(paths, shape, word.fit, kept)
    notes = list(found.notes())
    if broken:
        if word.broken == "refuse" or len(broken) == len(paths):
            raise DataError(_broken(broken, len(paths), found.folder))
        notes.append(
            f"{found.folder}: left out {_counted(len(broken), 'broken picture')} ({listed([paths[i] for i in broken])})"
        )
    whole = [index for index in range(len(paths)) if index not in broken]
    paths = [paths[index] for index in whole]
    labels = np.array([labelled[index][1] for index in whole])
    if kept is not None:
        inputs = kept[whole] if broken else kept
    else:
        inputs = typed_as_array(StoredArray(PictureRows(paths, shape, word.fit)))
    place: Callable[[int], str] = lambda index: str(paths[index])
    return Samples(name, inputs, labels, place, notes=(*notes, *stored_note(str(found.folder), inputs)))


def _decode_all(
    paths: list[Path], shape: tuple[int, int, int], fit: Fit, kept: NDArray[np.uint8] | None
) -> dict[int, str]:
    """Decode every picture, into `kept` if there is one, and return what is wrong with the broken ones by their index.

    A terminal shows how far it is where it takes long.
    """
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread of tqdm's: a run beside another thread has no worker process

    broken = {}
    decoded = decode_all(paths, shape, fit)
    bar = Bar(decoded, "reading", len(paths), leave=False, disable=None, delay=_SLOW, unit=" pictures")
    for index, pixels in enumerate(bar):
        if isinstance(pixels, DataError):
            broken[index] = str(pixels)
        elif kept is not None:
            kept[index] = pixels
    return broken


def _broken(broken: dict[int, str], count: int, folder: Path) -> str:
    most = 20
    shown = "".join(f"\n  {error}" for error in list(broken.values())[:most])
    more = f"\n  and {len(broken) - most:,} more" if len(broken) > most else ""
    advice = "remove them, or write broken=skip" if len(broken) < count else "it has no others"
    return f"{len(broken):,} of {count:,} pictures in {folder} are broken: {advice}{shown}{more}"
