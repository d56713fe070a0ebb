"""One version of an open document as a feature sees it: the document, and its spans as the client counts them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from nnspec.spec_lang.check.include import included_path
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.findings import sentences, shown_at
from nnspec.spec_lang.editor.positions import Positions
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.source import Source, Span


@dataclass(frozen=True)
class View:
    """A document, its URI, the encoding in which the client counts columns, and the open documents that include it.

    `snippets` says whether the client takes completions with places to fill in.
    """

    document: Document
    uri: str
    encoding: str = "utf-16"
    includers: Sequence["View"] = ()
    snippets: bool = False

    def offset(self, position: types.Position) -> int:
        """Return the offset of a position."""
        return self.positions().offset(position.line, position.character)

    def offsets(self, place: types.Range) -> tuple[int, int]:
        """Return the offsets of a range."""
        return self.offset(place.start), self.offset(place.end)

    def positions(self) -> Positions:
        """Return the positions of the document's own text."""
        return self._positions(self.document.source)

    def position(self, offset: int) -> types.Position:
        """Return the position of an offset."""
        return types.Position(*self.positions().position(offset))

    def range(self, span: Span) -> types.Range:
        """Return the range of a span, in whatever text it is."""
        positions = self._positions(span.source)
        start, end = positions.position(span.start), positions.position(span.end)
        return types.Range(types.Position(*start), types.Position(*end))

    def location(self, span: Span) -> types.Location:
        """Return the location of a span: in the document, in a text that it includes, or in one that includes it."""
        return types.Location(self.uri_of(span.source), self.range(span))

    def uri_of(self, source: Source) -> str:
        """Return the URI of a text."""
        for view in (self, *self.includers):
            if source is view.document.source:
                return view.uri
        if source.included is None:
            return self.uri
        return from_fs_path(str(included_path(source).resolve())) or self.uri

    def edit(self, fixes: Iterable[Fix]) -> types.WorkspaceEdit:
        """Return edits grouped by text."""
        changes: dict[str, list[types.TextEdit]] = {}
        for fix in fixes:
            for span in fix.spans:
                changes.setdefault(self.uri_of(span.source), []).append(types.TextEdit(self.range(span), fix.text))
        return types.WorkspaceEdit(changes=changes)

    def finding(self, finding: Diagnostic) -> types.Diagnostic:
        """Return a finding as an LSP diagnostic; one in an included file is shown at its include."""
        own = shown_at(finding, self.document.source)
        around = [(f"in {trace.what}, written here", trace.span) for trace in finding.around()]
        if own is not finding.span:
            around.insert(0, (f"{finding.span.shown()}: {finding.message}", finding.span))
        severity = types.DiagnosticSeverity
        return types.Diagnostic(
            range=self.range(own),
            message=sentences(finding),
            severity=severity.Error if finding.severity == "error" else severity.Warning,
            code=finding.code,
            source="nnspec",
            related_information=[
                types.DiagnosticRelatedInformation(self.location(span), text) for text, span in around
            ],
        )

    def includes(self, path: Path) -> bool:
        """Return whether the document includes a file, also one that is missing."""
        return path in self.document.reading.done

    def _positions(self, source: Source) -> Positions:
        return Positions(source, self.encoding)
