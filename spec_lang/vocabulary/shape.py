"""Shapes of one sample, without the batch axis, and the error of a layer that does not accept one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod


class Shape(tuple[int, ...]):
    """The sizes of one sample: (height, width, channels), (features,), (time, features) or () for a single number.

    `sequence` says that the first axis is time: dense layers then apply at every step instead of flattening. `symbols`
    is the size of the vocabulary if the values are symbols, such as the letters of a text, else None. `blocks` are the
    one-hot columns of a table, the first value and the number of values of each, such as (3, 2).
    """

    sequence: bool
    symbols: int | None
    blocks: tuple[tuple[int, int], ...]

    def __new__(
        cls,
        sizes: Iterable[int],
        sequence: bool = False,
        symbols: int | None = None,
        blocks: tuple[tuple[int, int], ...] = (),
    ) -> "Shape":
        """Return a shape of these sizes."""
        shape = super().__new__(cls, sizes)
        shape.sequence = sequence
        shape.symbols = symbols
        shape.blocks = blocks
        return shape

    @property
    def size(self) -> int:
        """The number of values in a sample of this shape."""
        count = 1
        for length in self:
            count *= length
        return count

    def __str__(self) -> str:
        return "x".join(map(str, self)) if self else "1"

    def written(self) -> str:
        """Return the shape as an input line says it: `50x3 sequence`."""
        return f"{self} sequence" if self.sequence else str(self)

    def as_steps(self) -> "tuple[int, int] | None":
        """Return (time, features) for a shape with two axes, else None."""
        return (self[0], self[1]) if len(self) == 2 else None

    def as_image(self) -> "Shape | None":
        """Return HxWxC, with one channel added to HxW; None if the shape is not an image."""
        if len(self) == 3:
            return self
        return Shape((*self, 1)) if len(self) == 2 and not self.sequence else None


def same_meaning(given: Sequence[int], wanted: Sequence[int]) -> bool:
    """Return whether a sample of one shape can be taken for one of another: the same numbers in the same order.

    It can where they differ in axes of length 1 at the end, and where one is a row and the other an image of a single
    channel: 28x28 or 784 for 28x28x1, 28x28 for 784. With more channels a row may be in another order.
    """
    first, second = _trimmed(given), _trimmed(wanted)
    if first == second:
        return True
    row, image = sorted((first, second), key=len)
    grey = len(image) == 2 and (image is first or tuple(wanted[2:]) == (1,))
    return len(row) == 1 and grey and prod(row) == prod(image)


def _trimmed(shape: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(shape)
    while sizes and sizes[-1] == 1:
        sizes = sizes[:-1]
    return sizes


def ambiguous(shape: Shape) -> bool:
    """Return whether two axes can be an image with one channel as well as time and features."""
    return len(shape) == 2 and not shape.sequence and min(shape) > 1


class Misfit(Exception):
    """Raised by a layer that does not accept a shape. The checker adds the place and the shapes so far.

    `title` replaces the default headline, "LAYER does not fit here".
    """

    def __init__(self, message: str, help: str | None = None, title: str | None = None):
        super().__init__(message)
        self.help = help
        self.title = title


@dataclass(frozen=True)
class Parameter:
    """An array of a layer: its shape and its initializer.

    `init` is the name of an initializer, None for that of the spec; `value` is the number that each element begins as,
    None where it is drawn. `fan_in` is the number of inputs of one output and
    `fan_out` the number of outputs of one input (Glorot & Bengio 2010).
    """

    shape: tuple[int, ...]
    fan_in: int = 1
    fan_out: int = 1
    init: str | None = None
    value: float | None = None

    @property
    def size(self) -> int:
        """The number of values in the array."""
        return Shape(self.shape).size
