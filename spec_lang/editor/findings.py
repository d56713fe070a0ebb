"""Findings as an editor shows them: one text each, at a place in the text that is open."""

from nnspec.spec_lang.report.diagnostics import Diagnostic
from nnspec.spec_lang.source import Source, Span


def sentences(finding: Diagnostic) -> str:
    """Return the message of a finding, its notes and its help, a line each."""
    return "\n".join([finding.message, *finding.notes, *([f"help: {finding.help}"] if finding.help else [])])


def shown_at(finding: Diagnostic, source: Source) -> Span:
    """Return the span to underline in a text: that of the finding, or of the include that leads to its file."""
    span = finding.span
    while span.source is not source and span.source.included is not None:
        span = span.source.included
    return span
