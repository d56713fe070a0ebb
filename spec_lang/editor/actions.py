"""Quick fixes for the errors of a document."""

from typing import NamedTuple

from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.source import Span


class Action(NamedTuple):
    """An edit, its title, and the finding that it fixes."""

    title: str
    fix: Fix
    finding: Diagnostic


def actions(document: Document, start: int, end: int) -> list[Action]:
    """Return the fixes of the findings that touch a range of the document, in order of place."""
    return [
        Action(f"Replace {finding.fix.span.text} by {finding.fix.text}", finding.fix, finding)
        for finding in document.examined.found
        if finding.fix is not None
        and finding.fix.span.source is document.source
        and _touches(finding.span if finding.span.source is document.source else finding.fix.span, start, end)
    ]


def _touches(span: Span, start: int, end: int) -> bool:
    return span.start <= end and start <= span.end
