"""Semantic tokens: the colours of the text."""

from lsprotocol import types

from nnspec.lsp.feature import answers
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.colour import Colour, colour_spans

Types = types.SemanticTokenTypes

TOKENS = {
    Colour.COMMENT: Types.Comment,
    Colour.KEYWORD: Types.Keyword,
    Colour.STATEMENT: Types.Keyword,
    Colour.LAYER: Types.Function,
    Colour.NAME: Types.Namespace,
    Colour.OPTION: Types.Property,
    Colour.CHOICE: Types.EnumMember,
    Colour.TRUTH: Types.EnumMember,
    Colour.NUMBER: Types.Number,
    Colour.STRING: Types.String,
    Colour.VARIABLE: Types.Variable,
    Colour.SIGN: Types.Operator,
}
"""The type of each colour; an error has none, since it is underlined."""

LEGEND = [token.value for token in dict.fromkeys(TOKENS.values())]

NUMBERS = {colour: LEGEND.index(token.value) for colour, token in TOKENS.items()}


@answers(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, types.SemanticTokensLegend(LEGEND, []))
def coloured(view: View, params: types.SemanticTokensParams) -> types.SemanticTokens:
    """Return the colours of the whole text."""
    return types.SemanticTokens(_encoded(view, 0, len(view.document.source.text)))


@answers(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, types.SemanticTokensLegend(LEGEND, []))
def coloured_in(view: View, params: types.SemanticTokensRangeParams) -> types.SemanticTokens:
    """Return the colours of a range."""
    return types.SemanticTokens(_encoded(view, *view.offsets(params.range)))


def _encoded(view: View, start: int, end: int) -> list[int]:
    """Return five numbers for each token: lines and columns after the last one, length, type, modifiers."""
    data: list[int] = []
    line = column = 0
    positions = view.positions()
    for span, colour in colour_spans(view.document.source):
        if span.start >= end:
            break
        if span.end <= start or colour not in NUMBERS:
            continue
        at_line, at = positions.position(span.start)
        _, after = positions.position(span.end)
        data += (at_line - line, at - (column if at_line == line else 0), after - at, NUMBERS[colour], 0)
        line, column = at_line, at
    return data
