"""Text → tokens, and the tokens of one statement → its syntax tree, both defined by grammar.lark."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

from nnspec.spec_lang.limits import MAX_INTEGER, MAX_SHAPE_AXES
from nnspec.spec_lang.source import Source, Span, Token, new_tuple
from nnspec.spec_lang.syntax.automaton import END, Automaton, UnexpectedToken, tables
from nnspec.spec_lang.syntax.formula import is_sum, parse_bare, parse_formula
from nnspec.spec_lang.syntax.tree import (
    Argument,
    Block,
    Call,
    Condition,
    Expect,
    Group,
    Include,
    Let,
    Option,
    Pipeline,
    Range,
    Repeat,
    Stage,
    Statement,
    Sweep,
    Value,
    ValueKind,
    Variant,
)

VALUES: dict[str, ValueKind] = {
    "FORMULA": "formula",
    "SIZE": "size",
    "COUNT": "count",
    "RATIO": "ratio",
    "INT": "int",
    "NUMBER": "number",
    "STRING": "text",
    "VARIABLE": "variable",
    "NAME": "name",
    "PATTERN": "name",
}
"""The terminals that are values, with their kinds."""

_ARGUMENTS = {*VALUES, "OPTION"}

AFTER = {"LET": "SUM", "SWEEP": "RANGE", "EXPECT": "CONDITION"}
"""The terminals that are looked for after a reserved word alone, by its terminal: elsewhere their text is of others."""

BEFORE_PATTERNS = ("freeze", "rate")
"""The words after which names may have PATTERN's form, which elsewhere is of signs: `(relu*skip)`."""

LONGEST_KEPT = 100  # characters of an option that is cached

OUTSIDE = {
    "DOTTED": r"[A-Za-z_]\w*(\.\w+)+",
    "UNCLOSED": r'"[^"\n]*',
    "QUOTED": r"['`´‘’“”„«»][^\n'`´‘’“”„«»]*['`´‘’“”„«»]?",
    "STRAY": r"""[^ \t\f\n(){}|+*,="#'`´‘’“”„«»$][^\s(){}|+*,="#'`´‘’“”„«»$]*|[^ \t\f\n]""",
}
"""Patterns of text outside the grammar, by what it most likely is. DOTTED is tried before NAME."""


class Lexicon(NamedTuple):
    """The grammar's terminals as patterns, and the reserved words.

    `token` is for any token, `value` for a value alone, `after` for what follows a reserved word, by its terminal, and
    compiled by `_after` where one occurs; `named` for one more name of a list of layers, and the comma before it.
    """

    token: re.Pattern[str]
    value: re.Pattern[str]
    reserved: dict[str, str]
    after: dict[str, str]
    named: re.Pattern[str]


def merge_signs() -> dict[str, str]:
    """Return the terminals between the branches of a group with their signs, in the order of the grammar."""
    return tables().merges


@cache
def lexicon() -> Lexicon:
    """Return the patterns, in the order of the terminals' priorities."""
    patterns = {name: _swift(pattern) for name, pattern in tables().terminals.items()}
    reserved = {text: name for name, text in tables().texts.items() if text.isalpha()}
    apart = {*reserved.values(), *AFTER.values(), "PATTERN", "_BLANK"}
    signs = {name: pattern for name, pattern in patterns.items() if name not in apart}
    values = {name: pattern for name, pattern in patterns.items() if name in VALUES and name != "PATTERN"}
    name = signs.pop("NAME")
    dotted = OUTSIDE["DOTTED"]
    every = {**signs, "DOTTED": dotted, "NAME": name, **OUTSIDE}
    blank = patterns["_BLANK"]  # skipped with the token after it; a blank before no token is one match
    token = f"(?>{blank})?+(?:{_any_of(every)})|(?P<_BLANK>{blank})"
    plain = rf"{patterns['OPTION']}(?:{blank})?(?:[#\n}}]|\Z)"  # what is an ordinary option up to the end of its line
    after = {word: f"{blank}(?!{plain})(?P<{name}>{patterns[name]})" for word, name in AFTER.items()}
    names = {name: rf"{patterns[name]}(?![\w=:])" for name in ("PATTERN", "NAME")}
    named = re.compile(f"(?:{blank})?(?P<COMMA>,)?(?:{blank})?(?:{_any_of(names)})(?!(?:{blank})?=)")
    return Lexicon(re.compile(token), re.compile(_any_of(values)), reserved, after, named)


@cache
def _after(word: str) -> re.Pattern[str]:
    return re.compile(lexicon().after[word])


def _swift(pattern: str) -> str:
    r"""Return a pattern that matches the same in two thirds of the time.

    Its groups do not capture, and `\w*` is possessive, since no pattern continues with a letter after it.
    """
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern).replace(r"\w*", r"\w*+")


def _any_of(patterns: dict[str, str]) -> str:
    return "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items())


def tokens(source: Source, comments: bool = False) -> Iterator[Token]:
    """Yield every token of a text with newlines, and with comments if asked for; unknown text is one of OUTSIDE."""
    pattern, _, reserved, after, named = lexicon()
    ignored = {"_BLANK"} if comments else {"_BLANK", "COMMENT"}
    start: int | None = 0
    while start is not None:
        matches, start = pattern.finditer(source.text, start), None
        for match in matches:
            kind = match.lastgroup
            assert kind is not None
            if kind in ignored:
                continue
            found = match[kind]
            if kind == "NAME" and found in reserved:
                kind = reserved[found]
            yield new_tuple(Token, (kind, found, match.end() - len(found), match.end(), source))
            special = _after(kind).match(source.text, match.end()) if kind in after else None
            if special is not None and (kind != "LET" or is_sum(special["SUM"].partition("=")[2].strip())):
                name = AFTER[kind]
                yield new_tuple(Token, (name, special[name], special.start(name), special.end(), source))
                start = special.end()
                break
            if kind == "NAME" and found in BEFORE_PATTERNS:
                start = match.end()
                while one := named.match(source.text, start):
                    for kind in ("COMMA", str(one.lastgroup)):
                        if one[kind]:
                            yield new_tuple(Token, (kind, one[kind], one.start(kind), one.end(kind), source))
                    start = one.end()
                break


def parse_statement(group: Sequence[Token]) -> Statement:
    """Parse the tokens of one statement. Raises UnexpectedToken with one of them or a Token of type END."""
    try:
        return _parsed(group, calls_at_once=True)
    except UnexpectedToken:  # only the parse token by token reports everything that could follow
        return _parsed(group, calls_at_once=False)


class _CallToken(NamedTuple):
    """A word and its arguments, read before the parser sees them."""

    call: Call
    type: str = "CALL"


def _parsed(group: Sequence[Token], calls_at_once: bool) -> Statement:
    """Parse a statement token by token, or with `calls_at_once` give each word and its arguments to the parser as one.

    Most tokens of a text are arguments, and arguments occur only in calls: reading them here halves the time.
    """
    automaton = Automaton(_nodes())
    feed: Callable[[Token | _CallToken], Any] = automaton.feed
    position, end = 0, len(group)
    while position < end:
        token = group[position]
        position += 1
        if token.type != "NAME" or not calls_at_once or not automaton.fits("CALL"):
            feed(token)
            continue
        start = position - 1
        while position < end and group[position].type in _ARGUMENTS:
            position += 1
        feed(_CallToken(_call(group[start:position])))
    last = group[-1]
    made: Statement = feed(Token(END, "", last.end, last.end + 1, last.source))
    return made


def parse_token(source: Source) -> Value | None:
    """Return the value of a text that is one token, else None."""
    match = lexicon().value.fullmatch(source.text)
    return _value(Token(str(match.lastgroup), source.text, 0, len(source.text), source)) if match else None


def value_kind(text: str) -> ValueKind | None:
    """Return the kind of value that a text is, None if it is not one token of the language."""
    match = lexicon().value.fullmatch(text)
    if match is None or text in lexicon().reserved:
        return None
    return VALUES[str(match.lastgroup)]


def after_word(word: str, text: str) -> bool:
    """Return whether a text is what follows a reserved word, by its terminal, such as the conditions of an expect."""
    match = _after(word).fullmatch(text)
    return match is not None and (word != "LET" or is_sum(match["SUM"].partition("=")[2].strip()))


def is_name(text: str) -> bool:
    """Return whether a text is a name without quotes."""
    match = lexicon().value.fullmatch(text)
    return match is not None and match.lastgroup == "NAME" and text not in lexicon().reserved


def names_layers(text: str) -> bool:
    """Return whether a text is a name in a list of layers: a name, a path of names, or the beginning of one and *."""
    match = lexicon().named.fullmatch(text)
    return match is not None and not match["COMMA"]


def _meaning(kind: str, text: str) -> tuple[ValueKind, object]:
    """Return the kind and the meaning of a token. The checker reports numbers that are too large."""
    if kind in ("NAME", "PATTERN"):
        return "name", text
    match kind:
        case "INT":
            return "int", _whole(text)
        case "NUMBER":
            return "number", float(text)
        case "SIZE":
            return "size", tuple(map(_whole, text.split("x", MAX_SHAPE_AXES + 1)[: MAX_SHAPE_AXES + 1]))
        case "COUNT" if text[1] != "$":
            return "count", _whole(text[1:])
        case "RATIO":
            return "ratio", tuple(map(float, text.split("/", MAX_SHAPE_AXES)[:MAX_SHAPE_AXES]))
        case "STRING":
            return "text", text[1:-1]
        case "FORMULA":
            return "formula", parse_formula(text)
        case _:
            return "variable", text.removeprefix("x")[1:]


def _whole(digits: str) -> int:
    number = digits.lstrip("+-0")[
        : len(str(MAX_INTEGER)) + 1
    ]  # cut where it is beyond MAX_INTEGER anyway, whatever its length
    return int(f"-{number or 0}" if digits[0] == "-" else number or 0)


def _value(token: Token) -> Value:
    kind, meaning = _meaning(token.type, token.text)
    return new_tuple(Value, (kind, meaning, token.span))


def parse_option(token: Token) -> Option:
    """Parse a token of type OPTION."""
    text, start, source = token.text, token.start, token.source
    name, values = _parts(text) if len(text) <= LONGEST_KEPT else _parts.__wrapped__(text)
    found = tuple([Value(kind, means, Span(source, start + a, start + b)) for kind, means, a, b in values])
    return Option(name, Span(source, start, start + len(name)), found, token.span)


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str, list[tuple[ValueKind, object, int, int]]]:
    """Return an option's name, and its values with their offsets in the text."""
    equals = text.index("=")
    matches = lexicon().value.finditer(text, equals + 1)
    return text[:equals].rstrip(), [(*_meaning(str(m.lastgroup), m.group()), m.start(), m.end()) for m in matches]


def parse_sum(token: Token) -> tuple[str, tuple[Value, ...]]:
    """Parse a token of type SUM into the name of a let and its value."""
    name, _, text = token.text.partition("=")
    start = token.end - len(text.lstrip())
    return name.rstrip(), (Value("formula", parse_bare(text.strip()), Span(token.source, start, token.end)),)


class _Parts(NamedTuple):
    """Patterns for the parts of the terminals CONDITION and RANGE, which have numbers in them."""

    condition: re.Pattern[str]
    range: re.Pattern[str]
    more: re.Pattern[str]


@cache
def _patterns() -> _Parts:
    formula = _swift(tables().terminals["FORMULA"])
    number = rf"(?:{formula}|[^\s,%$][^\s,%]*?|\$\w+)"
    more = rf"(?P<word>step|points)\s+(?P<value>{number})(?!\S)"
    return _Parts(
        re.compile(
            rf"(?P<metric>\w+)[ \t]*(?P<sign>[<>]=?)[ \t]*(?P<value>{number})(?=[ \t]*(?:[%,]|\Z))(?P<percent>[ \t]*%)?"
        ),
        re.compile(
            rf"(?P<key>[\w.]+)\s*=\s*(?P<range>(?P<log>log\s+)?(?P<low>{number})\s*\.\.\s*(?P<high>{number})"
            rf"(?P<more>(?:\s+(?:step|points)\s+{number})*))"
        ),
        re.compile(more),
    )


def parse_conditions(token: Token) -> tuple[Condition, ...]:
    """Parse a token of type CONDITION."""
    return tuple(_condition(match, token) for match in _patterns().condition.finditer(token.text))


def _condition(match: re.Match[str], token: Token) -> Condition:
    def span(name: str | int) -> Span:
        return Span(token.source, token.start + match.start(name), token.start + match.end(name))

    value = _figure(span("value"))
    percent = match["percent"] is not None
    return Condition(match["metric"], span("metric"), match["sign"], value, percent, span(0))


def _figure(span: Span) -> Value:
    """Return the number, variable or formula at a span."""
    inner = lexicon().value.fullmatch(span.text)
    return _value(Token(str(inner.lastgroup) if inner else "NUMBER", span.text, span.start, span.end, span.source))


def parse_range(token: Token, span: Span) -> Sweep:
    """Parse a token of type RANGE into the sweep at a span."""
    match = _patterns().range.fullmatch(token.text)
    assert match is not None

    def part(found: re.Match[str], name: str, offset: int = 0) -> Span:
        start = token.start + offset
        return Span(token.source, start + found.start(name), start + found.end(name))

    more = _patterns().more.finditer(match["more"])
    said = [(m["word"], _figure(part(m, "value", match.start("more")))) for m in more]
    ends = _figure(part(match, "low")), _figure(part(match, "high"))
    meant = Range(*ends, match["log"] is not None, tuple(said), part(match, "range"))
    return Sweep(match["key"], part(match, "key"), (), span, meant)


def _over(children: Sequence[Any]) -> Span:
    """Return the span from the first of a rule's children to the last."""
    first, last = children[0].span, children[-1].span
    return new_tuple(Span, (first.source, first.start, last.end))


def _call(tokens: Sequence[Token]) -> Call:
    """Return the call that a word and its arguments make."""
    word, *rest = tokens
    arguments: tuple[Argument, ...] = tuple([parse_option(t) if t.type == "OPTION" else _value(t) for t in rest])
    return Call(word.text, word.span, arguments, _over(tokens))


@cache
def _nodes() -> dict[str, Callable[[list[Any]], Any]]:
    """Return the functions that make nodes, by the names of their rules."""
    makers = _ToSyntax()
    return {name: getattr(makers, name) for name in vars(_ToSyntax) if not name.startswith("_")}


class _ToSyntax:
    """One method for each rule: its children, Tokens and nodes, → a node."""

    def call(self, children: list[Any]) -> Call:
        first = children[0]
        return first.call if isinstance(first, _CallToken) else _call(children)

    def chosen(self, children: list[Token]) -> Call:
        (token,) = children
        return Call(token.text, token.span, (), token.span)

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
        if children[1].type == "SUM":
            return Let(*parse_sum(children[1]), _over(children))
        given = parse_option(children[1])
        return Let(given.name, given.values, _over(children))

    def sweep(self, children: list[Token]) -> Sweep:
        if children[1].type == "RANGE":
            return parse_range(children[1], _over(children))
        given = parse_option(children[1])
        return Sweep(given.name, given.name_span, given.values, _over(children))

    def expect(self, children: list[Token]) -> Expect:
        return Expect(parse_conditions(children[1]), _over(children))

    def block(self, children: list[Any]) -> Block:
        given = [child for child in children[2:-1] if child.type in ("NAME", "OPTION")]
        defaults = tuple([parse_option(child) for child in given if child.type == "OPTION"])
        named = tuple([child.text if child.type == "NAME" else parse_option(child).name for child in given])
        return Block(children[1].text, named, children[-1], _over(children), defaults)

    def include(self, children: list[Token]) -> Include:
        return Include(_value(children[1]), _over(children))

    def variant(self, children: list[Any]) -> Variant:
        statements = tuple([child for child in children[3:-1] if not isinstance(child, Token)])
        return Variant(children[1].text, statements, _over(children))
