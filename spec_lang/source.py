"""A text and places in it."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """The text of a spec and the name it is shown under.

    `folder` is where relative paths in the text start; None stands for the current folder.
    """

    name: str
    text: str
    folder: Path | None = None

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(i + 1 for i, character in enumerate(self.text) if character == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1, columns in characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        return self.text.split("\n", number)[number - 1].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """The characters start to end (exclusive) of a source."""

    source: Source
    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """From the start of this span to the end of another one in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))
