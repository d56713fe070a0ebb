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
        Action(title(finding.fix), finding.fix, finding)
        for finding in document.examined.found
        if finding.fix is not None
        and finding.fix.span.source is document.source
        and any(_touches(span, start, end) for span in _places(finding, document))
    ]


def title(fix: Fix) -> str:
    """Return what a fix does, in words."""
    where = f" in {len(fix.spans)} places" if fix.also else ""
    return f"Replace {fix.span.text} by {fix.text}{where}"


def _places(finding: Diagnostic, document: Document) -> tuple[Span, ...]:
    assert finding.fix is not None
    return (finding.span, *finding.uses) if finding.span.source is document.source else finding.fix.spans


def _touches(span: Span, start: int, end: int) -> bool:
    return span.start <= end and start <= span.end
