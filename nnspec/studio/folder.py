"""The folder that the studio works in: its specs, read and written with a revision, and no path outside of it."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from threading import Lock

from nnspec.runtime.train.checkpointing import replace_file
from nnspec.runtime.train.run_folder import METRICS
from nnspec.serving.limits import Refusal
from nnspec.spec_lang.limits import MAX_TEXT_BYTES
from nnspec.spec_lang.regular_file import open_regular_file

SUFFIX = ".nnspec"
MOST_FILES, MOST_FOLDERS, DEEPEST = 500, 1000, 3
"""The most specs that are listed, the most folders in which they are looked for, and how deep these are."""

_NO_SPECS = ("runs", "sweeps", "node_modules")


@dataclass(frozen=True)
class Written:
    """The text of a spec and its revision, which changes with each byte of the file."""

    text: str
    revision: str


@dataclass(eq=False)
class Conflict(Exception):
    """A file that is not any more what its writer had read; `now` is what it is, None where it is gone."""

    name: str
    now: Written | None


@dataclass
class Folder:
    """A folder, its path without links."""

    root: Path
    _writing: Lock = field(default_factory=Lock)

    def inside(self, name: str) -> Path:
        """Return the path of a name relative to the folder, links followed. Raises Refusal where it is outside."""
        try:
            path = (self.root / name).resolve()
        except (OSError, ValueError, RuntimeError):  # a name that no file can have, a ring of links
            raise Refusal(400, "no file can have this name") from None
        if not name or Path(name).is_absolute() or not path.is_relative_to(self.root):
            raise Refusal(403, "the path is outside of the studio's folder")
        return path

    def spec(self, name: str) -> Path:
        """Return the path of a spec. Raises Refusal where it is outside, or its name does not end in .nnspec."""
        path = self.inside(name)
        if path.suffix != SUFFIX or Path(name).suffix != SUFFIX:
            raise Refusal(403, f"the studio reads and writes files whose names end in {SUFFIX}")
        if Path(name).name.startswith("."):
            raise Refusal(403, "the studio leaves hidden files alone")
        return path

    def read(self, name: str) -> Written:
        """Return a spec. Raises Refusal where there is none, or it is too large or not text."""
        return _written(_content(self.spec(name), name), name)

    def write(self, name: str, text: str, revision: str | None) -> Written:
        """Replace a spec whose revision is still that, or write a new one where it is None; return what is written.

        Raises Conflict where the file is another by now, and Refusal.
        """
        path = self.spec(name)
        try:
            content = text.encode()
        except UnicodeEncodeError:
            raise Refusal(422, "the text has half of a character, which no file can hold") from None
        if len(content) > MAX_TEXT_BYTES:
            raise Refusal(413, f"a spec has {MAX_TEXT_BYTES:,} bytes at most")
        with self._writing:
            before = _content(path, name) if os.path.lexists(path) else None
            if (_revision(before) if before is not None else None) != revision:
                raise Conflict(name, _written(before, name) if before is not None else None)
            if before is not None and b"\r\n" in before:
                content = content.replace(b"\n", b"\r\n")
            try:
                replace_file(path, content)
            except OSError as error:
                raise Refusal(422, f"{name} cannot be written: {error.strerror}") from None
        return Written(text, _revision(content))

    def specs(self) -> list[str]:
        """Return the names of the specs in the folder, sorted; none of folders that begin with a dot, or of runs."""
        return sorted(islice(self._found(), MOST_FILES))

    def _found(self) -> Iterator[str]:
        for place, folders, files in islice(os.walk(self.root), MOST_FOLDERS):
            depth = len(Path(place).relative_to(self.root).parts)
            if METRICS in files or depth >= DEEPEST:
                folders.clear()
            folders[:] = [name for name in folders if not name.startswith(".") and name not in _NO_SPECS]
            if METRICS not in files:
                for file in files:
                    if file.endswith(SUFFIX) and not file.startswith("."):
                        yield (Path(place) / file).relative_to(self.root).as_posix()


def _content(path: Path, name: str) -> bytes:
    try:
        with open_regular_file(path) as file:
            content = file.read(MAX_TEXT_BYTES + 1)
    except FileNotFoundError:
        raise Refusal(404, f"there is no {name} in the studio's folder") from None
    except (OSError, ValueError) as error:
        raise Refusal(422, f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_TEXT_BYTES:
        raise Refusal(413, f"{name} is larger than a spec may be: {MAX_TEXT_BYTES:,} bytes")
    return content


def _written(content: bytes, name: str) -> Written:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(422, f"{name} is not UTF-8 text") from None
    return Written(text.replace("\r\n", "\n").replace("\r", "\n"), _revision(content))


def _revision(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]
