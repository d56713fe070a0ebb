"""Inlay hints: the shape after each stage, and the parameters of a line at its end."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nnspec.spec_lang.check.elaborate import Passage
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.source import Span

MOST_SHAPES = 2
"""Different shapes that are shown after a stage of a block or a repeat; more are an ellipsis."""


class Hint(NamedTuple):
    """A text that an editor shows at an offset, and what it means."""

    offset: int
    text: str
    about: str


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """Return the hints in a range of the document, in order; none where shapes are not known."""
    found = [*_shapes(document), *_parameters(document)]
    return sorted((hint for hint in found if start <= hint.offset <= end), key=lambda hint: hint.offset)


def _shapes(document: Document) -> Iterator[Hint]:
    for span, passages in document.expansions():
        known = dict.fromkeys(str(passage.after) for passage in passages if passage.after is not None)
        if known:
            shown = ", ".join(list(known)[:MOST_SHAPES]) + (", …" if len(known) > MOST_SHAPES else "")
            yield Hint(span.end, shown, "the shape of one sample after this")


def _parameters(document: Document) -> Iterator[Hint]:
    """Yield the parameters of each line: those of the layers that end there, in all their expansions."""
    counts: dict[int, int] = {}
    for span, passages in _calls(document.expansions()):
        line, _ = document.source.place(span.end)
        counts[line] = counts.get(line, 0) + sum(_size(passage) for passage in passages)
    for line, count in counts.items():
        if count:
            end = document.source.start(line) + len(document.source.line(line))
            noun = "parameter" if count == 1 else "parameters"
            yield Hint(end, f"{count:,} {noun}", "what the layers of this line learn, in every use and repeat")


def _calls(expansions: Iterable[tuple[Span, list[Passage]]]) -> Iterator[tuple[Span, list[Passage]]]:
    """Yield the stages that contain no other stage."""
    last: tuple[Span, list[Passage]] | None = None
    for span, passages in sorted(expansions, key=lambda found: (found[0].end, -found[0].start)):
        if last is None or span.start > last[0].start:
            yield span, passages
            last = span, passages


def _size(passage: Passage) -> int:
    return sum(array.size for node in passage.nodes for array in node.parameters().values())
