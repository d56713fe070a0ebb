"""The outline of a document: its statements, and the stages, blocks and variants inside them."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.tree import (
    Block,
    Broken,
    Call,
    Expect,
    Group,
    Include,
    Let,
    Pipeline,
    Repeat,
    Stage,
    Statement,
    Sweep,
    Variant,
)
from nnspec.spec_lang.vocabulary.registry import statements

EntryKind = Literal[
    "network", "layer", "group", "let", "block", "variant", "sweep", "expect", "setting", "include", "broken"
]

LONGEST = 60  # characters of a detail


class Entry(NamedTuple):
    """A part of a document: its name, more about it, its span, the span of its name, and the parts inside it."""

    name: str
    kind: EntryKind
    detail: str
    span: Span
    named: Span
    parts: tuple["Entry", ...] = ()


def outline(document: Document) -> list[Entry]:
    """Return the parts of the document itself, in order."""
    _, tree = document.reading.parsed[0] if document.reading.parsed else (None, ())
    return [_statement(document, statement) for statement in tree]


def _statement(document: Document, statement: Statement) -> Entry:
    span = statement.span
    match statement:
        case Let():
            return Entry(statement.name, "let", statement.value.span.text, span, _within(span, statement.name))
        case Block():
            heading = statement.heading().removeprefix(statement.name)
            parts = tuple(_stages(document, statement.body))
            return Entry(statement.name, "block", heading, span, _within(span, statement.name), parts)
        case Include():
            return Entry(str(statement.path.value), "include", "", span, statement.path.span)
        case Sweep():
            return Entry(statement.key, "sweep", _short(statement.written()), span, statement.key_span)
        case Expect(conditions=conditions):
            written = ", ".join(condition.written() for condition in conditions)
            return Entry("expect", "expect", _short(written), span, Span(span.source, span.start, span.start + 6))
        case Variant():
            inside = tuple(_statement(document, part) for part in statement.statements)
            return Entry(statement.name, "variant", "", span, _within(span, statement.name), inside)
        case Broken():
            name = statement.name or span.text.partition(" ")[0] or statement.kind
            return Entry(name[:LONGEST], "broken", "a syntax error", span, _within(span, name))
        case Pipeline(stages=(Call(label=None) as call,)) if call.word in statements():
            return Entry(call.word, "setting", _short(_rest(call)), span, call.word_span)
        case Pipeline():
            return Entry("network", "network", _short(span.text), span, span, tuple(_stages(document, statement)))


def _stages(document: Document, pipeline: Pipeline) -> Iterator[Entry]:
    for stage in pipeline.stages:
        yield _stage(document, stage)


def _stage(document: Document, stage: Stage) -> Entry:
    passages = document.passages(stage.span)
    shapes = dict.fromkeys(str(passage.after) for passage in passages if passage.after is not None)
    after = f"→ {next(iter(shapes))}" if len(shapes) == 1 else ""
    if isinstance(stage, Call):
        name = f"{stage.label}: {stage.word}" if stage.label is not None else stage.word
        detail = " ".join(part for part in (_short(_rest(stage)), after) if part)
        return Entry(name, "layer", detail, stage.span, stage.word_span)
    group = stage.body if isinstance(stage, Repeat) else stage
    name = f"repeat {stage.count.span.text}" if isinstance(stage, Repeat) else _join(group)
    name = f"{stage.label}: {name}" if stage.label is not None else name
    return Entry(name, "group", after, stage.span, stage.span, tuple(_branches(document, group.branches)))


def _branches(document: Document, branches: Iterable[Pipeline]) -> Iterator[Entry]:
    for branch in branches:
        yield from _stages(document, branch)


def _join(group: Group) -> str:
    return f"( {group.join} )" if group.join is not None else "( )"


def _rest(call: Call) -> str:
    return Span(call.span.source, call.word_span.end, call.span.end).text


def _short(text: str) -> str:
    """Return a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _within(span: Span, name: str) -> Span:
    """Return the span of a name after the first word of a statement, the statement itself if it is not there."""
    start = span.text.find(name, span.text.find(" ") + 1 if " " in span.text else 0)
    return Span(span.source, span.start + start, span.start + start + len(name)) if start >= 0 else span
