"""What a word makes of a shape: cases to draw, from the word's own examples."""

from collections.abc import Iterator
from typing import NamedTuple

from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.registry import Word
from nnspec.spec_lang.vocabulary.shape import Misfit, Parameter, Shape

INPUTS = (
    (Shape((28, 20, 3)), Shape((28, 20, 8))),
    (Shape((24, 6), sequence=True), Shape((24, 8), sequence=True)),
    (Shape((64,)), Shape((784,))),
)
"""Samples to try an example on: images, sequences, rows; the first of each that fits is drawn."""

BRANCHES = (
    (Shape((28, 28, 8)), Shape((28, 28, 16))),
    (Shape((28, 28, 8)), Shape((8,))),
    (Shape((28, 28, 8)), Shape((28, 28, 8))),
)
"""Pairs of branches to try a merge on."""


class Case(NamedTuple):
    """A stage as a spec says it, the shapes that it takes, the shape that it returns, and what it learns."""

    text: str
    inputs: tuple[Shape, ...]
    output: Shape
    learned: dict[str, Parameter]
    window: tuple[int, ...]

    def spec(self) -> str:
        """Return the case as a spec."""
        return f"input {self.inputs[0].written()}\n{self.text}\n"


def cases(cls: type[Word]) -> Iterator[Case]:
    """Yield what an example of a layer makes of an image, of a sequence, and of a row, where it takes them.

    An input that keeps its shape is a case only where it is the first.
    """
    kept = False
    for shapes in INPUTS:
        found = next((case for shape in shapes for text in _texts(cls) if (case := _case(text, shape))), None)
        if found is None or (kept and found.output == found.inputs[0]):
            continue
        kept = True
        yield found


def merged(cls: type[Word]) -> Case:
    """Return what a merge makes of the first pair of branches that it takes."""
    assert issubclass(cls, Layer)
    for shapes in BRANCHES:
        try:
            output = cls().merged_shape(shapes)
        except Misfit:
            continue
        return Case(cls.word, shapes, output, {}, ())
    raise ValueError(f"{cls.word} takes no pair of {BRANCHES}")


def _texts(cls: type[Word]) -> tuple[str, ...]:
    return cls.examples or (cls.word,)


def _case(text: str, shape: Shape) -> Case | None:
    try:
        (node,) = check_source(Source("an example", f"input {shape.written()}\n{text}")).nodes
    except SpecError:
        return None
    window = getattr(node.layer, "window", ())
    return Case(text, (shape,), node.output_shape, node.layer.parameters(node.input_shape), tuple(window))
