"""The spec that an argument names: a file, the text of a network, or - for standard input; and those of the package."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nnspec

if TYPE_CHECKING:
    from nnspec.spec_lang.source import Source

STDIN = "-"

SPECS = next(room for path in nnspec.__path__ if (room := Path(path, "specs")).is_dir())
"""The folder of the specs that the package includes."""


def shipped_specs() -> dict[str, Path]:
    """Return every spec that the package includes, by name."""
    return {path.stem: path for path in sorted(SPECS.glob("*.nnspec"))}


def about_spec(path: Path) -> str:
    """Return the comment in the first line of a spec."""
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("#").strip()


def spec_named(file: str) -> "Source":
    """Return the source of a spec; relative paths in standard input start at the current folder.

    Raises SourceError if the file cannot be read.
    """
    from nnspec.spec_lang.limits import MAX_TEXT_BYTES
    from nnspec.spec_lang.source import Source
    from nnspec.spec_lang.syntax.files import open_source

    if file != STDIN:
        return open_source(file)
    return Source("<stdin>", sys.stdin.buffer.read(MAX_TEXT_BYTES + 1))
