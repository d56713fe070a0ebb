"""A lexer for Pygments, which colours specs in documents, notebooks and terminals under the name "nnspec"."""

from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    String,
    Whitespace,
    _TokenType,
)

from nnspec.spec_lang.editor.colour import Colour, colour_spans
from nnspec.spec_lang.source import Source

TOKENS: dict[Colour, _TokenType] = {
    Colour.COMMENT: Comment.Single,
    Colour.KEYWORD: Keyword,
    Colour.STATEMENT: Keyword.Declaration,
    Colour.LAYER: Name.Function,
    Colour.NAME: Name.Label,
    Colour.OPTION: Name.Attribute,
    Colour.CHOICE: Name.Constant,
    Colour.TRUTH: Keyword.Constant,
    Colour.NUMBER: Number,
    Colour.STRING: String.Double,
    Colour.VARIABLE: Name.Variable,
    Colour.SIGN: Operator,
    Colour.ERROR: Error,
}


class NNSpecLexer(Lexer):
    """Colours a spec by the tokens of the language."""

    name = "nnspec"
    aliases = ("nnspec",)
    filenames = ("*.nnspec",)
    mimetypes = ("text/x-nnspec",)
    url = "https://pypi.org/project/nnspec/"
    version_added = ""

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Yield every part of the text with its Pygments token, including blanks."""
        source, at = Source("<pygments>", text), 0
        for span, colour in colour_spans(source):
            yield from _between(source.text, at, span.start)
            yield span.start, TOKENS[colour], span.text
            at = span.end
        yield from _between(source.text, at, len(source.text))


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, _TokenType, str]]:
    if start < end:
        yield start, Whitespace, text[start:end]
