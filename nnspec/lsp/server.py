"""The server: the open documents, the checks after a pause, and the requests, each answered in a thread."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from nnspec import __version__
from nnspec.lsp.feature import Feature, features
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.editor.rename import RenameError
from nnspec.spec_lang.source import Source

PAUSE = 0.05
"""Seconds without a keystroke before a text is checked."""


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

    def view(self, uri: str) -> View:
        """Return the current version of a document with the open documents that include it."""
        document, path = self._document(uri), _path(uri)
        others = [self._view(other, self._document(other)) for other in self._documents if other != uri]
        including = [other for other in others if path is not None and other.includes(path)]
        return self._view(uri, document, including)

    def changed(self, uri: str) -> None:
        """Schedule a check of a document that was opened or changed, and of the open documents that include it."""
        self._check_soon(uri)
        self._check_includers(uri)

    def closed(self, uri: str) -> None:
        """Drop a closed document; those that include it see the file again."""
        self._cancel(uri)
        self._documents.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        self._check_includers(uri)

    def check_again(self) -> None:
        """Check every open document again, since a file that it may include has changed."""
        for uri in self._documents:
            self._documents[uri] = self._read(uri)
            self._check_soon(uri)

    def _check_includers(self, uri: str) -> None:
        path = _path(uri)
        for other, document in self._documents.items():
            if other != uri and path in document.reading.done:
                self._documents[other] = self._read(other)
                self._check_soon(other)

    def _document(self, uri: str) -> Document:
        """Return a document; its cached results are kept until its text changes, or one that it includes."""
        known = self._documents.get(uri)
        if known is None or known.source.content != self.workspace.get_text_document(uri).source:
            known = self._documents[uri] = self._read(uri)
        return known

    def _read(self, uri: str) -> Document:
        text = self.workspace.get_text_document(uri).source
        open_paths = ((other, _path(other)) for other in self.workspace.text_documents if other != uri)
        unsaved = {path: self.workspace.get_text_document(other).source for other, path in open_paths if path}
        return Document(_source(uri, text), unsaved)

    def _view(self, uri: str, document: Document, includers: list[View] | None = None) -> View:
        encoding = self.workspace.position_encoding
        item = getattr(getattr(self.client_capabilities.text_document, "completion", None), "completion_item", None)
        snippets = bool(getattr(item, "snippet_support", False))
        return View(document, uri, str(getattr(encoding, "value", encoding)), includers or (), snippets)

    def _check_soon(self, uri: str) -> None:
        self._cancel(uri)
        self._due[uri] = asyncio.create_task(self._check_after_a_pause(uri))

    def _cancel(self, uri: str) -> None:
        task = self._due.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _check_after_a_pause(self, uri: str) -> None:
        await asyncio.sleep(PAUSE)
        view, version = self._view(uri, self._document(uri)), self.workspace.get_text_document(uri).version
        found = await asyncio.to_thread(_findings, view)
        self._due.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))


def _findings(view: View) -> list[types.Diagnostic]:
    return [view.finding(finding) for finding in view.document.examined.found]


def _source(uri: str, text: str) -> Source:
    """Return a document's source; one that is not a file has no folder for relative paths."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Source(path, text, Path(path).parent) if path else Source(uri, text)


def _path(uri: str) -> Path | None:
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path).resolve() if path else None


def _handler(feature: Feature) -> Callable[[Server, Any], Any]:
    async def handle(server: Server, params: Any) -> Any:
        view = server.view(params.text_document.uri)
        try:
            return await asyncio.to_thread(feature.answer, view, params)
        except RenameError as error:
            raise Refusal(str(error)) from None

    return handle


def _listen(server: Server) -> None:
    """Register what the editor tells of its documents."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
        server.check_again()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
        server.check_again()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)


def make_server() -> Server:
    """Return a server with every feature."""
    server = Server()
    _listen(server)
    for feature in features():
        server.feature(feature.method, feature.options)(_handler(feature))
    return server
