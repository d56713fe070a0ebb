"""The syntax tree: what a spec says, before anyone asks whether it makes sense. Every node knows its place."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from nnspec.spec_lang.source import Span

ValueKind = Literal["size", "count", "ratio", "int", "number", "text", "name", "variable"]


class Value(NamedTuple):
    """An argument's value: `3x3` is a size, `x8` a count, `75/25` a ratio, `$w` a variable still to be looked up.

    A variable's `value` is its name; `x$w` is one too, and its text begins with x.
    """

    kind: ValueKind
    value: object
    span: Span

    def written(self) -> str:
        """The value as the language writes it, whatever stands at its place."""
        match self.kind, self.value:
            case "text", text:
                return f'"{text}"'
            case "size" | "ratio", tuple(parts):
                return ("x" if self.kind == "size" else "/").join(f"{part:.12g}" for part in parts)
            case "count" | "variable", value:
                return f"{'x' if self.kind == 'count' else '$'}{value}"
            case _, value:
                return str(value)


class Option(NamedTuple):
    """`name=value`, or `name=a, b` with several values."""

    name: str
    name_span: Span
    values: tuple[Value, ...]
    span: Span


Argument = Value | Option


@dataclass(frozen=True)
class Call:
    """A word and its arguments: a layer or a setting. `label` is the name a layer was given."""

    word: str
    word_span: Span
    arguments: tuple[Argument, ...]
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
    """`let name = value`: a value that is written `$name` below, or `x$name` as a count; `--set name=…` changes it.

    The parser takes one value, and tells where there are more.
    """

    name: str
    values: tuple[Value, ...]
    span: Span

    @property
    def value(self) -> Value:
        """The value."""
        return self.values[0]


@dataclass(frozen=True)
class Block:
    """`block name(a, b) = pipeline`: a part of networks, used as `name 16 3`; its layers stand below its name."""

    name: str
    parameters: tuple[str, ...]
    body: Pipeline
    span: Span


@dataclass(frozen=True)
class Include:
    """`include "file"`: another file's statements first; what follows replaces those of the same kind."""

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
    """`sweep key = a, b, c`: a grid of values to try; several sweeps multiply."""

    key: str
    key_span: Span
    values: tuple[Value, ...]
    span: Span


@dataclass(frozen=True)
class Broken:
    """A statement that could not be read: told already, so that nothing that follows from it need be told again.

    `kind` is the word it begins with, or "network"; `name` is what a let, a block or a variant was to be called.
    """

    kind: str
    name: str | None
    span: Span


Statement = Pipeline | Let | Block | Include | Variant | Sweep | Broken
