"""The syntax tree: what a spec says, before anyone asks whether it makes sense. Every node knows its place."""

from dataclasses import dataclass, replace
from typing import Literal

from spec_lang.source import Span

Kind = Literal["size", "count", "ratio", "int", "number", "text", "name", "variable"]


@dataclass(frozen=True)
class Value:
    """An argument's value: `3x3` is a size, `x8` a count, `75/25` a ratio, `$width` a variable still to be looked up."""

    kind: Kind
    value: object
    span: Span


@dataclass(frozen=True)
class Option:
    """`name=value`, or `name=a,b` with several values."""

    name: str
    name_span: Span
    values: tuple[Value, ...]
    span: Span


@dataclass(frozen=True)
class Call:
    """A word and its arguments: a layer or a setting. `label` is the name a layer was given."""

    word: str
    word_span: Span
    arguments: tuple[Value | Option, ...]
    span: Span
    label: str | None = None


@dataclass(frozen=True)
class Group:
    """Pipelines in parentheses: one, or several joined by "+" (added) or "|" (concatenated)."""

    branches: tuple["Pipeline", ...]
    join: Literal["+", "|"] | None
    span: Span
    label: str | None = None


@dataclass(frozen=True)
class Repeat:
    """`repeat N ( … )`: the same text N times, with weights of its own each time."""

    count: Value
    body: Group
    span: Span
    label: str | None = None


Stage = Call | Group | Repeat


@dataclass(frozen=True)
class Pipeline:
    """Stages one after another. A line that is a single call is a pipeline too, until its word is looked up."""

    stages: tuple[Stage, ...]
    span: Span


@dataclass(frozen=True)
class Let:
    """`let name = value`."""

    name: str
    value: Value
    span: Span


@dataclass(frozen=True)
class Block:
    """`block name(a, b) = pipeline`."""

    name: str
    parameters: tuple[str, ...]
    body: Pipeline
    span: Span


@dataclass(frozen=True)
class Include:
    """`include "file"`."""

    path: Value
    span: Span


@dataclass(frozen=True)
class Variant:
    """`variant name { … }`: statements that replace or add to those above it."""

    name: str
    statements: tuple["Statement", ...]
    span: Span


@dataclass(frozen=True)
class Sweep:
    """`sweep key = a, b, c`."""

    key: str
    values: tuple[Value, ...]
    span: Span


Statement = Pipeline | Let | Block | Include | Variant | Sweep


def labelled(stage: Stage, label: str | None) -> Stage:
    """The stage under the name it was given."""
    return replace(stage, label=label)
