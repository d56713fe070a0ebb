"""Which module defines each word, and what the parser needs of the words, kept in words.json.

With it a page builds only the classes of the words that it names. The registry reads it.

python -m nnspec.spec_lang.vocabulary.index             writes words.json
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "nnspec.spec_lang.vocabulary"
FOLDERS = ("", "layers")
"""The folders of the modules that may define words, inside this one."""

STORED = Path(__file__).with_name("words.json")


@dataclass(frozen=True)
class Index:
    """The words of the stored file.

    Arguments:
        homes: by kind, the module of each word inside the package, in the order of the modules' names.
        summary: what `summary.known_words` is made of.
    """

    homes: dict[str, dict[str, str]]
    summary: dict[str, Any]


@cache
def index() -> Index | None:
    """Return the stored words; None where a module was added or deleted since, or one of words changed in size."""
    try:
        stored = json.loads(STORED.read_text(encoding="utf-8"))
        found, former = sizes(), stored["sizes"]
    except OSError:  # the package is not in a folder
        return None
    current = found.keys() == former.keys() and all(size in (None, found[name]) for name, size in former.items())
    return Index(stored["homes"], stored["summary"]) if current else None


def sizes() -> dict[str, int]:
    """Return the bytes of each module that may define words, by its name inside the package."""
    found: dict[str, int] = {}
    for folder in FOLDERS:
        with os.scandir(STORED.parent / folder) as entries:
            modules = [entry for entry in entries if entry.name.endswith(".py") and entry.name != "__init__.py"]
        prefix = f"{folder}." if folder else ""
        found |= {f"{prefix}{entry.name[:-3]}": entry.stat().st_size for entry in modules}
    return found


def content() -> str:
    """Return the file: a line for each module and kind of word."""
    from nnspec.spec_lang.vocabulary.registry import load_words, registered
    from nnspec.spec_lang.vocabulary.summary import summarized

    load_words()
    homes = {
        kind: {word: cls.__module__.removeprefix(f"{PACKAGE}.") for word, cls in found.items()}
        for kind, found in sorted(registered().items())
    }
    having = {name for found in homes.values() for name in found.values()}
    own = {name: size if name in having else None for name, size in sorted(sizes().items())}
    parts: dict[str, dict[str, Any]] = {"sizes": own, "homes": homes, "summary": summarized()}
    return "{\n" + ",\n".join(_lines(parts)) + "\n}\n"


def _lines(parts: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, part in parts.items():
        entries = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in part.items())
        yield f'"{name}": {{\n' + ",\n".join(entries) + "\n}"


if __name__ == "__main__":
    STORED.write_text(content(), encoding="utf-8")
    sys.stdout.write(f"wrote {STORED.name}\n")
