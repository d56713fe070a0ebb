"""Inlay hints: the shape after each stage, and the parameters of a line at its end."""

from collections.abc import Iterator
from typing import NamedTuple

from nnspec.spec_lang.check.expansion import Passage
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.source import Source, Span

MOST_SHAPES = 2
"""Different shapes that are shown after a stage of a block or a repeat; more are an ellipsis."""


class Hint(NamedTuple):
    """A text that an editor shows at an offset, and what it means."""

    offset: int
    text: str
    about: str


Expansions = list[tuple[Span, list[Passage]]]


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """Return the hints in a range of the document, in order; none where shapes are not known."""
    first, last = document.source.place(start)[0], document.source.place(end)[0]
    start, end = document.source.start(first), document.source.end(last)
    found = [(span, passages) for span, passages in document.expansions() if start <= span.end <= end]
    return sorted([*_shapes(found), *_parameters(document.source, found)], key=lambda hint: hint.offset)


def shapes_after(passages: list[Passage]) -> str:
    """Return the different shapes after a stage, "" where they are not known."""
    known = list(dict.fromkeys(str(passage.after) for passage in passages if passage.after is not None))
    return ", ".join(known[:MOST_SHAPES]) + (", …" if len(known) > MOST_SHAPES else "")


def parameters_by_line(source: Source, found: Expansions) -> dict[int, int]:
    """Return the parameters of each line: those of the layers that end there, in all their expansions."""
    counts: dict[int, int] = {}
    for span, passages in _calls(found):
        line, _ = source.place(span.end)
        counts[line] = counts.get(line, 0) + sum(_size(passage) for passage in passages)
    return counts


def _shapes(found: Expansions) -> Iterator[Hint]:
    for span, passages in found:
        if shown := shapes_after(passages):
            yield Hint(span.end, shown, "the shape of one sample after this")


def _parameters(source: Source, found: Expansions) -> Iterator[Hint]:
    for line, count in parameters_by_line(source, found).items():
        if count:
            noun = "parameter" if count == 1 else "parameters"
            yield Hint(source.end(line), f"{count:,} {noun}", "what the layers of this line learn, in every use")


def _calls(found: Expansions) -> Iterator[tuple[Span, list[Passage]]]:
    """Yield the stages that contain no other stage."""
    innermost = -1
    for span, passages in sorted(found, key=lambda one: (one[0].end, -one[0].start)):
        if span.start > innermost:
            yield span, passages
            innermost = span.start


def _size(passage: Passage) -> int:
    return sum(array.size for node in passage.nodes for array in node.parameters().values())
