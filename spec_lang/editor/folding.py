"""The parts of a document that an editor can fold: statements, groups and variants of several lines, and comments."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.source import Source, Token
from nnspec.spec_lang.syntax.grammar import tokens

CLOSING = {"RPAR": "LPAR", "RBRACE": "LBRACE"}


class Fold(NamedTuple):
    """The first and the last line of a part, counted from 1, and whether it is a comment."""

    first: int
    last: int
    comment: bool = False


def folds(document: Document) -> list[Fold]:
    """Return the parts of several lines, each once, in order."""
    every = list(tokens(document.source, comments=True))
    found = {*_statements(document), *_brackets(document.source, every), *_comments(document.source, every)}
    return sorted(fold for fold in found if fold.first < fold.last)


def _line(source: Source, offset: int) -> int:
    return source.place(offset)[0]


def _statements(document: Document) -> Iterator[Fold]:
    for statement in document.statements:
        if statement[0].type != "VARIANT":  # its braces are folded
            yield Fold(_line(document.source, statement[0].start), _line(document.source, statement[-1].end))


def _brackets(source: Source, every: list[Token]) -> Iterator[Fold]:
    """Yield the lines between brackets; the line of the closing one stays visible."""
    opened: list[Token] = []
    for token in every:
        if token.type in CLOSING.values():
            opened.append(token)
        elif token.type in CLOSING and opened and opened[-1].type == CLOSING[token.type]:
            yield Fold(_line(source, opened.pop().start), _line(source, token.start) - 1)


def _comments(source: Source, every: list[Token]) -> Iterator[Fold]:
    """Yield runs of lines that are comments only."""
    lines = [
        _line(source, token.start)
        for token in every
        if token.type == "COMMENT" and not source.text[source.start(_line(source, token.start)) : token.start].strip()
    ]
    first = None
    for line, following in pairwise([*lines, 0]):
        first = first or line
        if following != line + 1:
            yield Fold(first, line, comment=True)
            first = None
