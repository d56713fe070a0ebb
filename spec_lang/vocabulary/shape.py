"""Shapes of one sample, without the batch, and what does not fit them."""

from collections.abc import Iterable
from dataclasses import dataclass


class Shape(tuple[int, ...]):
    """The sizes of one sample: (height, width, channels), (features,), (time, features) or () for a single number.

    `sequence` says that the first axis is time: dense layers then work at every step instead of flattening. `symbols`
    is how many symbols there are where the numbers are symbols, as the letters of a text.
    """

    sequence: bool
    symbols: int | None

    def __new__(cls, sizes: Iterable[int], sequence: bool = False, symbols: int | None = None) -> "Shape":
        """A shape of these sizes."""
        shape = super().__new__(cls, sizes)
        shape.sequence = sequence
        shape.symbols = symbols
        return shape

    @property
    def size(self) -> int:
        """How many numbers a sample of this shape has."""
        count = 1
        for length in self:
            count *= length
        return count

    def __str__(self) -> str:
        return "x".join(map(str, self)) if self else "1"

    def as_steps(self) -> "tuple[int, int] | None":
        """Time and features: of a sequence, and of any two axes, which a layer that reads steps takes for them."""
        return (self[0], self[1]) if len(self) == 2 else None

    def as_image(self) -> "Shape | None":
        """HxWxC; HxW is an image of one channel; None where the shape is no image."""
        if len(self) == 3:
            return self
        return Shape((*self, 1)) if len(self) == 2 and not self.sequence else None


class Misfit(Exception):
    """The bare fact that a layer does not fit a shape; the shape walk adds the place and the shapes so far.

    `title` is its headline where "the layer does not fit here" says too little.
    """

    def __init__(self, message: str, help: str | None = None, title: str | None = None):
        super().__init__(message)
        self.help = help
        self.title = title


@dataclass(frozen=True)
class Parameter:
    """An array that a layer learns or keeps: its shape and how it begins.

    `init` is an initializer's name; None takes the spec's. The fans are the number of inputs that feed one output and
    of outputs that one input feeds, as Glorot & Bengio (2010) count them.
    """

    shape: tuple[int, ...]
    fan_in: int = 1
    fan_out: int = 1
    init: str | None = None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return Shape(self.shape).size
