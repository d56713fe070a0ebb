"""The vocabulary as the parser, the formatter and the help texts need it: plain text, passed in by the caller."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


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
    """

    layers: Mapping[str, str]
    statements: Mapping[str, str]
    options: Mapping[str, Collection[str]]
    file_heads: Collection[str]
    merges: Collection[str]
    lists: Collection[str]
