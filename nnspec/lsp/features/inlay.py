"""Inlay hints: shapes and parameters inside the text."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.hints import hints


@answers(types.TEXT_DOCUMENT_INLAY_HINT)
def hinted(view: View, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Return the hints in a range."""
    return [
        types.InlayHint(view.position(hint.offset), hint.text, tooltip=hint.about, padding_left=True)
        for hint in hints(view.document, *view.offsets(params.range))
    ]
