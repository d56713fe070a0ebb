"""Diagnostics as text: the one place that knows what an error looks like."""

from collections.abc import Iterable

from spec_lang.diagnostics import Diagnostic

_RED, _YELLOW, _BLUE, _BOLD, _RESET = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"
_WIDEST = 160  # of a source line that is shown; a longer one is cut around the span


def render_all(diagnostics: Iterable[Diagnostic], colour: bool = False) -> str:
    """All diagnostics, in the order given, a blank line between two of them."""
    return "\n\n".join(render(diagnostic, colour) for diagnostic in diagnostics)


def render(diagnostic: Diagnostic, colour: bool = False) -> str:
    """A diagnostic as its reader sees it: the code, the place, the user's own line underlined, and help."""

    def paint(text: str, *codes: str) -> str:
        return "".join(codes) + text + _RESET if colour else text

    span = diagnostic.span
    line, column = span.source.place(span.start)
    accent = _RED if diagnostic.severity == "error" else _YELLOW
    title = paint(f"{diagnostic.severity}[{diagnostic.code}]", accent, _BOLD)
    rows = [f"{title} {paint(diagnostic.message, _BOLD)}", f"  {span.source.name}:{line}:{column}"]
    text, column = _cut(span.source.line(line), column)
    length = min(max(span.end - span.start, 1), max(len(text) - column + 1, 1))
    gutter = len(str(line)) + 2
    bar = paint(" " * gutter + " |", _BLUE)
    if text.strip():
        underline = " " * (column - 1) + paint("^" * length, accent)
        rows += [bar, paint(f"{line:>{gutter}} |", _BLUE) + f" {text}", f"{bar} {underline}"]
    rows += [f"{bar} {note}" for note in diagnostic.notes]
    if diagnostic.help:
        rows.append(" " * gutter + f"{paint('help:', _BLUE, _BOLD)} {diagnostic.help}")
    return "\n".join(rows)


def _cut(text: str, column: int) -> tuple[str, int]:
    """A line short enough to show, with control characters made visible, and the column in it."""
    text = "".join(character if character.isprintable() else " " for character in text)
    if len(text) <= _WIDEST:
        return text, column
    start = max(0, column - _WIDEST // 2)
    return text[start : start + _WIDEST], column - start
