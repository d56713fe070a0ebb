"""The files of a run's data: their digests, kept with the run, and finding them again where they have moved.

A checkpoint of someone else may name any file and any digest, so its files are sought in its own folder alone, links
resolved. Those of a run that was made here are sought where a user would have moved them.
"""

import hashlib
import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from nnspec.runtime.data.datasets import absent_files
from nnspec.runtime.data.files import absent
from nnspec.runtime.errors import DataError
from nnspec.spec_lang.check.canonical_text import in_short
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import DataFile, Spec
from nnspec.spec_lang.regular_file import open_regular_file
from nnspec.spec_lang.report.diagnostics import one_of
from nnspec.spec_lang.report.errors import NNSpecError
from nnspec.spec_lang.syntax.files import open_source
from nnspec.spec_lang.vocabulary.data import DataSource

WHOLE = 256 * 2**20
"""A file of at most this many bytes is hashed as a whole; of a larger one BLOCKS blocks, evenly spaced."""

BLOCK, BLOCKS = 2**20, 256

MOST_ENTRIES = 10_000
"""The most entries of a folder that are compared with a file."""

MOST_SPECS = 100
"""The most files of a folder that are compared with the spec of a checkpoint."""


def data_files(spec: Spec) -> tuple[DataFile, ...]:
    """Return the size and the digest of each file and folder of a spec's data. What cannot be read is left out."""
    if spec.data is None:
        return ()
    found = ((field, _identity(spec.folder / path)) for field, path in spec.data.given_paths().items())
    return tuple(DataFile(field, *identity) for field, identity in found if identity is not None)


@dataclass(frozen=True)
class Located:
    """A spec whose data lead to existing files, and sentences on files that have changed or were found elsewhere."""

    spec: Spec
    notes: tuple[str, ...] = ()


def located(spec: Spec, exact: bool = False) -> Located:
    """Return a spec with the paths of its data files as they are now.

    A file that is not where the spec says is sought by its digest; with `exact` also one that has changed there, which
    is kept where no other is found. Raises DataError that says what was sought and where, and for a file outside the
    folder that the data of someone else's checkpoint must not leave.
    """
    if spec.data is None:
        return Located(spec)
    known = {file.field: file for file in spec.data_files}
    outside, moved, notes = data_outside(spec), {}, []
    for field, path in spec.data.given_paths().items():
        recorded, file = spec.folder / path, known.get(field)
        usable = (outside is None or _outside(spec, recorded) is None) and os.path.lexists(recorded)
        if file is None or (usable and _identity(recorded) == file.identity):
            continue
        other = _found(spec, recorded, file) if exact or not usable else None
        if other is not None:
            moved[field] = str(other.resolve())
            notes.append(f"{recorded} is now {other}, found by its SHA-256")
        elif usable:
            notes.append(f"{recorded} has changed since the run was trained on it")
    found = replace(spec, data=spec.data.model_copy(update=moved))
    if outside is not None and (still := data_outside(found)) is not None:
        raise DataError(_refusal(spec, still), exit_code=2)
    missing = next(absent_files(found.data, spec.folder), None) if found.data is not None else None
    if missing is not None:
        raise DataError(_absence(found, missing), exit_code=2)
    return Located(found, tuple(notes))


def data_outside(spec: Spec) -> Path | None:
    """Return the first file of a spec's data that is outside the folder that they must not leave, if there is one."""
    if spec.data is None or spec.data_within is None:
        return None
    named = (_outside(spec, spec.folder / path) for path in spec.data.given_paths().values())
    outside = next((path for path in named if path is not None), None)
    return None if outside is None or _same_spec_in(spec.folder, spec) else outside


def places(spec: Spec) -> list[Path]:
    """Return the folders in which files of a spec's data are sought, each once.

    For a run that was made here: the folders of its checkpoint, of all its runs and of its spec, the current folder,
    and NNSPEC_DATA; for any other its checkpoint's folder.
    """
    if spec.kept_in is None:
        return []
    if spec.data_within is not None:
        return [spec.kept_in]
    given = os.environ.get("NNSPEC_DATA")
    wanted = [spec.kept_in, spec.kept_in.resolve().parent, spec.folder, Path.cwd(), *([Path(given)] if given else [])]
    return list({os.path.realpath(folder): folder for folder in reversed(wanted)}.values())[::-1]


def _outside(spec: Spec, path: Path) -> Path | None:
    """Return a path that is outside the folder that the spec's data must not leave, or a link below it that leads out.

    None where everything is inside.
    """
    if spec.data_within is None:
        return None
    within, waiting, seen = os.path.realpath(spec.data_within), [path], set()
    while waiting:
        path = waiting.pop()
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(within):
            return path
        if real not in seen and real.is_dir():
            seen.add(real)
            for inside, folders, files in os.walk(real):
                waiting += [link for name in (*folders, *files) if (link := Path(inside, name)).is_symlink()]
    return None


def _same_spec_in(folder: Path, spec: Spec) -> bool:
    """Return whether a file of the folder is the spec that a checkpoint was made from, and names the same data."""
    for file in sorted(folder.glob("*.nnspec"))[:MOST_SPECS]:
        try:
            source = open_source(file)
            if source.text == spec.source.text and _names_same(check_source(source).data, spec.data):
                return True
        except (NNSpecError, OSError):
            continue
    return False


def _names_same(first: DataSource | None, second: DataSource | None) -> bool:
    """Return whether two data statements name the same samples, however their targets are scaled."""
    unscaled = (data and data.model_copy(update={"targets": None}) for data in (first, second))
    return next(unscaled) == next(unscaled)


def _found(spec: Spec, recorded: Path, file: DataFile) -> Path | None:
    """Return the file or folder with these contents in one of the places; one with the same name where there is."""
    for folder in places(spec):
        for path in _candidates(folder, recorded.name, file):
            if _outside(spec, path) is None and _identity(path) == file.identity:
                return path
    return None


def _candidates(folder: Path, name: str, file: DataFile) -> Iterator[Path]:
    """Yield the files of a folder of the same size, and the folder of the same name, the same name first."""
    try:
        with os.scandir(folder) as entries:
            seen = list(islice(entries, MOST_ENTRIES))
    except OSError:
        return
    for entry in sorted(seen, key=lambda entry: (entry.name != name, entry.name)):
        try:
            kind = entry.stat()
        except OSError:
            continue
        same_size = stat.S_ISREG(kind.st_mode) and kind.st_size == file.size
        if same_size or (entry.name == name and stat.S_ISDIR(kind.st_mode)):
            yield Path(entry.path)


def _identity(path: Path) -> tuple[int, str] | None:
    """Return the size and the SHA-256 of a file, or of a folder by the names and sizes in it; None if unreadable."""
    try:
        return _folder_identity(path) if path.is_dir() else _file_identity(path)
    except (OSError, ValueError):
        return None


def _file_identity(path: Path) -> tuple[int, str]:
    sha = hashlib.sha256()
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= WHOLE:
            starts: Iterator[int] = iter(range(0, size, BLOCK))
        else:
            starts = (block * (size - BLOCK) // (BLOCKS - 1) for block in range(BLOCKS))
        for start in starts:
            file.seek(start)
            sha.update(file.read(BLOCK))
    return size, sha.hexdigest()


def _folder_identity(path: Path) -> tuple[int, str]:
    sha, total = hashlib.sha256(), 0
    for folder, inside, names in os.walk(path):
        inside.sort()
        for name in sorted(names):
            file = Path(folder, name)
            size = file.lstat().st_size
            total += size
            sha.update(f"{file.relative_to(path).as_posix()}\0{size}\0".encode(errors="surrogateescape"))
    return total, sha.hexdigest()


def _refusal(spec: Spec, path: Path) -> str:
    """Return the message for a file that someone else's checkpoint names outside its folder."""
    return (
        f"{spec.source.name} names data outside its folder, {path}, and was not made here: a file from someone "
        f"else may name any path.{_sought(spec, path)} If these are the data, give --data {_statement(spec)}"
    )


def _absence(spec: Spec, path: Path) -> str:
    """Return the message for a missing file: what was sought, where, and what to give."""
    shown = Path(os.path.relpath(os.path.realpath(path))) if ".." in path.parts else path
    sought, give = _sought(spec, path), f"--data {_statement(spec)}"
    if sought:
        return f"there is no file {shown}.{sought} Name the data where they are now: {give}"
    error = str(absent(shown))
    return (
        f"{error} For data elsewhere give {give}" if error.endswith("?") else f"{error}; for data elsewhere give {give}"
    )


def _sought(spec: Spec, path: Path) -> str:
    """Return a sentence on what was sought by its digest, and where; nothing where the digest is not known."""
    assert spec.data is not None
    fields = [field for field, given in spec.data.given_paths().items() if spec.folder / given == path]
    file = next((file for file in spec.data_files if file.field in fields), None)
    if file is None:
        return ""
    folders = one_of(str(folder) for folder in places(spec))
    return f" No file of {file.size:,} bytes with its SHA-256, {file.digest[:16]}…, is in {folders}."


def _statement(spec: Spec) -> str:
    """Return a spec's data statement as --data takes it in the current folder, quoted for a shell."""
    assert spec.data is not None
    return shlex.quote(in_short(spec.data.moved(spec.folder, Path.cwd())))
