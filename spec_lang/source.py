"""A text and places in it."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from nnspec.spec_lang.report.errors import SourceError

LONGEST_TEXT = 1 << 20  # bytes


@dataclass(frozen=True)
class Source:
    """The text of a spec and the name it is shown under, from text or from the bytes of a file.

    `folder` is where relative paths in the text start; None stands for the current folder. A byte order mark is
    dropped, each line's end is read as a newline, and bytes that are not UTF-8 become U+FFFD and are told in
    `not_utf8`, the offset of the first of them. `included` is the place of the statement that asked for this text,
    where one did.
    """

    name: str
    content: str | bytes
    folder: Path | None = None
    included: "Span | None" = None

    @cached_property
    def text(self) -> str:
        """The characters."""
        return _characters(self.content, "replace")

    @cached_property
    def not_utf8(self) -> int | None:
        """Where the first byte stands that is not UTF-8, as an offset in the text."""
        try:
            if isinstance(self.content, bytes):
                self.content.decode("utf-8-sig")
            else:
                self.text.encode()
        except UnicodeDecodeError as error:
            return len(_characters(error.object[: error.start], "ignore"))
        except UnicodeEncodeError as error:  # half of a surrogate pair, which a str can hold
            return error.start
        return None

    @property
    def size(self) -> int:
        """Bytes."""
        content = self.content
        return len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, columns in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, number: int) -> int:
        """The offset at which a line begins, counted from 1."""
        return self._starts[number - 1]

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[self.start(number) : end]


class Span(NamedTuple):
    """The characters start to end (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """From the start of this span to the end of another one in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

    def shown(self) -> str:
        """The place as messages name it: file:line:column."""
        line, column = self.source.place(self.start)
        return f"{self.source.name}:{line}:{column}"


def _characters(content: str | bytes, errors: str) -> str:
    text = content.decode("utf-8-sig", errors) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def open_source(spec: str | Path) -> Source:
    """A spec from a file, or the text of a network itself where `spec` has an arrow, a space or a line's end.

    Raises SourceError where the file is not there or is no file. What its bytes say is for `parse` to judge.
    """
    text = str(spec)
    path = Path(text)
    if isinstance(spec, str) and _looks_like_text(text) and not _is_file(path):
        return Source("<text>", text)
    try:
        if path.is_dir():
            raise SourceError(f"{path} is a folder, not a spec: name a .nnspec file in it")
        with path.open("rb") as file:
            data = file.read(LONGEST_TEXT + 1)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "there is no such file" if missing else f"it cannot be read ({error.strerror})"
        raise SourceError(f"{path}: {reason}") from None
    except ValueError:
        raise SourceError(f"{text[:60]!r} is neither a file nor the text of a network") from None
    return Source(str(path), data, path.parent)


def _looks_like_text(text: str) -> bool:
    """Whether this is a spec itself rather than a file's name, which may hold a space."""
    return not text or "->" in text or "\n" in text or (" " in text and not text.endswith(".nnspec"))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
