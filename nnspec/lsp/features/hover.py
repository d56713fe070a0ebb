"""Hover: what the word under the pointer means."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.hover import hover


@answers(types.TEXT_DOCUMENT_HOVER)
def hovered(view: View, params: types.HoverParams) -> types.Hover | None:
    """Return the help of the word at a position."""
    found = hover(view.document, view.offset(params.position))
    if found is None:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, found.text), view.range(found.span))
