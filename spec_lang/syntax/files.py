"""Read a spec from a file, or take the text of a network as it is."""

from pathlib import Path

from nnspec.spec_lang.limits import MAX_TEXT_BYTES
from nnspec.spec_lang.regular_file import open_regular_file
from nnspec.spec_lang.report.errors import SourceError
from nnspec.spec_lang.source import Source


def open_source(spec: str | Path) -> Source:
    """Return the source of a spec: the contents of a file, or `spec` itself if it is the text of a network.

    A string with an arrow, a space or a line end is the text of a network, unless a file has this name. Raises
    SourceError if the file cannot be read. The parser checks the encoding.
    """
    text = str(spec)
    path = Path(text)
    if isinstance(spec, str) and _looks_like_text(text) and not _is_file(path):
        return Source("<text>", text)
    try:
        with open_regular_file(path) as file:
            data = file.read(MAX_TEXT_BYTES + 1)
    except IsADirectoryError:
        raise SourceError(f"{path} is a folder, not a spec: name a .nnspec file in it") from None
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "there is no such file" if missing else f"it cannot be read ({error.strerror})"
        raise SourceError(f"{path}: {reason}") from None
    except ValueError:
        raise SourceError(f"{text[:60]!r} is neither a file nor the text of a network") from None
    return Source(str(path), data, path.parent)


def _looks_like_text(text: str) -> bool:
    """Return whether a string is the text of a network rather than a file name."""
    return not text or "->" in text or "\n" in text or (" " in text and not text.endswith(".nnspec"))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
