"""The syntax tree: the statements of a spec before any check. Every node has its span."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from nnspec.spec_lang.source import Span
from nnspec.spec_lang.syntax.formula import Formula

ValueKind = Literal["size", "count", "ratio", "int", "number", "text", "name", "variable", "formula"]


class Value(NamedTuple):
    """An argument's value: `3x3` is a size, `x8` a count, `75/25` a ratio, `$w` a variable, `$(2 * w)` a formula.

    The `value` of a variable is its name, of a formula a Formula. `x$w` is a variable whose text begins with x.
    """

    kind: ValueKind
    value: object
    span: Span

    def written(self) -> str:
        """Return the value in the syntax of the language, whatever the text of its span."""
        match self.kind, self.value:
            case "formula", Formula() as formula:
                return formula.written()
            case "text", text:
                return f'"{text}"'
            case "size" | "ratio", tuple(parts):
                return ("x" if self.kind == "size" else "/").join(f"{part:.12g}" for part in parts)
            case "count" | "variable", value:
                return f"{'x' if self.kind == 'count' else '$'}{value}"
            case _, value:
                return str(value)

    def text(self) -> str:
        """Return the value as it is written in its spec, of a formula in canonical form."""
        return self.written() if isinstance(self.value, Formula) and self.value.sound else self.span.text


class Option(NamedTuple):
    """`name=value`, or `name=a, b` with several values."""

    name: str
    name_span: Span
    values: tuple[Value, ...]
    span: Span


Argument = Value | Option


@dataclass(frozen=True)
class Call:
    """A word and its arguments: a layer or a setting. `label` is the name in front of it, if any.

    The `word` of a stage that is a variable, such as `-> $act`, begins with $.
    """

    word: str
    word_span: Span
    arguments: tuple[Argument, ...]
    span: Span
    label: str | None = None


@dataclass(frozen=True)
class Group:
    """Pipelines in parentheses: one, or several joined by the sign of a merge, such as "+"."""

    branches: tuple["Pipeline", ...]
    join: str | None
    span: Span
    label: str | None = None


@dataclass(frozen=True)
class Repeat:
    """`repeat N ( … )`: the same layers N times, each time with separate weights."""

    count: Value
    body: Group
    span: Span
    label: str | None = None


Stage = Call | Group | Repeat


@dataclass(frozen=True)
class Pipeline:
    """Stages in sequence. A setting is a pipeline of one call until the checker looks up its word."""

    stages: tuple[Stage, ...]
    span: Span


@dataclass(frozen=True)
class Let:
    """`let name = value`: a value to use below as `$name`, or as a count `x$name`; `--set name=…` changes it.

    The parser reports a let with several values.
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
    """`block name(a, b=3) = pipeline`: a part of a network, used as `name 16` or `name 16 b=5`; its name prefixes its
    layers'.
    """

    name: str
    parameters: tuple[str, ...]
    body: Pipeline
    span: Span
    defaults: tuple[Option, ...] = ()

    def heading(self) -> str:
        """Return the name and the parameters with their defaults, as in `res(w, act=relu)`."""
        given = {option.name: option.values for option in self.defaults}
        texts = [
            f"{name}={','.join(value.text() for value in given[name])}" if name in given else name
            for name in self.parameters
        ]
        return f"{self.name}({', '.join(texts)})"


@dataclass(frozen=True)
class Include:
    """`include "file"`: the statements of another file; later statements of the same kind replace them."""

    path: Value
    span: Span


@dataclass(frozen=True)
class Variant:
    """`variant name { … }`: statements that replace those of the same kind above, or add to them.

    `variant tiny from small { … }` begins with those of another variant, whose name and place are `parent`.
    """

    name: str
    statements: tuple["Statement", ...]
    span: Span
    parent: tuple[str, Span] | None = None


class Range(NamedTuple):
    """`log 1e-4..1e-1 points 5`: the numbers between two ends; `more` are `step` and `points` with their numbers."""

    low: Value
    high: Value
    log: bool
    more: tuple[tuple[str, Value], ...]
    span: Span

    def values(self) -> tuple[Value, ...]:
        """Return all its numbers, in the order of the text."""
        return (self.low, self.high, *(value for _, value in self.more))

    @property
    def step(self) -> Value | None:
        """The distance between two numbers."""
        return dict(self.more).get("step")

    @property
    def points(self) -> Value | None:
        """How many numbers make a grid."""
        return dict(self.more).get("points")

    def written(self) -> str:
        """Return the range in canonical form."""
        more = "".join(f" {word} {value.text()}" for word, value in self.more)
        return f"{'log ' * self.log}{self.low.text()}..{self.high.text()}{more}"


@dataclass(frozen=True)
class Sweep:
    """`sweep key = a, b, c`: a grid of values to try; several sweeps multiply. `sweep key = log 1e-4..1e-1` is a
    range in which a search chooses.

    A range has no values.
    """

    key: str
    key_span: Span
    values: tuple[Value, ...]
    span: Span
    range: Range | None = None

    def written(self) -> str:
        """Return what is on the right of the equals sign, in canonical form."""
        return self.range.written() if self.range is not None else ", ".join(v.text() for v in self.values)


class Condition(NamedTuple):
    """`accuracy >= 95 %`: a metric, a sign of comparison and a number, which `percent` says is in per cent."""

    metric: str
    metric_span: Span
    sign: str
    value: Value
    percent: bool
    span: Span

    def written(self) -> str:
        """Return the condition in canonical form."""
        return f"{self.metric} {self.sign} {self.value.text()}{' %' if self.percent else ''}"


@dataclass(frozen=True)
class Expect:
    """`expect accuracy >= 95 %`: what a run has to reach. A run that misses it ends with exit 1.

    The metric is that of the test split, else of the validation split.
    """

    conditions: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True)
class Broken:
    """A statement with a syntax error. It is already reported, so errors that follow from it are not.

    `kind` is the word it begins with, or "network"; `name` is the name of a let, a block or a variant.
    """

    kind: str
    name: str | None
    span: Span


Statement = Pipeline | Let | Block | Include | Variant | Sweep | Expect | Broken
