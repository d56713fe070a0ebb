"""Diagnostics as text for a terminal."""

import unicodedata
from collections.abc import Iterable, Iterator
from textwrap import wrap

from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.report.escapes import escaped, escaped_lines

_RED, _YELLOW, _BLUE, _BOLD, _RESET = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"

WIDEST = 160
"""Characters of a source line shown if no width is given; a longer line is cut around the span."""

NARROWEST = 40

LONGEST_CHAIN = 8
"""Lines for the contexts of a finding; of a longer chain the two ends are shown."""


def render_all(diagnostics: Iterable[Diagnostic], colour: bool = False, width: int | None = None) -> str:
    """Return all diagnostics as text, separated by blank lines."""
    return "\n\n".join(render(diagnostic, colour, width) for diagnostic in diagnostics)


def render(diagnostic: Diagnostic, colour: bool = False, width: int | None = None) -> str:
    """Return a diagnostic as text: code, message, place, the source line with the span underlined, notes and help.

    `width` is that of the terminal, in characters: the source line is cut and sentences are wrapped to fit it.
    """
    return "\n".join(_Drawing(diagnostic, colour, width).rows())


class _Drawing:
    """One diagnostic being drawn."""

    def __init__(self, diagnostic: Diagnostic, colour: bool, width: int | None):
        self.diagnostic = diagnostic
        self.colour = colour
        self.width = max(width, NARROWEST) if width is not None else None
        self.line, self.column = diagnostic.span.source.place(diagnostic.span.start)
        self.gutter = " " * len(str(self.line))

    def rows(self) -> Iterator[str]:
        """The lines of the drawing, from the heading to the help."""
        diagnostic = self.diagnostic
        accent = _RED if diagnostic.severity == "error" else _YELLOW
        title = self._paint(f"{diagnostic.severity}[{diagnostic.code}]", accent, _BOLD)
        yield f"{title} {self._paint(escaped_lines(diagnostic.message), _BOLD)}"
        yield f"{self.gutter} {escaped(diagnostic.span.shown())}"
        bar = self._paint(f"{self.gutter} |", _BLUE)
        text, column = _cut(diagnostic.span.source.line(self.line), self.column, self._room())
        if text.strip():
            length = min(max(diagnostic.span.end - diagnostic.span.start, 1), max(len(text) - column + 1, 1))
            marked = "^" * max(_cells(text[column - 1 : column - 1 + length]), 1)
            yield bar
            yield f"{self._paint(f'{self.line} |', _BLUE)} {text}"
            yield f"{bar} {' ' * _cells(text[: column - 1])}{self._paint(marked, accent)}"
        for note in diagnostic.notes:
            yield from self._wrapped(f"{bar} ", len(self.gutter) + 3, note)
        for context in _chain([f"in {trace.what}, written at {trace.span.shown()}" for trace in diagnostic.around()]):
            yield from self._wrapped(f"{bar} ", len(self.gutter) + 3, context)
        if diagnostic.help:
            label = self._paint("help:", _BLUE, _BOLD)
            lines = list(self._wrapped("", len(self.gutter) + 7, diagnostic.help))
            yield f"{self.gutter} {label} {lines[0]}"
            yield from (" " * (len(self.gutter) + 7) + line for line in lines[1:])

    def _room(self) -> int:
        return WIDEST if self.width is None else self.width - len(self.gutter) - 3

    def _wrapped(self, before: str, indent: int, sentence: str) -> Iterator[str]:
        sentence = escaped_lines(sentence)
        if self.width is None:
            yield before + sentence
            return
        for line in wrap(sentence, max(self.width - indent, NARROWEST // 2), break_on_hyphens=False) or [sentence]:
            yield before + line

    def _paint(self, text: str, *codes: str) -> str:
        return "".join(codes) + text + _RESET if self.colour else text


def _chain(lines: list[str]) -> list[str]:
    """Return the contexts of a finding, shortened to the innermost and the outermost if there are many."""
    between = len(lines) - LONGEST_CHAIN
    if between < 2:
        return lines
    half = LONGEST_CHAIN // 2
    return [*lines[:half], f"… {between} more around it …", *lines[-half:]]


def _cut(text: str, column: int, room: int) -> tuple[str, int]:
    """Return a line cut to `room` characters, with control characters as spaces, and the column in it."""
    text = "".join(character if character.isprintable() else " " for character in text[: column + room])
    if len(text) <= room:
        return text, column
    start = max(0, min(column - 1 - room // 4, len(text) - room))
    shown = text[start : start + room]
    shown = ("…" if start else shown[:1]) + shown[1:-1] + ("…" if start + room < len(text) else shown[-1:])
    return shown, column - start


def _cells(text: str) -> int:
    """Return the width of a text in cells of a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)
