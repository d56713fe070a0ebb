"""Hover texts in Markdown: what a word means, and the shapes of a stage."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nnspec.spec_lang.check.bind import fields_filled
from nnspec.spec_lang.check.collect import let_values, substitute
from nnspec.spec_lang.check.examination import shape_missing
from nnspec.spec_lang.check.expansion import Passage
from nnspec.spec_lang.check.expectations import quantity_of
from nnspec.spec_lang.editor.document import Document, Stage, TokenAt
from nnspec.spec_lang.editor.parts import include_text, variant_text
from nnspec.spec_lang.editor.reference import option_entry, options, values
from nnspec.spec_lang.editor.symbols import mention_at, parameters_at
from nnspec.spec_lang.report.diagnostics import Findings
from nnspec.spec_lang.source import Span, Token
from nnspec.spec_lang.syntax import tree as syntax
from nnspec.spec_lang.syntax.formula import parse_formula
from nnspec.spec_lang.syntax.grammar import merge_signs, parse_conditions, parse_sum
from nnspec.spec_lang.syntax.tree import Argument, Option, Value
from nnspec.spec_lang.vocabulary.fields import WordField, fields_of
from nnspec.spec_lang.vocabulary.registry import SECTIONS, Word, statements, words
from nnspec.spec_lang.vocabulary.shape import Shape

MAX_LISTED = 6
"""Expansions of a stage that are listed; the others are counted."""

KEYWORDS: dict[str, type] = {
    "LET": syntax.Let,
    "BLOCK": syntax.Block,
    "INCLUDE": syntax.Include,
    "VARIANT": syntax.Variant,
    "SWEEP": syntax.Sweep,
    "EXPECT": syntax.Expect,
    "REPEAT": syntax.Repeat,
}
"""The reserved words' token types and their syntax nodes, whose docstrings are their help."""


class Hover(NamedTuple):
    """A text about a span."""

    text: str
    span: Span


def hover(document: Document, offset: int) -> Hover | None:
    """Return what the token at an offset means, and the shapes of a layer; None if there is nothing to say."""
    place = document.at(offset)
    if place is None:
        return None
    parts = list(_hover_texts(document, place, offset))
    return Hover("\n\n".join(part for part in parts if part), _span(place, offset)) if any(parts) else None


def _hover_texts(document: Document, place: TokenAt, offset: int) -> Iterator[str]:
    token = place.token
    if token.type in KEYWORDS:
        if token.type == "REPEAT":
            yield _shapes(document, document.around(token.start))
        yield described(KEYWORDS[token.type])
    elif token.type in ("LPAR", "RPAR", *merge_signs()):
        yield _shapes(document, document.around(token.start))
        if token.type in merge_signs():
            yield about(words("merge")[token.text])
    elif "$" in token.text and token.type in ("VARIABLE", "COUNT"):
        yield _value_of(document, place, token.text)
    elif (found := mention_at(document, offset)) is not None and found.symbol.kind in ("let", "parameter"):
        yield _value_of(document, place, found.symbol.name)
    elif token.type in ("FORMULA", "SUM"):
        yield _formula(document, token)
    elif token.type == "CONDITION":
        yield _expected(token, offset)
    elif found is not None and found.symbol.kind == "variant":
        yield variant_text(document, found.symbol.name)
    elif found is not None and found.symbol.kind == "include":
        yield include_text(document, found)
    elif (read := place.stage()) is not None:
        yield from _stage(document, read, token, offset)


def _formula(document: Document, token: Token) -> str:
    """Return the value of a formula, where that does not depend on a block's arguments."""
    value = (
        Value("formula", parse_formula(token.text), token.span) if token.type == "FORMULA" else parse_sum(token)[1][0]
    )
    found = _computed(document, value)
    return f"`{value.text()}` is {found}" if found else f"`{value.text()}`"


def _computed(document: Document, value: Value) -> str:
    """Return the value of a variable or a formula as text, "" where it has none."""
    nothing = Findings()
    done = substitute((value,), let_values(document.known, nothing), set(), nothing.add)
    return f"**{done[0].written()}**" if done and isinstance(done[0], Value) else ""


def _expected(token: Token, offset: int) -> str:
    """Return what a metric is that is expected at an offset."""
    for condition in parse_conditions(token):
        cls = words("metric").get(quantity_of(condition.metric))
        if _covers(condition.span, offset) and cls is not None:
            return about(cls)
    return described(syntax.Expect)


def _span(place: TokenAt, offset: int) -> Span:
    """Return the span of the part of an option at the offset, or of the whole token."""
    part = _argument(place, offset) if place.token.type == "OPTION" else None
    return part or place.token.span


def _argument(place: TokenAt, offset: int) -> Span | None:
    read = place.stage()
    option = next((a for a in read.call.arguments if _covers(a.span, offset)), None) if read else None
    if not isinstance(option, Option):
        return None
    return next((v.span for v in option.values if _covers(v.span, offset)), option.name_span)


def _covers(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


def _stage(document: Document, read: Stage, token: Token, offset: int) -> Iterator[str]:
    call = read.call
    block = document.known.blocks.get(call.word)
    if token.start == call.word_span.start or token.type == "LABEL":
        yield _shapes(document, call.span)
        if call.word in SECTIONS and read.cls is None and call.word in statements():
            yield f"**{call.word}** names one of {', '.join(statements()[call.word])}"
        elif read.cls is not None:
            yield about(read.cls)
        elif block is not None:
            yield f"```nnspec\n{block.span.text}\n```"
        elif call.word == "skip":
            yield "**skip**\n\nThe input itself."
    elif read.named is not None and token.start == read.named.span.start:
        yield about(read.cls) if read.cls is not None else ""
    elif read.cls is not None:
        yield _argument_text(read.cls, read.arguments, offset)


def about(cls: type[Word]) -> str:
    """Return the help of a word, an example, its values and its options with their defaults."""
    paragraphs = [" ".join(part.split()) for part in (cls.__doc__ or "").split("\n\n")]
    example = f"```nnspec\n{cls.examples[0]}\n```" if cls.examples else ""
    listed = "\n".join(f"- {line}" for line in (*values(cls), *options(cls).values()))
    return "\n\n".join(part for part in (f"**{cls.word}**", *paragraphs, example, listed) if part)


def described(node: type) -> str:
    """Return the first paragraph of a syntax node's docstring."""
    return " ".join((node.__doc__ or "").strip().split("\n\n")[0].split())


def _argument_text(cls: type[Word], arguments: Iterable[Argument], offset: int) -> str:
    """Return the help of the option or value at an offset."""
    arguments = list(arguments)
    fields = fields_filled(cls, arguments)
    for position, argument in enumerate(arguments):
        field = fields_of(cls).get(fields.get(position, ""))
        if field is None or not _covers(argument.span, offset):
            continue
        given = argument.values if isinstance(argument, Option) else (argument,)
        value = next((value for value in given if _covers(value.span, offset)), None)
        chosen = words(field.word_kind).get(str(value.value)) if field.word_kind and value is not None else None
        return about(chosen) if chosen is not None else field_text(cls, field)
    return ""


def field_text(cls: type[Word], field: WordField) -> str:
    """Return how a field is written, its default and its meaning, in Markdown."""
    if not field.bare:
        return option_entry(cls, field)
    return f"{values(cls)[[s.name for s in fields_of(cls).values()].index(field.name)]}: {field.meaning}"


def _value_of(document: Document, place: TokenAt, written: str) -> str:
    """Return the value of `$name`, of the count `x$name`, or of a name itself."""
    name, counted = written.rpartition("$")[2], written.startswith("x$")
    if name in parameters_at(place.line):
        return f"**{name}** is a parameter of block {place.line[1].text}{' and a count here' if counted else ''}"
    let = document.known.lets.get(name)
    if let is None:
        return ""
    if let.value.kind == "formula" and (found := _computed(document, let.value)):
        return f"```nnspec\n{let.span.text}\n```\n\n{found}{' as a count' if counted else ''}"
    count = f"\n\nAs a count: `x{let.value.written()}`" if counted and let.value.kind == "int" else ""
    return f"```nnspec\n{let.span.text}\n```{count}"


def _shapes(document: Document, span: Span | None) -> str:
    """Return the shapes of a stage, a line for each expansion."""
    passages = document.passages(span) if span is not None else []
    spec = document.examined.spec
    if passages and passages[0].after is None:
        if spec is not None and spec.input is None:
            return f"The shape is not known: {shape_missing(spec).help}."
        return "The shape is not known, because of an error."
    listed = [_passage(passage) for passage in passages[:MAX_LISTED]]
    more = f"\n- … {len(passages) - MAX_LISTED} more" if len(passages) > MAX_LISTED else ""
    return "\n".join(f"- {line}" for line in listed) + more


def _passage(passage: Passage) -> str:
    arrays = {name: array for node in passage.nodes for name, array in node.parameters().items()}
    count = sum(array.size for array in arrays.values())
    flops = sum(node.flops() for node in passage.nodes)
    name = f"`{passage.nodes[0].name}` " if len(passage.nodes) == 1 else ""
    listed = ", ".join(f"{n.rpartition('/')[2]} {Shape(a.shape)}" for n, a in arrays.items())
    detail = f" ({listed})" if arrays and len(passage.nodes) == 1 else ""
    layers = f", {len(passage.nodes)} layers" if len(passage.nodes) > 1 else ""
    return f"{name}{passage.before} → **{passage.after}**{layers}, {count:,} parameters{detail}, {flops:,} FLOPs"
