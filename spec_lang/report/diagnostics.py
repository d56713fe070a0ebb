"""What can be wrong with a spec: values, made by the phases and drawn by nnspec.spec_lang.report.render."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from nnspec.spec_lang.limits import MAX_FINDINGS
from nnspec.spec_lang.report.codes import CODES
from nnspec.spec_lang.source import Span

__all__ = ["CODES", "Diagnostic", "Findings", "Fix", "TooManyFindings", "Trace", "did_you_mean", "near", "one_of"]


@dataclass(frozen=True)
class Trace:
    """What holds a finding, and where it was asked for: a block at its use, an included file at its include."""

    what: str
    span: Span


@dataclass(frozen=True)
class Fix:
    """What a help says as an edit: the text to write in place of a span."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code, what was found, where, and what to write instead.

    `notes` are sentences about it, `traces` the blocks around it from the inside outwards. `fix` does what `help`
    says, where that is an edit of one place.
    """

    code: str
    message: str
    span: Span
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Literal["error", "warning"] = "error"
    traces: tuple[Trace, ...] = ()
    fix: Fix | None = None

    def around(self) -> tuple[Trace, ...]:
        """Everything around the finding: blocks first, then the files that include each other."""
        outermost = self.traces[-1].span.source if self.traces else self.span.source
        files: list[Trace] = []
        while outermost.included is not None:
            files.append(Trace(outermost.name, outermost.included))
            outermost = outermost.included.source
        return (*self.traces, *files)

    def as_json(self) -> dict[str, object]:
        """The fields that `nnspec check --json` promises, and more; lines and columns count from 1."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            **_place(self.span),
            "notes": list(self.notes),
            "help": self.help,
            "fix": {"text": self.fix.text, **_place(self.fix.span)} if self.fix is not None else None,
            "around": [{"what": trace.what, **_place(trace.span)} for trace in self.around()],
        }


def _place(span: Span) -> dict[str, object]:
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    return {"file": span.source.name, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


class TooManyFindings(Exception):
    """Raised when MAX_FINDINGS are reached; whoever began the reading hands back what there is."""


class Findings:
    """What was found so far, each once."""

    def __init__(self, found: Iterable[Diagnostic] = ()):
        self._found = dict.fromkeys(found)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep one more; raises TooManyFindings at the last one that is kept."""
        self._found[diagnostic] = None
        if len(self._found) >= MAX_FINDINGS:
            raise TooManyFindings

    def add_within(self, part: Span, others: Iterable[Diagnostic], around: Trace) -> None:
        """Keep what was found because of a part of the spec; what stands outside that part is told to come from it."""
        for found in others:
            if found not in self._found:
                inside = found.span.source is part.source and part.start <= found.span.start < part.end
                self.add(found if inside else replace(found, traces=(*found.traces, around)))

    def say(self, code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> None:
        """An error without notes."""
        self.add(Diagnostic(code, message, span, help=help, fix=fix))


def near(name: str, names: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely meant, or None."""
    matches = get_close_matches(name.lower()[:100], sorted(names), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(close: str | None, span: Span, otherwise: str | None = None) -> tuple[str | None, Fix | None]:
    """Help that names what a span most likely meant, with the fix that writes it there; without one, other help."""
    return (f"did you mean {close}?", Fix(span, close)) if close else (otherwise, None)


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = list(names)
    return f"{', '.join(most)} or {last}" if most else last
