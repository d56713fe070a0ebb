"""Completion: what fits at a position."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.complete import Completion, complete

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


@answers(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" ", "=", "$", '"', "/", "("]))
def completed(view: View, params: types.CompletionParams) -> types.CompletionList:
    """Return the completions at a position."""
    found = complete(view.document, view.offset(params.position))
    place = view.range(found.span)
    items = [_item(item, number, place, view.snippets) for number, item in enumerate(found.items)]
    return types.CompletionList(is_incomplete=False, items=items)


def _item(item: Completion, number: int, place: types.Range, snippets: bool) -> types.CompletionItem:
    """Return an item. Its format is always named: an editor may read a `$` of plain text as a place to fill in."""
    snippet = item.snippet if snippets else ""
    formats = types.InsertTextFormat
    return types.CompletionItem(
        label=item.text,
        kind=KINDS[item.kind],
        detail=item.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, item.about) if item.about else None,
        sort_text=f"{number:03}",
        filter_text=item.text,
        insert_text_format=formats.Snippet if snippet else formats.PlainText,
        text_edit=types.TextEdit(place, snippet or item.text),
    )
