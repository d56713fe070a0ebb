"""The language server, driven over standard input and output by a client of the protocol."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls")

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from tests.support.special_files import special_files

LONGEST = 120
"""Seconds after which an answer is missing: many times what it takes on a busy machine."""


class Editor(LanguageClient):
    """An editor that keeps what it is told of each document."""

    def __init__(self, folder: Path) -> None:
        super().__init__("editor", "1")
        self.folder = folder
        self.told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: self.hear(params))
        self.complaints: list[str] = []
        self.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: self.complaints.append(params.message))

    def hear(self, params: types.PublishDiagnosticsParams) -> None:
        if params.uri.startswith(self.folder.as_uri()):  # others are of stories that have ended
            self.told.put_nowait(params)

    def uri(self, name: str = "net.nnspec") -> str:
        return (self.folder / name).as_uri()

    def open(self, text: str, name: str = "net.nnspec") -> None:
        item = types.TextDocumentItem(self.uri(name), "nnspec", 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, text: str, version: int = 2, name: str = "net.nnspec") -> None:
        document = types.VersionedTextDocumentIdentifier(version, self.uri(name))
        whole = types.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    async def findings(self) -> list[types.Diagnostic]:
        return list((await asyncio.wait_for(self.told.get(), LONGEST)).diagnostics)

    def at(self, line: int, column: int) -> dict[str, Any]:
        return {"text_document": types.TextDocumentIdentifier(self.uri()), "position": types.Position(line, column)}


Story = Callable[[Editor], Awaitable[None]]


async def started(folder: Path, encodings: list[Any] | None = None) -> Editor:
    """An editor with a server of its own."""
    editor = Editor(folder)
    await editor.start_io(sys.executable, "-m", "nnspec", "lsp", "--stdio")
    general = types.GeneralClientCapabilities(position_encodings=encodings)
    capabilities = types.ClientCapabilities(general=general)
    hello = types.InitializeParams(capabilities, root_uri=folder.as_uri())
    await asyncio.wait_for(editor.initialize_async(hello), LONGEST)
    editor.initialized(types.InitializedParams())
    return editor


async def ended(editor: Editor) -> None:
    """The server ends as it is told to, and has complained of nothing."""
    await editor.shutdown_async(None)
    editor.exit(None)
    server = editor._server
    assert server is not None and server.stderr is not None
    code = await asyncio.wait_for(server.wait(), LONGEST)
    assert (code, (await server.stderr.read()).decode(), editor.complaints) == (0, "", [])
    await editor.stop()


@pytest.fixture(scope="module")
def edit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Story], None]]:
    """Runs a story in a folder of its own, all of them with one server."""
    with asyncio.Runner() as runner:
        editor = runner.run(started(tmp_path_factory.mktemp("editor")))

        def run(story: Story) -> None:
            editor.folder = tmp_path_factory.mktemp("story")
            editor.told = asyncio.Queue()
            runner.run(asyncio.wait_for(story(editor), 3 * LONGEST))

        yield run
        runner.run(ended(editor))


def span(found: types.Range) -> tuple[int, int, int, int]:
    return found.start.line, found.start.character, found.end.line, found.end.character


def test_errors_come_as_one_types_and_go_when_they_are_mended(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        editor.open("input 28x28x1\nconv 3x3 x8 -> maxpol 2 -> dense 10 softmax\n")
        (found,) = await editor.findings()
        assert (found.code, span(found.range)) == ("E101", (1, 15, 1, 21))
        assert found.message == 'no layer is called "maxpol"\nhelp: did you mean maxpool?'
        for version, text in enumerate(["conv 3x3 x8 -> maxpool", "input 28x28x1\ndense 10 softmax"], 2):
            editor.type(text, version)
        told = await asyncio.wait_for(editor.told.get(), LONGEST)
        assert (told.version, list(told.diagnostics)) == (3, [])  # one check, behind the last of the keystrokes

    edit(story)


def test_hover_completion_and_definition_count_columns_as_the_editor_does(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        editor.open('let width = 4\ninput 8x8x1\ndata csv "𝄞.csv" target=y\nconv 3x3 x$width')
        told = await editor.text_document_hover_async(types.HoverParams(**editor.at(2, 20)))
        assert told is not None and told.range is not None and span(told.range) == (2, 18, 2, 24)
        assert isinstance(told.contents, types.MarkupContent) and "the column to predict" in told.contents.value
        told = await editor.text_document_hover_async(types.HoverParams(**editor.at(3, 1)))
        assert (
            told is not None and isinstance(told.contents, types.MarkupContent) and "**6x6x4**" in told.contents.value
        )
        offered = await editor.text_document_completion_async(types.CompletionParams(**editor.at(3, 14)))
        assert isinstance(offered, types.CompletionList)
        item = next(item for item in offered.items if item.label == "x$width")
        assert isinstance(item.text_edit, types.TextEdit) and span(item.text_edit.range) == (3, 9, 3, 16)
        found: Any = await editor.text_document_definition_async(types.DefinitionParams(**editor.at(3, 14)))
        (place,) = found
        assert place.uri == editor.uri() and span(place.range) == (0, 4, 0, 9)

    edit(story)


def test_an_editor_that_counts_bytes_is_answered_in_bytes(tmp_path: Path) -> None:
    async def story() -> None:
        editor = await started(tmp_path, [types.PositionEncodingKind.Utf8])
        editor.open('dense 3\ndata csv "𝄞.csv" target=y')
        told = await editor.text_document_hover_async(types.HoverParams(**editor.at(1, 20)))
        assert told is not None and told.range is not None and span(told.range) == (1, 20, 1, 26)
        await ended(editor)

    asyncio.run(story())


def test_names_are_changed_texts_are_formatted_and_mistakes_mended(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        document = types.TextDocumentIdentifier(editor.uri())
        editor.open("let width=4\r\ninput 8x8x1\r\nconv   3x3 x$width rellu\r\n")
        place = await editor.text_document_prepare_rename_async(types.PrepareRenameParams(**editor.at(2, 14)))
        assert isinstance(place, types.Range) and span(place) == (2, 13, 2, 18)
        change = await editor.text_document_rename_async(types.RenameParams(new_name="size", **editor.at(2, 14)))
        assert change is not None and change.changes is not None
        edits = change.changes[editor.uri()]
        assert [(span(e.range), e.new_text) for e in edits] == [((0, 4, 0, 9), "size"), ((2, 13, 2, 18), "size")]
        with pytest.raises(JsonRpcException, match="is not a name"):
            await editor.text_document_rename_async(types.RenameParams(new_name="3x3", **editor.at(2, 14)))
        asked = types.CodeActionParams(document, place, types.CodeActionContext([]))
        assert not await editor.text_document_code_action_async(asked)
        asked.range = types.Range(types.Position(2, 20), types.Position(2, 20))
        (action,) = await editor.text_document_code_action_async(asked) or []
        assert isinstance(action, types.CodeAction) and action.title == "Replace rellu by relu"
        assert action.edit is not None and action.edit.changes is not None
        assert list(action.edit.changes[editor.uri()]) == [
            types.TextEdit(types.Range(types.Position(2, 19), types.Position(2, 24)), "relu")
        ]
        options = types.FormattingOptions(4, True)
        (form,) = await editor.text_document_formatting_async(types.DocumentFormattingParams(document, options)) or []
        assert form.new_text == "let width = 4\ninput 8x8x1\nconv 3x3 x$width rellu\n"
        assert span(form.range) == (0, 0, 3, 0)
        editor.type(form.new_text)
        assert not await editor.text_document_formatting_async(types.DocumentFormattingParams(document, options))

    edit(story)


def test_what_is_wrong_in_an_included_file_is_told_at_its_include(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        base = editor.folder / "base.nnspec"
        base.write_text("optimizer adm\n")
        editor.open('input 4\ninclude "base.nnspec"\ndense 10 softmax')
        (found,) = await editor.findings()
        assert span(found.range) == (1, 0, 1, 21) and found.related_information is not None
        inside = found.related_information[0].location
        assert (inside.uri, span(inside.range)) == (base.as_uri(), (0, 10, 0, 13))
        base.write_text("optimizer adam\n")
        saved = types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(base.as_uri()))
        editor.text_document_did_save(saved)
        assert await editor.findings() == []
        places: Any = await editor.text_document_definition_async(types.DefinitionParams(**editor.at(1, 12)))
        (place,) = places
        assert place.uri == base.as_uri()

    edit(story)


def test_what_is_typed_into_an_included_file_is_checked_where_it_is_included(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        (editor.folder / "base.nnspec").write_text("let width = 8\n")
        editor.open('include "base.nnspec"\ninput 4\ndense $width softmax')
        assert await editor.findings() == []
        editor.open("let width = 8\n", "base.nnspec")
        told = {editor.uri(), editor.uri("base.nnspec")}
        while told:
            told.remove((await asyncio.wait_for(editor.told.get(), LONGEST)).uri)
        editor.type("let wide = 8\n", name="base.nnspec")
        found: dict[str, Any] = {}
        while len(found) < 2:
            said = await asyncio.wait_for(editor.told.get(), LONGEST)
            found[said.uri] = [finding.message.partition("\n")[0] for finding in said.diagnostics]
        assert found[editor.uri()] == ['nothing gives "$width" a value']
        place = types.TextDocumentIdentifier(editor.uri("base.nnspec"))
        editor.text_document_did_close(types.DidCloseTextDocumentParams(place))
        closed = [await asyncio.wait_for(editor.told.get(), LONGEST) for _ in range(2)]
        assert {said.uri: list(said.diagnostics) for said in closed}[editor.uri()] == []

    edit(story)


def test_names_are_found_and_changed_in_open_documents_that_include_this_one(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        (editor.folder / "base.nnspec").write_text("let width = 8\n")
        editor.open('include "base.nnspec"\ninput 4\ndense $width softmax')
        editor.open("# unsaved\nlet width = 8\n", "base.nnspec")
        for _ in range(2):
            await editor.findings()
        base = types.TextDocumentIdentifier(editor.uri("base.nnspec"))
        at = types.Position(1, 5)
        asked = types.ReferenceParams(types.ReferenceContext(True), base, at)
        found = await editor.text_document_references_async(asked) or []
        assert sorted((place.uri, span(place.range)) for place in found) == [
            (editor.uri("base.nnspec"), (1, 4, 1, 9)),
            (editor.uri(), (2, 7, 2, 12)),
        ]
        change = await editor.text_document_rename_async(types.RenameParams(base, at, "size"))
        assert (
            change is not None
            and change.changes is not None
            and set(change.changes)
            == {
                editor.uri("base.nnspec"),
                editor.uri(),
            }
        )

    edit(story)


def test_no_text_ends_the_server(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        document = types.TextDocumentIdentifier(editor.uri())
        editor.open("")
        for version, text in enumerate(
            ["(" * 99, '"', "let\n", "\0", "\ufeff}", "repeat 9 (repeat 9 (", "\u2028dense"], 2
        ):
            editor.type(text, version)
            assert await editor.findings() != []
            await editor.text_document_hover_async(types.HoverParams(**editor.at(0, 1)))
            await editor.text_document_completion_async(types.CompletionParams(**editor.at(9, 9)))
            options = types.FormattingOptions(4, True)
            assert not await editor.text_document_formatting_async(types.DocumentFormattingParams(document, options))
        editor.text_document_did_close(types.DidCloseTextDocumentParams(document))
        assert await editor.findings() == []

    edit(story)


def test_a_document_that_includes_a_pipe_or_a_device_is_answered_at_once(edit: Callable[[Story], None]) -> None:
    async def story(editor: Editor) -> None:
        for path in special_files(editor.folder):
            editor.open(f'include "{path}"\ninput 4\ndense 3 softmax', f"{path.name}-in.nnspec")
            (finding,) = await asyncio.wait_for(editor.findings(), 20)
            assert "cannot be included" in finding.message
        (editor.folder / "base.nnspec").symlink_to("pipe")
        editor.open('include "base.nnspec"\ninput 4\ndense 3 softmax')
        (finding,) = await asyncio.wait_for(editor.findings(), 20)
        assert "cannot be included" in finding.message
        links = await editor.text_document_document_link_async(
            types.DocumentLinkParams(types.TextDocumentIdentifier(editor.uri()))
        )
        assert links is not None

    edit(story)
