"""grammar.lark at work: a text → tokens, and the tokens of one statement → its syntax.

The grammar's terminals say what a token is and its rules what a statement is; nothing here knows them a second time.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from lark import Lark, Transformer
from lark.lexer import PatternStr

from spec_lang.source import Source, Span
from spec_lang.syntax import (
    Argument,
    Block,
    Call,
    Group,
    Include,
    Kind,
    Let,
    Option,
    Pipeline,
    Repeat,
    Stage,
    Statement,
    Sweep,
    Value,
    Variant,
)
from spec_lang.word import MOST_SIZES

GRAMMAR = Path(__file__).with_name("grammar.lark")

VALUES: dict[str, Kind] = {
    "SIZE": "size",
    "COUNT": "count",
    "RATIO": "ratio",
    "INT": "int",
    "NUMBER": "number",
    "STRING": "text",
    "VARIABLE": "variable",
    "NAME": "name",
}
"""The terminals that are values, and the kinds of value they are."""

LARGEST = 2**63 - 1
LONGEST_KEPT = 100  # characters of an option that is worth remembering

OUTSIDE = {
    "DOTTED": r"[A-Za-z_]\w*(\.\w+)+",
    "UNCLOSED": r'"[^"\n]*',
    "QUOTED": r"['`´‘’“”„«»][^\n'`´‘’“”„«»]*['`´‘’“”„«»]?",
    "STRAY": r"""[^ \t\f\n(){}|+,="#'`´‘’“”„«»$][^\s(){}|+,="#'`´‘’“”„«»$]*|[^ \t\f\n]""",
}
"""What no terminal of the grammar takes, by what it most likely is; DOTTED is looked for before a NAME is."""


class Token(NamedTuple):
    """A terminal of the grammar, its text, and where it stands."""

    type: str
    text: str
    start: int
    end: int
    source: Source

    @property
    def span(self) -> Span:
        """Its place."""
        return Span(self.source, self.start, self.end)


class Lexicon(NamedTuple):
    """What the grammar's terminals make: a pattern for any token, one for a value alone, and the reserved words."""

    token: re.Pattern[str]
    value: re.Pattern[str]
    reserved: dict[str, str]


@cache
def grammar() -> Lark:
    """The grammar, making syntax as it reads."""
    text = GRAMMAR.read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", start=["start", "statement"], transformer=_ToSyntax())


@cache
def lexicon() -> Lexicon:
    """The patterns, in the order of the terminals' priorities."""
    terminals = sorted(grammar().terminals, key=lambda t: (-t.priority, -t.pattern.max_width, t.name))
    patterns = {t.name: t.pattern.to_regexp() for t in terminals}
    strings = {t.pattern.value: t.name for t in terminals if isinstance(t.pattern, PatternStr)}
    reserved = {text: name for text, name in strings.items() if text.isalpha()}
    signs = {name: pattern for name, pattern in patterns.items() if name not in reserved.values()}
    values = {name: pattern for name, pattern in patterns.items() if name in VALUES}
    name = signs.pop("NAME")
    dotted = OUTSIDE["DOTTED"]
    every = {**signs, "DOTTED": dotted, "NAME": name, **OUTSIDE}
    return Lexicon(_any_of(every), _any_of(values), reserved)


def _any_of(patterns: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items()))


def tokens(source: Source, comments: bool = False) -> Iterator[Token]:
    """Every token of a text, newlines too, comments if asked for; what the language has not is one of OUTSIDE."""
    pattern, _, reserved = lexicon()
    ignored = {"_BLANK"} if comments else {"_BLANK", "COMMENT"}
    for match in pattern.finditer(source.text):
        kind = match.lastgroup
        assert kind is not None
        if kind in ignored:
            continue
        found = match.group()
        if kind == "NAME" and found in reserved:
            kind = reserved[found]
        yield Token(kind, found, match.start(), match.end(), source)


def statement(group: Iterable[Token]) -> Statement:
    """The statement that these tokens make; raises lark's UnexpectedToken with one of them or a Token of type $END."""
    parser = grammar().parse_interactive(start="statement")
    feed = cast("Callable[[Token], Any]", parser.feed_token)
    token = None
    for token in group:
        feed(token)
    assert token is not None, "a statement has a token"
    made: Statement = feed(Token("$END", "", token.end, token.end + 1, token.source))
    return made


def single(source: Source) -> Value | None:
    """The value that a whole text is, or None where it is not one token."""
    match = lexicon().value.fullmatch(source.text)
    return _value(Token(str(match.lastgroup), source.text, 0, len(source.text), source)) if match else None


def is_name(text: str) -> bool:
    """Whether a text can stand as a name without quotes."""
    match = lexicon().value.fullmatch(text)
    return match is not None and match.lastgroup == "NAME" and text not in lexicon().reserved


def _meaning(kind: str, text: str) -> tuple[Kind, object]:
    """What a token of some terminal means. What is too large stays too large: whoever gives it a use says so."""
    match kind:
        case "INT":
            return "int", _whole(text)
        case "NUMBER":
            return "number", float(text)
        case "SIZE":
            return "size", tuple(map(_whole, text.split("x", MOST_SIZES + 1)[: MOST_SIZES + 1]))
        case "COUNT" if text[1] != "$":
            return "count", _whole(text[1:])
        case "RATIO":
            return "ratio", tuple(map(float, text.split("/", MOST_SIZES)[:MOST_SIZES]))
        case "STRING":
            return "text", text[1:-1]
        case "NAME":
            return "name", text
        case _:
            return "variable", text.removeprefix("x")[1:]


def _whole(digits: str) -> int:
    number = digits.lstrip("+-0")[: len(str(LARGEST)) + 1]  # cut where it is beyond LARGEST anyway, whatever its length
    return int(f"-{number or 0}" if digits[0] == "-" else number or 0)


def _value(token: Token) -> Value:
    return Value(*_meaning(token.type, token.text), token.span)


def option(token: Token) -> Option:
    """The option that a token of type OPTION is."""
    text, start, source = token.text, token.start, token.source
    name, values = _parts(text) if len(text) <= LONGEST_KEPT else _parts.__wrapped__(text)
    found = tuple([Value(kind, means, Span(source, start + a, start + b)) for kind, means, a, b in values])
    return Option(name, Span(source, start, start + len(name)), found, token.span)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str, list[tuple[Kind, object, int, int]]]:
    """An option's name, and its values with their places in the text."""
    equals = text.index("=")
    matches = lexicon().value.finditer(text, equals + 1)
    return text[:equals].rstrip(), [(*_meaning(str(m.lastgroup), m.group()), m.start(), m.end()) for m in matches]


def _over(children: list[Any]) -> Span:
    """From the first of a rule's children to the last."""
    first, last = children[0].span, children[-1].span
    return Span(first.source, first.start, last.end)


class _ToSyntax(Transformer[Any, Any]):
    """One method a rule: its children → a node. The children are Tokens and the nodes of the rules inside."""

    def call(self, children: list[Token]) -> Call:
        word, *rest = children
        arguments: tuple[Argument, ...] = tuple([option(t) if t.type == "OPTION" else _value(t) for t in rest])
        return Call(word.text, word.span, arguments, _over(children))

    def group(self, children: list[Any]) -> Group:
        branches = tuple([child for child in children if isinstance(child, Pipeline)])
        join = children[2].text if len(branches) > 1 else None
        return Group(branches, join, _over(children))

    def repeat(self, children: list[Any]) -> Repeat:
        return Repeat(_value(children[1]), children[2], _over(children))

    def labelled(self, children: list[Any]) -> Stage:
        label, stage = children
        named: Stage = replace(stage, label=label.text[:-1].rstrip(), span=_over(children))
        return named

    def pipeline(self, children: list[Stage]) -> Pipeline:
        return Pipeline(tuple(children), _over(children))

    def let(self, children: list[Token]) -> Let:
        given = option(children[1])
        return Let(given.name, given.values, _over(children))

    def sweep(self, children: list[Token]) -> Sweep:
        given = option(children[1])
        return Sweep(given.name, given.name_span, given.values, _over(children))

    def block(self, children: list[Any]) -> Block:
        parameters = tuple([child.text for child in children[2:-1] if child is not None and child.type == "NAME"])
        return Block(children[1].text, parameters, children[-1], _over(children))

    def include(self, children: list[Token]) -> Include:
        return Include(_value(children[1]), _over(children))

    def variant(self, children: list[Any]) -> Variant:
        statements = tuple([child for child in children[3:-1] if not isinstance(child, Token)])
        return Variant(children[1].text, statements, _over(children))
