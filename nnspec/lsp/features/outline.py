"""The outline of a document."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.outline import Entry, outline

KINDS = {
    "network": types.SymbolKind.Module,
    "layer": types.SymbolKind.Object,
    "group": types.SymbolKind.Array,
    "let": types.SymbolKind.Variable,
    "block": types.SymbolKind.Function,
    "variant": types.SymbolKind.Class,
    "expect": types.SymbolKind.Boolean,
    "sweep": types.SymbolKind.Enum,
    "setting": types.SymbolKind.Property,
    "include": types.SymbolKind.File,
    "broken": types.SymbolKind.Null,
}


@answers(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def outlined(view: View, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """Return the statements, and the parts of those that have any."""
    return [_symbol(view, entry) for entry in outline(view.document)]


def _symbol(view: View, entry: Entry) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=entry.name,
        detail=entry.detail or None,
        kind=KINDS[entry.kind],
        range=view.range(entry.span),
        selection_range=view.range(entry.named),
        children=[_symbol(view, part) for part in entry.parts],
    )
