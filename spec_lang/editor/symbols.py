"""The symbols that a spec defines, and all their mentions.

They are found among the tokens, so that a syntax error hides none of them.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from nnspec.spec_lang.check.include import included_path
from nnspec.spec_lang.editor.document import Document, is_word, stage_around
from nnspec.spec_lang.source import Source, Span, Token
from nnspec.spec_lang.syntax.formula import Formula, parse_formula
from nnspec.spec_lang.syntax.grammar import parse_conditions, parse_option, parse_range, parse_sum
from nnspec.spec_lang.syntax.lines import variant_heading
from nnspec.spec_lang.syntax.tree import Value
from nnspec.spec_lang.vocabulary.markers import EarlierLayer, marker
from nnspec.spec_lang.vocabulary.registry import layers


class Symbol(NamedTuple):
    """A let, a block, a block's parameter, a variant, or a named layer.

    `home` distinguishes symbols with the same name: the block of a parameter, the span of a layer.
    """

    kind: Literal["let", "block", "parameter", "variant", "layer", "include"]
    name: str
    home: object = None


class Mention(NamedTuple):
    """A mention of a symbol, and whether it is the definition."""

    symbol: Symbol
    span: Span
    defines: bool = False


@lru_cache(maxsize=16)
def mentions(document: Document) -> list[Mention]:
    """Return every mention in a document and in the texts that it includes."""
    every = [line for source in document.sources for line in _lines(document, source)]
    blocks = {line[1].text: parameters_at(line) for line in every if _is_heading(line, "BLOCK")}
    return [mention for line in every for mention in _in_statement(line, blocks)]


def mention_at(document: Document, offset: int) -> Mention | None:
    """Return the mention at an offset of the document itself."""
    found = (m for m in mentions(document) if m.span.source is document.source)
    return next((m for m in found if m.span.start <= offset <= m.span.end), None)


def definitions(document: Document, offset: int) -> list[Span]:
    """Return the spans that define the symbol at an offset; for an include the start of the file."""
    found = mention_at(document, offset)
    if found is None:
        return []
    if found.symbol.kind == "include":
        return [Span(source, 0, 0) for source in document.sources if is_asked_for(found, source)]
    return [m.span for m in mentions(document) if m.symbol == found.symbol and m.defines]


def references(document: Document, offset: int, includers: Sequence[Document] = ()) -> list[Mention]:
    """Return all mentions of the symbol at an offset: in the text, in what it includes, in documents that include it.

    Each place is there once.
    """
    found = mention_at(document, offset)
    if found is None:
        return []
    every = (m for around in (document, *includers) for m in mentions(around) if m.symbol == found.symbol)
    places: dict[object, Mention] = {}
    for mention in every:
        places.setdefault((path_of(mention.span.source), mention.span.start, mention.span.end), mention)
    return list(places.values())


def path_of(source: Source) -> Path:
    """Return the resolved path of a document or of a text that one includes."""
    return (included_path(source) if source.included is not None else Path(source.name)).resolve()


def is_asked_for(include: Mention, source: Source) -> bool:
    """Return whether an include names a text."""
    asked = (include.span.source.folder or Path()).resolve() / include.symbol.name
    return source.included is not None and str(included_path(source)) == os.path.normpath(asked)


def parameters_at(line: Sequence[Token]) -> list[str]:
    """Return the parameters of the block that a statement defines, none if it defines no block."""
    return [token.text for token in _parameters(line)]


def _parameters(line: Sequence[Token]) -> list[Token]:
    if not _is_heading(line, "BLOCK"):
        return []
    end = next((i for i, token in enumerate(line) if token.type in ("RPAR", "EQUAL")), len(line))
    return [_name_of(token) for token in line[2:end] if token.type in ("NAME", "OPTION")]


def _name_of(token: Token) -> Token:
    """Return a parameter's token, of one with a default the part with its name."""
    if token.type == "NAME":
        return token
    name = parse_option(token).name
    return Token("NAME", name, token.start, token.start + len(name), token.source)


def _is_heading(line: Sequence[Token], kind: str) -> bool:
    return [token.type for token in line[:2]] == [kind, "NAME"]


def _lines(document: Document, source: Source) -> list[list[Token]]:
    if source is document.source:
        return document.statements
    return Document(source).statements


def _in_statement(line: Sequence[Token], blocks: Mapping[str, Sequence[str]]) -> Iterator[Mention]:
    first = line[0]
    parameters = {token.text: Symbol("parameter", token.text, line[1].text) for token in _parameters(line)}
    heading = 0
    named: dict[str, Symbol] = {}  # the layers with names of their own so far
    if _is_heading(line, "VARIANT"):
        yield Mention(Symbol("variant", line[1].text), line[1].span, True)
        if variant_heading(line) == 5:
            yield Mention(Symbol("variant", line[3].text), line[3].span)
        return
    if _is_heading(line, "BLOCK"):
        yield Mention(Symbol("block", line[1].text), line[1].span, True)
        yield from (Mention(parameters[token.text], token.span, True) for token in _parameters(line))
        heading = next((i for i, token in enumerate(line) if token.type == "RPAR"), len(line))
    for index, token in enumerate(line):
        if index < heading:
            continue
        match token.type:
            case "STRING" if first.type == "INCLUDE":
                yield Mention(Symbol("include", token.text[1:-1]), token.span)
            case "LABEL":
                name = token.text[:-1].rstrip()
                span = Span(token.source, token.start, token.start + len(name))
                named[name] = Symbol("layer", name, span)
                yield Mention(named[name], span, True)
            case "NAME" if token.text in blocks and is_word(line, index):
                yield Mention(Symbol("block", token.text), token.span)
            case "VARIABLE" | "COUNT" if "$" in token.text:
                yield _variable(token.text, token.span, parameters)
            case "RANGE":
                yield from _range(token, parameters)
            case "CONDITION":
                for condition in parse_conditions(token):
                    yield from _in_value(condition.value, parameters)
            case "SUM":
                name, (value,) = parse_sum(token)
                yield Mention(Symbol("let", name), Span(token.source, token.start, token.start + len(name)), True)
                yield from _in_value(value, parameters)
            case "FORMULA":
                yield from _in_value(Value("formula", parse_formula(token.text), token.span), parameters)
            case "OPTION":
                yield from _option(line, index, parameters, blocks)
                yield from _earlier_layer(line, index, named)


def _option(
    line: Sequence[Token], index: int, parameters: Mapping[str, Symbol], blocks: Mapping[str, Sequence[str]]
) -> Iterator[Mention]:
    given = parse_option(line[index])
    if line[0].type == "LET" and index == 1:
        yield Mention(Symbol("let", given.name), given.name_span, True)
    elif line[0].type == "SWEEP" and index == 1:
        if "." not in given.name:
            yield Mention(Symbol("let", given.name), given.name_span)
    else:
        begin = stage_around(line, index)
        word = line[min(begin + (line[begin].type == "LABEL"), index)].text
        if given.name in blocks.get(word, ()):
            yield Mention(Symbol("parameter", given.name, word), given.name_span)
    for value in given.values:
        yield from _in_value(value, parameters)


def _earlier_layer(line: Sequence[Token], index: int, named: Mapping[str, Symbol]) -> Iterator[Mention]:
    """Yield the layer whose name is the value of an option such as `as=first`."""
    given = parse_option(line[index])
    begin = stage_around(line, index)
    cls = layers().get(line[min(begin + (line[begin].type == "LABEL"), index)].text)
    info = cls.fields().get(given.name) if cls is not None else None
    if info is not None and marker(info, EarlierLayer) is not None and str(given.values[0].value) in named:
        value = given.values[0]
        quote = value.kind == "text"
        span = Span(value.span.source, value.span.start + quote, value.span.end - quote)
        yield Mention(named[str(value.value)], span)


def _range(token: Token, parameters: Mapping[str, Symbol]) -> Iterator[Mention]:
    swept = parse_range(token, token.span)
    if "." not in swept.key:
        yield Mention(Symbol("let", swept.key), swept.key_span)
    for value in swept.range.values() if swept.range is not None else ():
        yield from _in_value(value, parameters)


def _in_value(value: Value, parameters: Mapping[str, Symbol]) -> Iterator[Mention]:
    """Yield the mentions in a value: of `$name`, and of the names in a formula."""
    if value.kind == "variable":
        yield _variable(value.span.text, value.span, parameters)
    elif isinstance(value.value, Formula):
        source, start = value.span.source, value.span.start
        for name in value.value.names():
            span = Span(source, start + name.start, start + name.end)
            yield Mention(parameters.get(name.name, Symbol("let", name.name)), span)


def _variable(text: str, span: Span, parameters: Mapping[str, Symbol]) -> Mention:
    """Return the mention in `$name` or `x$name`: of a parameter of the block around it, else of a let."""
    name = text.partition("$")[2]
    return Mention(parameters.get(name, Symbol("let", name)), Span(span.source, span.end - len(name), span.end))
