"""Offsets in a source and an editor's positions: lines and columns from 0, columns in units of an encoding."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from nnspec.spec_lang.source import Source

BOM = "\ufeff"

UNITS: dict[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": lambda text: len(text) + sum(character > "\uffff" for character in text),
    "utf-32": len,
}
"""The number of columns of a text, by the encoding in which an editor counts; most count in UTF-16."""


@dataclass(frozen=True)
class Positions:
    """The positions of one source."""

    source: Source
    encoding: str = "utf-16"

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and column of an offset."""
        line, column = self.source.place(min(offset, len(self.source.text)))
        if self.source.text.isascii():  # known without a look at the text: every unit is one character
            return line - 1, column - 1 + self._dropped(line)
        return line - 1, self._units(self.source.line(line)[: column - 1]) + self._dropped(line)

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a position; one after the end of a line or of the text is that end."""
        if line > self.source.text.count("\n"):
            return len(self.source.text)
        start, left = self.source.start(line + 1), column - self._dropped(line + 1)
        for index, character in enumerate(self.source.line(line + 1)):
            if left <= 0:
                return start + index
            left -= self._units(character)
        return start + len(self.source.line(line + 1))

    def index(self, offset: int) -> int:
        """Return the units before an offset: the place in the editor's text, whose lines end in one character."""
        if self.encoding == "utf-16":
            return offset + bisect_left(self._wide, offset) + self._dropped(1)
        return self._units(self.source.text[:offset]) + self._dropped(1)

    @cached_property
    def _wide(self) -> list[int]:
        """The offsets of the characters that are two units of UTF-16."""
        text = self.source.text
        return [] if text.isascii() else [at for at, character in enumerate(text) if character > "\uffff"]

    def at_index(self, index: int) -> int:
        """Return the offset of a place in the editor's text; one after its end is the end."""
        left = index - self._dropped(1)
        if self.source.text.isascii():
            return max(0, min(left, len(self.source.text)))
        for offset, character in enumerate(self.source.text):
            if left <= 0:
                return offset
            left -= self._units(character)
        return len(self.source.text)

    def _units(self, text: str) -> int:
        return UNITS[self.encoding](text)

    def _dropped(self, line: int) -> int:
        """Return the columns of a byte order mark in a line, which the editor counts and the source drops."""
        if line > 1:
            return 0
        marked = isinstance(self.source.content, str) and self.source.content.startswith(BOM)
        return self._units(BOM) if marked else 0
