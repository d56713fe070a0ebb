"""Samples to predict from standard input, for `-` as an argument."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nnspec.cli.specs import STDIN

BEGINNINGS = (
    (b"\x93NUMPY", ".npy"),
    (b"PK\x03\x04", ".npz"),
    (b"\x89PNG", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
    (b"PAR1", ".parquet"),
    (b"\0\0\x08", ".idx"),
    (b"[", ".json"),
    (b"{", ".json"),
)
"""How the formats of inputs begin, with the ending of a file's name; anything else is a table as CSV."""


class Inputs(NamedTuple):
    """Arguments as paths, and the folder of the file that holds standard input."""

    paths: list[Path]
    folder: str

    def label(self, text: str) -> str:
        """Return the label of a sample without that folder, whose name means nothing."""
        return text.removeprefix(f"{self.folder}{os.sep}")


@contextmanager
def inputs_as_files(given: tuple[str, ...]) -> Iterator[Inputs]:
    """Return arguments as paths; for `-` that of a file with what standard input holds, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        yield Inputs([_stored(Path(folder)) if text == STDIN else Path(text) for text in given], folder)


def _stored(folder: Path) -> Path:
    content = sys.stdin.buffer.read()
    ending = next((ending for beginning, ending in BEGINNINGS if content.lstrip().startswith(beginning)), ".csv")
    path = folder / f"stdin{ending}"
    path.write_bytes(content)
    return path
