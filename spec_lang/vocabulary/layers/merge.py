"""Merges, which join branches. They are written as the signs between the branches."""

from collections.abc import Sequence
from typing import ClassVar

from nnspec.spec_lang.vocabulary.bases import Layer
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape

_TITLE = "the branches do not fit each other"


class Merge(Layer):
    """A layer with several inputs; `called` is the prefix of its name in the network."""

    kind = "merge"
    called: ClassVar[str]


class Add(Merge):
    """The sum of branches with equal shapes."""

    word = "+"
    called = "add"
    mixes_samples = False
    mixes_steps = False

    def unbounded(self) -> bool | None:
        """If the inputs are."""
        return None

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """Return the shape of the branches."""
        if any(tuple(shape) != tuple(shapes[0]) for shape in shapes):
            listed = " + ".join(map(str, shapes))
            message = f"Branches that are added must have the same shape; these have {listed}."
            raise Misfit(message, "write pad=same, or the same number of filters", _TITLE)
        return shapes[0]


class Concatenate(Merge):
    """The branches concatenated along the channels."""

    word = "|"
    called = "concatenate"
    mixes_samples = False
    mixes_steps = False

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """Return the shape with the channels of all branches."""
        if any(tuple(shape[:-1]) != tuple(shapes[0][:-1]) for shape in shapes):
            listed = " | ".join(map(str, shapes))
            message = f"Branches that are concatenated may differ only in channels; these have {listed}."
            raise Misfit(message, "write pad=same", _TITLE)
        return Shape((*shapes[0][:-1], sum(shape[-1] for shape in shapes)), shapes[0].sequence)


class Multiply(Merge):
    """The product of branches, number by number. A row of C numbers scales the C channels of an HxWxC or TxC branch
    (gates; squeeze and excitation, Hu et al. 2018)."""

    word = "*"
    called = "multiply"
    mixes_samples = False
    mixes_steps = False

    def merged_shape(self, shapes: Sequence[Shape]) -> Shape:
        """That of the branches that are not rows of channels."""
        whole = max(shapes, key=len)
        channels = whole[-1:] if len(whole) == 3 or whole.sequence else tuple(whole)
        if any(tuple(shape) not in (tuple(whole), channels) for shape in shapes):
            listed = " * ".join(map(str, shapes))
            message = (
                f"Branches that are multiplied have one shape, or one number for each channel; these have {listed}."
            )
            raise Misfit(message, "write pad=same, or the same number of filters", _TITLE)
        return whole
