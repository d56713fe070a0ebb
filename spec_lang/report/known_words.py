"""The vocabulary as the parser, the formatter and the help texts need it: plain data, passed in by the caller."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class KnownMarker(Protocol):
    """The kinds of value that fill a field without its name, and an example of one."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of value."""

    @property
    def example(self) -> str:
        """The example."""


class KnownField(Protocol):
    """An argument of a word: what it accepts, as `vocabulary.fields.WordField` declares it."""

    @property
    def name(self) -> str:
        """The name in specs."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of value that it accepts."""

    @property
    def choices(self) -> tuple[str, ...]:
        """The names that it accepts, empty for any."""

    @property
    def bare(self) -> KnownMarker | None:
        """The marker of a field that is written without a name, None for an option."""

    @property
    def collects(self) -> bool:
        """Whether several names make one value."""

    @property
    def several(self) -> bool:
        """Whether it is an option of several values, `name=a, b`."""

    @property
    def alone(self) -> object:
        """What its name alone stands for, None if it needs a value."""

    @property
    def required(self) -> bool:
        """Whether it has no default."""


Fields = Mapping[str, KnownField]
"""The fields of a word by name."""


def _no_fields(word: str) -> Mapping[str, Fields]:
    return {}


@dataclass(frozen=True)
class KnownWords:
    """The words of the language, without what they mean.

    Arguments:
        layers: each layer with a line that shows how it is written.
        statements: each statement but the network with a line that shows how it is written.
        options: the names of each statement's options, of all words that it can name.
        file_heads: the statements at the head of a file, such as `network` and `input`.
        merges: the signs between the branches of a group.
        lists: the statements whose arguments are one list, such as `metrics accuracy, f1`.
        metrics: each metric and `loss`: whether a larger value is better, and the largest that it can have.
        fields_of: the fields of a layer or statement by the words that it can name: {"adam": {"lr": …}, …} for
            `optimizer`, {"conv": {…}} for `conv`. Asked only where a statement has an error.
    """

    layers: Mapping[str, str]
    statements: Mapping[str, str]
    options: Mapping[str, Collection[str]]
    file_heads: Collection[str]
    merges: Collection[str]
    lists: Collection[str]
    metrics: Mapping[str, tuple[bool, float]] = field(default_factory=dict)
    fields_of: Callable[[str], Mapping[str, Fields]] = _no_fields
