"""What can be wrong with a spec: values, made by the phases and drawn by spec_lang.render."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from spec_lang.source import Span

CODES: dict[str, str] = {
    "E001": "the text cannot be read as a spec",
    "E002": "a statement is not written as the language writes it",
    "E003": "the spec is too large or too deeply nested",
    "E101": "a layer or statement is not known",
    "E102": "an option is not known",
    "E103": "a name is not one of those that fit here",
    "E104": "an argument has no place",
    "E105": "an argument is missing",
    "E106": "an argument is given twice",
    "E107": "a statement is given twice",
    "E108": "a setting from outside fits nothing in the spec",
    "E201": "a value is not of the right kind",
    "E202": "a value is out of its range",
    "E301": "a layer does not fit the shape before it",
    "E302": "the shape of the input is not known",
    "E303": "the end of the network does not fit the loss or the data",
    "E304": "the spec has no network",
    "E401": "the network is larger than this machine's memory",
}
"""Every code with what it stands for; a code never changes its meaning."""


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code, what was found, where, and what to write instead."""

    code: str
    message: str
    span: Span
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Literal["error", "warning"] = "error"

    def as_json(self) -> dict[str, object]:
        """The fields that `nnspec check --json` promises; lines and columns count from 1."""
        line, column = self.span.source.place(self.span.start)
        end_line, end_column = self.span.source.place(self.span.end)
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "file": self.span.source.name,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "notes": list(self.notes),
            "help": self.help,
        }


def near(name: str, names: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely meant, or None."""
    known = sorted(names)
    matches = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = list(names)
    return f"{', '.join(most)} or {last}" if most else last
