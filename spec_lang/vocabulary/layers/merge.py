"""Where branches meet. Not words of their own: the signs + and | stand for them."""

from collections.abc import Sequence
from typing import ClassVar

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape

_TITLE = "the branches do not fit each other"


class Merge(Layer):
    """Several shapes into one; `called` is what the node's name begins with."""

    kind = "merge"
    called: ClassVar[str]

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The shape of the joined branches; raises Misfit where they do not fit each other."""
        return shapes[0]


class Add(Merge):
    """The sum of branches of one shape."""

    word = "+"
    called = "add"

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """Unchanged."""
        if any(tuple(shape) != tuple(shapes[0]) for shape in shapes):
            listed = " + ".join(map(str, shapes))
            message = f"Branches that are added have one shape, these have {listed}."
            raise Misfit(message, "write pad=same, or the same number of filters", _TITLE)
        return shapes[0]


class Concatenate(Merge):
    """Branches side by side along the channels."""

    word = "|"
    called = "concatenate"

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """The sum of the channels."""
        if any(tuple(shape[:-1]) != tuple(shapes[0][:-1]) for shape in shapes):
            listed = " | ".join(map(str, shapes))
            message = f"Branches that are concatenated differ in channels alone, these have {listed}."
            raise Misfit(message, "write pad=same", _TITLE)
        return Shape((*shapes[0][:-1], sum(shape[-1] for shape in shapes)), shapes[0].sequence)
