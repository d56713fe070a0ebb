"""Formatting: the lines that differ from the canonical form."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.edits import line_edits
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.syntax.formatter import format_source
from nnspec.spec_lang.vocabulary.summary import known_words


@answers(types.TEXT_DOCUMENT_FORMATTING)
def formatted(view: View, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    """Return the edits to the canonical form; none for a text with syntax errors."""
    source = view.document.source
    try:
        text = format_source(source, known_words())
    except SpecError:
        return []
    assert isinstance(source.content, str)
    if source.content != source.text:  # a byte order mark or other line ends, which an edit of lines would keep
        whole = types.Range(types.Position(0, 0), view.position(len(source.text)))
        return [types.TextEdit(whole, text)] if source.content != text else []
    return [types.TextEdit(view.range(fix.span), fix.text) for fix in line_edits(source, text)]
