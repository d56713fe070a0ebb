"""Diagnostics: what is wrong with a spec, as values. The parser and the checker make them, `render` shows them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from nnspec.spec_lang.limits import MAX_FINDINGS
from nnspec.spec_lang.report.codes import CODES
from nnspec.spec_lang.source import Span

__all__ = ["CODES", "Diagnostic", "Findings", "Fix", "TooManyFindings", "Trace", "did_you_mean", "near", "one_of"]


MOST_LINES = 5
"""Lines that are listed where a mistake is made again."""


@dataclass(frozen=True)
class Trace:
    """A context of a finding and the place that leads to it: a block and its use, an included file and its include."""

    what: str
    span: Span


@dataclass(frozen=True)
class Fix:
    """The help of a finding as an edit: the text that replaces a span, and the spans `also`.

    `sure` says that nothing else can be meant; an editor applies only such a fix without asking.
    """

    span: Span
    text: str
    sure: bool = True
    also: tuple[Span, ...] = ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """All spans that the text replaces."""
        return (self.span, *self.also)


@dataclass(frozen=True)
class Diagnostic:
    """One finding: a stable code, what is wrong, where, and what to write instead.

    `notes` are further sentences, `traces` the blocks around it, innermost first. `fix` is the edit that `help`
    describes, None if that is not an edit. Findings of a text that have the same `cause`, unless it is empty, are one
    mistake: the first is reported, and `uses` are the spans of the others.
    """

    code: str
    message: str
    span: Span
    notes: tuple[str, ...] = ()
    help: str | None = None
    severity: Literal["error", "warning"] = "error"
    traces: tuple[Trace, ...] = ()
    fix: Fix | None = None
    cause: str = ""
    uses: tuple[Span, ...] = ()

    def around(self) -> tuple[Trace, ...]:
        """Return the contexts of the finding, innermost first: blocks, then the files that include each other."""
        outermost = self.traces[-1].span.source if self.traces else self.span.source
        files: list[Trace] = []
        while outermost.included is not None:
            files.append(Trace(outermost.name, outermost.included))
            outermost = outermost.included.source
        return (*self.traces, *files)

    def as_json(self) -> dict[str, object]:
        """Return the fields of `nnspec check --json`; lines and columns count from 1."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            **_place(self.span),
            "notes": list(self.notes),
            "help": self.help,
            "fix": _fix(self.fix) if self.fix is not None else None,
            "around": [{"what": trace.what, **_place(trace.span)} for trace in self.around()],
        }


def _fix(fix: Fix) -> dict[str, object]:
    also = {"also": [_place(span) for span in fix.also]} if fix.also else {}
    return {"text": fix.text, "preferred": fix.sure, **_place(fix.span), **also}


def _place(span: Span) -> dict[str, object]:
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    return {"file": span.source.name, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


class TooManyFindings(Exception):
    """Raised at MAX_FINDINGS; the function that started the check returns what was found until then."""


class Findings:
    """The findings so far, without duplicates; those of one cause are one."""

    def __init__(self, found: Iterable[Diagnostic] = ()):
        self._found: dict[object, list[Diagnostic]] = {}
        for diagnostic in found:
            self._keep(diagnostic)

    def __iter__(self) -> Iterator[Diagnostic]:
        return (_as_one(same) for same in self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a finding. Raises TooManyFindings when there are MAX_FINDINGS."""
        self._keep(diagnostic)
        if len(self._found) >= MAX_FINDINGS:
            raise TooManyFindings

    def add_within(self, part: Span, others: Iterable[Diagnostic], around: Trace) -> None:
        """Add the findings caused by a part of the spec; those outside this part get `around` as a context."""
        said = {(known.code, known.message, known.span) for known in self}
        for found in others:
            if found.cause or (found.code, found.message, found.span) not in said:
                inside = found.span.source is part.source and part.start <= found.span.start < part.end
                self.add(found if inside else replace(found, traces=(*found.traces, around)))

    def _keep(self, diagnostic: Diagnostic) -> None:
        if diagnostic.cause:
            self._found.setdefault((diagnostic.cause, diagnostic.span.source), []).append(diagnostic)
        else:
            self._found[diagnostic] = [diagnostic]

    def say(self, code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> None:
        """Add an error without notes."""
        self.add(Diagnostic(code, message, span, help=help, fix=fix))


def _as_one(same: list[Diagnostic]) -> Diagnostic:
    """Return the first by place of the findings of one cause, with the others as its uses."""
    if len(same) == 1:
        return same[0]
    first = min(same, key=lambda finding: finding.span.start)
    uses = _others(first.span, (span for finding in same for span in (finding.span, *finding.uses)))
    fix = first.fix
    if fix is not None:
        edits = (span for finding in same if finding.fix is not None for span in finding.fix.spans)
        fix = replace(fix, also=_others(fix.span, edits))
    notes = (_more(uses),) if uses else first.notes
    return replace(first, notes=notes, fix=fix, uses=uses)


def _others(first: Span, spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(sorted({span for span in spans if span.start != first.start}, key=lambda span: span.start))


def _more(uses: tuple[Span, ...]) -> str:
    lines = list(dict.fromkeys(str(span.source.place(span.start)[0]) for span in uses))
    named = lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], f"{len(lines) - MOST_LINES + 1:,} others"]
    listed = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
    return f"{len(uses):,} more {'use' if len(uses) == 1 else 'uses'}, in line{'s' if len(lines) > 1 else ''} {listed}"


def near(name: str, names: Iterable[str]) -> str | None:
    """Return the known name closest to a misspelled one, or None if none is close."""
    matches = get_close_matches(name.lower()[:100], sorted(names), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(close: str | None, span: Span, otherwise: str | None = None) -> tuple[str | None, Fix | None]:
    """Return the help "did you mean …?" and its fix, or the help `otherwise` without a fix if nothing is close."""
    return (f"did you mean {close}?", Fix(span, close)) if close else (otherwise, None)


def one_of(names: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = list(names)
    return f"{', '.join(most)} or {last}" if most else last
