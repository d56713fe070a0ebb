"""A text, spans in it and its tokens, as values. They depend on no file and on no grammar."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Source:
    """The text of a spec and its displayed name, from a string or from the bytes of a file.

    Relative paths in the text start at `folder`, None for the current folder. A byte order mark is dropped, every line
    end is read as a newline, and bytes that are not UTF-8 become U+FFFD. `included` is the span of the include
    statement that led to this text, None for the spec itself. `option` says that the text is an option of the command.
    """

    name: str
    content: str | bytes
    folder: Path | None = None
    included: "Span | None" = None
    option: bool = False

    @cached_property
    def text(self) -> str:
        """The decoded text."""
        return _characters(self.content, "replace")

    @cached_property
    def not_utf8(self) -> int | None:
        """The offset in the text of the first byte that is not UTF-8, None if there is none."""
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
        """The length in bytes."""
        content = self.content
        return len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Return the line and column of an offset, both counted from 1, columns in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def start(self, number: int) -> int:
        """Return the offset of the start of a line; lines count from 1."""
        return self._starts[number - 1]

    def end(self, number: int) -> int:
        """Return the offset of the end of a line, before its line end; lines count from 1."""
        return self._starts[number] - 1 if number < len(self._starts) else len(self.text)

    def line(self, number: int) -> str:
        """Return a line without its line end; lines count from 1."""
        return self.text[self.start(number) : self.end(number)]


new_tuple = tuple.__new__
"""Make a named tuple from a tuple of its fields, in half the time of a call: a long text has some 300,000 of them."""


class Span(NamedTuple):
    """The characters start to end (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The characters of the span."""
        return self.source.text[self.start : self.end]

    def to(self, other: "Span") -> "Span":
        """Return the span from the start of this one to the end of another in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

    def shown(self) -> str:
        """Return the place as in messages, file:line:column."""
        line, column = self.source.place(self.start)
        return f"{self.source.name}:{line}:{column}"


class Token(NamedTuple):
    """A terminal of the grammar: its type, its text, and the characters `start` to `end` (exclusive) of its source."""

    type: str
    text: str
    start: int
    end: int
    source: Source

    @property
    def span(self) -> Span:
        """The characters of the token."""
        return new_tuple(Span, (self.source, self.start, self.end))


def _characters(content: str | bytes, errors: str) -> str:
    text = content.decode("utf-8-sig", errors) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
