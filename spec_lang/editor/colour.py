"""The colours of a text, for Pygments and the TextMate grammar."""

import re
from collections.abc import Iterator
from enum import Enum, auto

from nnspec.spec_lang.editor.document import before_a_stage
from nnspec.spec_lang.source import Source, Span, Token
from nnspec.spec_lang.syntax.grammar import (
    OUTSIDE,
    VALUES,
    lexicon,
    parse_conditions,
    parse_option,
    parse_range,
    tokens,
)
from nnspec.spec_lang.syntax.tree import ValueKind
from nnspec.spec_lang.vocabulary.fields import TRUTH
from nnspec.spec_lang.vocabulary.registry import layers, statements


class Colour(Enum):
    """Kinds of text with different colours."""

    COMMENT = auto()
    KEYWORD = auto()  # let, block, repeat …
    STATEMENT = auto()  # optimizer, train …
    LAYER = auto()  # a layer, skip
    NAME = auto()  # a let, a block, a variant or a layer named in the spec
    OPTION = auto()
    CHOICE = auto()  # a name as a value: relu, adam
    TRUTH = auto()
    NUMBER = auto()
    STRING = auto()
    VARIABLE = auto()
    SIGN = auto()
    ERROR = auto()


NUMBERS: tuple[ValueKind, ...] = ("size", "count", "ratio", "int", "number")


def colour_spans(source: Source) -> Iterator[tuple[Span, Colour]]:
    """Yield the spans of a text with their colours, in order and without blanks, for any text."""
    painter = _Painter()
    for token in tokens(source, comments=True):
        yield from painter.paint(token)


class _Painter:
    """The state of a line: its first token, whether a word comes next, and the names so far."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start a line."""
        self.first: str | None = None
        self.word_next = True
        self.names = 0
        self.in_body = False

    def paint(self, token: Token) -> Iterator[tuple[Span, Colour]]:
        """Yield the spans of a token."""
        kind = token.type
        if kind == "_NL":
            self.begin()
        elif kind == "COMMENT":
            yield token.span, Colour.COMMENT
        elif kind == "LABEL":
            end = token.start + len(token.text[:-1].rstrip())
            yield Span(token.source, token.start, end), Colour.NAME
            yield Span(token.source, token.end - 1, token.end), Colour.SIGN
        elif kind == "OPTION":
            yield from self._option(token)
        elif kind == "SUM":
            yield from _sum(token)
        elif kind == "RANGE":
            yield from _range(token)
        elif kind == "CONDITION":
            yield from _conditions(token)
        elif kind == "NAME":
            yield token.span, self._name(token.text)
        elif kind in VALUES:
            yield token.span, _value(VALUES[kind], token.text)
        elif kind in OUTSIDE:
            yield token.span, Colour.ERROR
        elif kind in lexicon().reserved.values():
            yield token.span, Colour.KEYWORD
        else:
            yield token.span, Colour.SIGN
        self._go_on(kind)

    def _go_on(self, kind: str) -> None:
        if kind in ("_NL", "COMMENT", "LABEL"):
            return
        if kind in ("LBRACE", "RBRACE"):
            self.begin()
            return
        self.first = self.first or kind
        self.in_body = self.in_body or kind == "EQUAL"
        self.word_next = kind in before_a_stage() or (kind == "EQUAL" and self.first == "BLOCK")

    def _name(self, text: str) -> Colour:
        if self.first in ("LET", "BLOCK", "VARIANT") and not self.in_body:
            self.names += 1
            return Colour.NAME if self.names == 1 else Colour.VARIABLE
        if self.word_next:
            if self.first is None and text in statements():
                return Colour.STATEMENT
            return Colour.LAYER if text in layers() or text == "skip" else Colour.NAME
        return _value("name", text)

    def _option(self, token: Token) -> Iterator[tuple[Span, Colour]]:
        given = parse_option(token)
        yield given.name_span, Colour.NAME if self.first == "LET" else Colour.OPTION
        at = given.name_span.end
        for value in given.values:
            yield from _signs(Span(token.source, at, value.span.start))
            yield value.span, _value(value.kind, value.span.text)
            at = value.span.end


_SUM = re.compile(
    r"(?P<VARIABLE>\$\w+|\$\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))|(?P<NUMBER>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<CHOICE>\w+)|(?P<SIGN>//|\S)"
)


def _sum(token: Token) -> Iterator[tuple[Span, Colour]]:
    name = len(token.text.partition("=")[0].rstrip())
    yield Span(token.source, token.start, token.start + name), Colour.NAME
    for match in _SUM.finditer(token.text, name):
        span = Span(token.source, token.start + match.start(), token.start + match.end())
        yield span, Colour[str(match.lastgroup)]


def _range(token: Token) -> Iterator[tuple[Span, Colour]]:
    swept = parse_range(token, token.span)
    said = swept.range
    assert said is not None
    yield swept.key_span, Colour.OPTION
    yield from _signs(Span(token.source, swept.key_span.end, said.span.start))
    if said.log:
        yield Span(token.source, said.span.start, said.span.start + len("log")), Colour.CHOICE
    at = said.low.span.start
    for value in said.values():
        for match in re.finditer(r"\.\.|\w+", Span(token.source, at, value.span.start).text):
            where = Span(token.source, at + match.start(), at + match.end())
            yield where, Colour.SIGN if match.group() == ".." else Colour.CHOICE
        yield value.span, _value(value.kind, value.span.text)
        at = value.span.end


def _conditions(token: Token) -> Iterator[tuple[Span, Colour]]:
    at = token.start
    for condition in parse_conditions(token):
        metric, value = condition.metric_span, condition.value
        yield from _signs(Span(token.source, at, metric.start))
        yield metric, Colour.CHOICE
        sign = metric.source.text.index(condition.sign, metric.end)
        yield Span(token.source, sign, sign + len(condition.sign)), Colour.SIGN
        yield value.span, _value(value.kind, value.span.text)
        at = condition.span.end
        if condition.percent:
            yield Span(token.source, at - 1, at), Colour.SIGN


def _signs(between: Span) -> Iterator[tuple[Span, Colour]]:
    for offset, character in enumerate(between.text, between.start):
        if character in "=,":
            yield Span(between.source, offset, offset + 1), Colour.SIGN


def _value(kind: ValueKind, text: str) -> Colour:
    if kind in NUMBERS:
        return Colour.VARIABLE if "$" in text else Colour.NUMBER
    if kind == "name":
        return Colour.TRUTH if text in TRUTH else Colour.CHOICE
    return {"text": Colour.STRING, "variable": Colour.VARIABLE, "formula": Colour.VARIABLE}[kind]
