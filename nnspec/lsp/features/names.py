"""Definitions, references, highlights and renames of the names in a spec."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.rename import renamable, rename
from nnspec.spec_lang.editor.symbols import definitions, references


@answers(types.TEXT_DOCUMENT_DEFINITION)
def defined(view: View, params: types.DefinitionParams) -> list[types.Location]:
    """Return the definitions of a name, or the included file."""
    return [view.location(span) for span in definitions(view.document, view.offset(params.position))]


@answers(types.TEXT_DOCUMENT_REFERENCES)
def mentioned(view: View, params: types.ReferenceParams) -> list[types.Location]:
    """Return where a name is used: here, in included files and in open documents that include this one."""
    includers = [other.document for other in view.includers]
    found = references(view.document, view.offset(params.position), includers)
    return [view.location(m.span) for m in found if params.context.include_declaration or not m.defines]


@answers(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
def highlighted(view: View, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
    """Return the places of a name in this document."""
    kinds = types.DocumentHighlightKind
    return [
        types.DocumentHighlight(view.range(m.span), kinds.Write if m.defines else kinds.Read)
        for m in references(view.document, view.offset(params.position))
        if m.span.source is view.document.source
    ]


@answers(types.TEXT_DOCUMENT_PREPARE_RENAME)
def can_be_renamed(view: View, params: types.PrepareRenameParams) -> types.Range | None:
    """Return the range of the name to rename, or None."""
    found = renamable(view.document, view.offset(params.position))
    return view.range(found.span) if found is not None else None


@answers(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
def renamed(view: View, params: types.RenameParams) -> types.WorkspaceEdit:
    """Rename a symbol in all its mentions. Raises RenameError."""
    includers = [other.document for other in view.includers]
    return view.edit(rename(view.document, view.offset(params.position), params.new_name, includers))
