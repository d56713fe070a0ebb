"""The language server: the features of nnspec.spec_lang.editor over the Language Server Protocol 3.17.

It needs pygls, which `pip install 'nnspec[lsp]'` installs; `nnspec lsp` starts it.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

from nnspec import __version__
from nnspec.spec_lang.check.include import included_path
from nnspec.spec_lang.editor.actions import actions
from nnspec.spec_lang.editor.complete import complete
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.hover import hover
from nnspec.spec_lang.editor.positions import Positions
from nnspec.spec_lang.editor.rename import RenameError, renamable, rename
from nnspec.spec_lang.editor.symbols import definitions
from nnspec.spec_lang.report.diagnostics import Diagnostic, Fix
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words

T = TypeVar("T")

PAUSE = 0.15
"""Seconds without a keystroke before a text is checked."""

KINDS = {
    "layer": types.CompletionItemKind.Class,
    "activation": types.CompletionItemKind.Function,
    "block": types.CompletionItemKind.Module,
    "statement": types.CompletionItemKind.Keyword,
    "keyword": types.CompletionItemKind.Keyword,
    "option": types.CompletionItemKind.Property,
    "value": types.CompletionItemKind.Value,
    "variable": types.CompletionItemKind.Variable,
    "file": types.CompletionItemKind.File,
}


class Refusal(JsonRpcException):
    """A valid request that cannot be fulfilled, with the reason for the user."""

    CODE = -32803  # the protocol's RequestFailed


def _is_fault(record: logging.LogRecord) -> bool:
    """Return whether a log record of pygls is something other than a Refusal, which the user has seen."""
    return not (record.exc_info and isinstance(record.exc_info[1], Refusal))


logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_fault)


class Server(LanguageServer):
    """The open documents and the scheduled checks.

    The editor sends the whole text with every change: texts are small, and both sides need not agree on line ends.
    """

    def __init__(self) -> None:
        super().__init__("nnspec", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self._documents: dict[str, Document] = {}
        self._due: dict[str, asyncio.Task[None]] = {}

    def document(self, uri: str) -> Document:
        """Return the document; its cached results are kept until its text changes."""
        text = self.workspace.get_text_document(uri).source
        known = self._documents.get(uri)
        if known is None or known.source.content != text:
            known = Document(_source(uri, text))
            self._documents[uri] = known
        return known

    def check_soon(self, uri: str) -> None:
        """Schedule a check after a pause without changes."""
        self._cancel(uri)
        self._due[uri] = asyncio.create_task(self._after_a_pause(uri))

    def check_again(self) -> None:
        """Check every open document again, since a file that it may include has changed."""
        for uri in self._documents:
            self._documents[uri] = Document(self._documents[uri].source)
            self.check_soon(uri)

    def forget(self, uri: str) -> None:
        """Drop a closed document."""
        self._cancel(uri)
        self._documents.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _cancel(self, uri: str) -> None:
        task = self._due.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _after_a_pause(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        self._due.pop(uri, None)
        document = self.document(uri)
        found = [self.finding(document, finding) for finding in document.examined.found]
        version = self.workspace.get_text_document(uri).version
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    def finding(self, document: Document, finding: Diagnostic) -> types.Diagnostic:
        """Return a finding as an LSP diagnostic; one in an included file is shown at its include."""
        own = finding.span
        while own.source is not document.source and own.source.included is not None:
            own = own.source.included
        around = [(f"in {trace.what}, written here", trace.span) for trace in finding.around()]
        if own is not finding.span:
            around.insert(0, (f"{finding.span.shown()}: {finding.message}", finding.span))
        return types.Diagnostic(
            range=self.range(own),
            message="\n".join([finding.message, *finding.notes, *([f"help: {finding.help}"] if finding.help else [])]),
            severity=types.DiagnosticSeverity.Error
            if finding.severity == "error"
            else types.DiagnosticSeverity.Warning,
            code=finding.code,
            source="nnspec",
            related_information=[
                types.DiagnosticRelatedInformation(self.location(document, span), text) for text, span in around
            ],
        )

    def offset(self, document: Document, position: types.Position) -> int:
        """Return the offset of a position."""
        return self.positions(document.source).offset(position.line, position.character)

    def range(self, span: Span) -> types.Range:
        """Return the range of a span."""
        positions = self.positions(span.source)
        return types.Range(*(types.Position(*positions.position(place)) for place in (span.start, span.end)))

    def location(self, document: Document, span: Span) -> types.Location:
        """Return the location of a span, in the document or in a text that it includes."""
        return types.Location(self.uri(document, span.source), self.range(span))

    def uri(self, document: Document, source: Source) -> str:
        """Return the URI of a text."""
        own = next((uri for uri, known in self._documents.items() if known is document), "")
        if source is document.source or source.included is None:
            return own
        return from_fs_path(str(included_path(source).resolve())) or own

    def edit(self, document: Document, fixes: list[Fix]) -> types.WorkspaceEdit:
        """Return edits grouped by text."""
        changes: dict[str, list[types.TextEdit]] = {}
        for fix in fixes:
            changes.setdefault(self.uri(document, fix.span.source), []).append(
                types.TextEdit(self.range(fix.span), fix.text)
            )
        return types.WorkspaceEdit(changes=changes)

    def positions(self, source: Source) -> Positions:
        """Return the positions of a text in the encoding of the client."""
        encoding = self.workspace.position_encoding
        return Positions(source, str(getattr(encoding, "value", encoding)))


def _source(uri: str, text: str) -> Source:
    """Return a document's source; one that is not a file has no folder for relative paths."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Source(path, text, Path(path).parent) if path else Source(uri, text)


server = Server()


def answers(feature: str, options: Any = None) -> Callable[[Callable[[Server, Any], T]], Callable[[Server, Any], T]]:
    """Register a function as the handler of a request."""
    registered: Callable[[Callable[[Server, Any], T]], Callable[[Server, Any], T]] = server.feature(feature, options)
    return registered


@answers(types.TEXT_DOCUMENT_DID_OPEN)
def opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Check a document that was opened."""
    server.check_soon(params.text_document.uri)


@answers(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Check a document that was changed."""
    server.check_soon(params.text_document.uri)


@answers(types.TEXT_DOCUMENT_DID_SAVE)
def saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    """Check all documents after a file was saved, since they may include it."""
    server.check_again()


@answers(types.TEXT_DOCUMENT_DID_CLOSE)
def closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Drop a document that was closed."""
    server.forget(params.text_document.uri)


@answers(types.TEXT_DOCUMENT_HOVER)
def hovered(server: Server, params: types.HoverParams) -> types.Hover | None:
    """Return what the word under the pointer means."""
    document = server.document(params.text_document.uri)
    found = hover(document, server.offset(document, params.position))
    if found is None:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, found.text), server.range(found.span))


@answers(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" ", "=", "$", '"', "/", "("]))
def completed(server: Server, params: types.CompletionParams) -> types.CompletionList:
    """Return the completions at a position."""
    document = server.document(params.text_document.uri)
    found = complete(document, server.offset(document, params.position))
    place = server.range(found.span)
    items = [
        types.CompletionItem(
            label=item.text,
            kind=KINDS[item.kind],
            detail=item.detail or None,
            documentation=types.MarkupContent(types.MarkupKind.Markdown, item.about) if item.about else None,
            sort_text=f"{number:03}",
            text_edit=types.TextEdit(place, item.text),
        )
        for number, item in enumerate(found.items)
    ]
    return types.CompletionList(is_incomplete=False, items=items)


@answers(types.TEXT_DOCUMENT_DEFINITION)
def defined(server: Server, params: types.DefinitionParams) -> list[types.Location]:
    """Return the definitions of a name."""
    document = server.document(params.text_document.uri)
    return [server.location(document, span) for span in definitions(document, server.offset(document, params.position))]


@answers(types.TEXT_DOCUMENT_PREPARE_RENAME)
def can_be_renamed(server: Server, params: types.PrepareRenameParams) -> types.Range | None:
    """Return the range of the name to rename, or None."""
    document = server.document(params.text_document.uri)
    found = renamable(document, server.offset(document, params.position))
    return server.range(found.span) if found is not None else None


@answers(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
def renamed(server: Server, params: types.RenameParams) -> types.WorkspaceEdit:
    """Rename a symbol in all its mentions."""
    document = server.document(params.text_document.uri)
    try:
        return server.edit(document, rename(document, server.offset(document, params.position), params.new_name))
    except RenameError as error:
        raise Refusal(str(error)) from None


@answers(types.TEXT_DOCUMENT_FORMATTING)
def formatted(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    """Return the edit to the canonical form; none for a text with syntax errors."""
    source = server.document(params.text_document.uri).source
    try:
        text = format_source(source, known_words())
    except SpecError:
        return []
    if text == source.content:
        return []
    whole = server.range(Span(source, 0, len(source.text)))
    return [types.TextEdit(types.Range(types.Position(0, 0), whole.end), text)]


@answers(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
)
def offered(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the fixes of the errors in a range."""
    document = server.document(params.text_document.uri)
    start, end = (server.offset(document, place) for place in (params.range.start, params.range.end))
    return [
        types.CodeAction(
            title=action.title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[server.finding(document, action.finding)],
            is_preferred=True,
            edit=server.edit(document, [action.fix]),
        )
        for action in actions(document, start, end)
    ]
