"""Opening files that a user names, and saying what a file is if it is not the expected kind."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from nnspec.runtime.errors import DataError
from nnspec.spec_lang.regular_file import open_regular_file
from nnspec.spec_lang.report.diagnostics import near

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "a gzip file"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"PK\x03\x04", "a zip archive (.npz is one)"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\xff\xfe", "text in UTF-16, not UTF-8"),
    (b"\xfe\xff", "text in UTF-16, not UTF-8"),
    (b"BM", "a BMP picture"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
)


def looks_like(head: bytes) -> str:
    """Return what a file seems to be, from its first bytes, to follow the words "it seems to be"."""
    if not head:
        return "an empty file"
    for beginning, name in _BEGINNINGS:
        if head.startswith(beginning):
            return name
    if head[:2] == b"\x00\x00" and len(head) > 3 and head[2] in (8, 9, 11, 12, 13, 14):
        return "an IDX file"
    if head[:2] in (b"P4", b"P5", b"P6") and head[2:3] in (b" ", b"\t", b"\r", b"\n", b"#"):
        return "a PNM picture"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP picture"
    if head.lstrip()[:1] == b"<":
        return "a web page" if b"html" in head[:512].lower() else "an XML document"
    control = sum(byte < 32 and byte not in b"\t\r\n\f" for byte in head)
    return "a text file" if not control else "a binary file of an unknown kind"


def absent(path: Path) -> DataError:
    """Return the error for a missing file, with the most similar name in the same folder."""
    folder = path.parent
    try:
        close = near(path.name, os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return DataError(f"there is no file {path}: the folder {folder} does not exist", exit_code=2)
    except OSError:  # it may be entered and not listed
        close = None
    hint = f"; did you mean {folder / close}?" if close else ""
    return DataError(f"there is no file {path}{hint}", exit_code=2)


@dataclass(frozen=True)
class Received:
    """A file that is in memory, such as one that was sent to a server. `name` names it in messages."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


@contextmanager
def open_for_reading(path: Path | Received) -> Iterator[BufferedReader | BytesIO]:
    """Open a regular file, or one in memory, for reading bytes.

    Raises DataError (exit code 2) where the file is missing, a folder, a pipe, a device or not readable, and for an
    error of the system while it is read.
    """
    if isinstance(path, Received):
        yield BytesIO(path.content)
        return
    try:
        with open_regular_file(path) as file:
            yield file
    except (FileNotFoundError, NotADirectoryError):
        raise absent(path) from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder; name a file in it", exit_code=2) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}", exit_code=2) from error


def first_bytes(path: Path, count: int = 512) -> bytes:
    """Return the first bytes of a file. Raises as `open_for_reading` does."""
    with open_for_reading(path) as file:
        return file.read(count)
