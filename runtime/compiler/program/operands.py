"""What the instructions of a program read and write: arrays, views of them, Python variables, and formulas of these.

Operands are values. `str` of one is its text in the program, `shape` the shape of the array, `memory` the names of the
arrays whose numbers it holds.

    x = Ref("x", (4, 3))
    str(x[:2].T), x[:2].T.shape      # "x[:2].T", (3, 2)
    str(x.reshape(-1))               # "x.reshape(-1)"
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from sys import maxsize
from types import EllipsisType
from typing import Any

Shape = tuple[int, ...]

Index = Any
"""What may be written between brackets: int, slice, None, ..., an operand, or a tuple of these."""

ANY_LENGTH = maxsize
"""The length of an axis that a program does not depend on."""


class Operand:
    """An array or a Python value of a program."""

    shape: Shape
    memory: frozenset[str]
    __iter__ = None  # indexing makes views; without this line Python would iterate over them without end

    def __getitem__(self, index: Index) -> "View":
        """Return a part, as NumPy's basic indexing gives it."""
        parts = index if isinstance(index, tuple) else (index,)
        text = ", ".join(map(_index_text, parts)) if parts else "()"
        return View(self, f"[{text}]", _part(self.shape, parts))

    @property
    def T(self) -> "View":
        """All axes in reversed order."""
        return View(self, ".T", self.shape[::-1])

    def reshape(self, *shape: int) -> "View":
        """Return the same numbers in another shape; one length may be -1."""
        text = ", ".join(map(str, shape)) or "()"
        if -1 in shape:
            rest = prod(self.shape) // prod(length for length in shape if length != -1)
            shape = tuple(rest if length == -1 else length for length in shape)
        return View(self, f".reshape({text})", shape)

    def transpose(self, *axes: int) -> "View":
        """Return the axes in another order."""
        return View(self, f".transpose({', '.join(map(str, axes))})", tuple(self.shape[axis] for axis in axes))

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True)
class Ref(Operand):
    """An array by its name: (*sample shape, samples), the samples innermost.

    Images are (channels, height, width, samples), sequences (time, samples, features). `symbols` says what rows of a
    single one are the one-hot form of.
    """

    name: str
    shape: Shape
    overwritable: bool = True  # by its reader
    contiguous: bool = True
    with_one: "Ref | None" = None  # the array that has one more row, of ones, after the rows of this one
    symbols: "SymbolIndices | None" = None
    memory: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        if not self.memory:
            object.__setattr__(self, "memory", frozenset({self.name}))

    def __str__(self) -> str:
        return self.name

    def kept(self) -> "Ref":
        """Return the same array, not to be overwritten."""
        return replace(self, overwritable=False)


@dataclass(frozen=True)
class View(Operand):
    """A part, another shape or another order of axes of an operand, without a name of its own."""

    base: Operand
    suffix: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.base}{self.suffix}"

    @property
    def memory(self) -> frozenset[str]:  # type: ignore[override]
        """That of what it is a view of."""
        return self.base.memory


@dataclass(frozen=True)
class Local(Operand):
    """A Python variable: a number, a list, a function, a flag."""

    name: str
    shape: Shape = ()

    def __str__(self) -> str:
        return self.name

    @property
    def memory(self) -> frozenset[str]:  # type: ignore[override]
        """Itself."""
        return frozenset({self.name})


NUMBER = Local("number")
"""The number of the lane, from 0."""


@dataclass(frozen=True)
class Formula(Operand):
    """A Python expression: a template with a `{}` for each operand."""

    template: str
    operands: tuple["Value", ...] = ()
    shape: Shape = ()

    def __str__(self) -> str:
        return self.template.format(*map(operand_text, self.operands))

    @property
    def memory(self) -> frozenset[str]:  # type: ignore[override]
        """That of all its operands."""
        return frozenset().union(*(memory_of(operand) for operand in self.operands))


Value = Operand | int | float | str
"""An operand, or a constant."""


@dataclass(frozen=True)
class SymbolIndices:
    """Symbols (time, samples) as whole numbers, whether each is known (bool), and whether all are."""

    numbers: Ref
    known: Ref
    all_known: Local


def formula(template: str, *operands: Value) -> Formula:
    """Return a Python expression of these operands, one for each `{}`."""
    return Formula(template, operands)


def expression(text: str, shape: Shape = ()) -> Formula:
    """Return a Python expression that depends on no operand."""
    return Formula(text.replace("{", "{{").replace("}", "}}"), shape=shape)


def operand_text(value: Value) -> str:
    """Return the text of an operand or a constant."""
    return str(value) if isinstance(value, Operand) else repr(value)


def memory_of(value: Value) -> frozenset[str]:
    """Return the names of the arrays and variables that a value depends on."""
    return value.memory if isinstance(value, Operand) else frozenset()


def _index_text(part: Index) -> str:
    if isinstance(part, EllipsisType):
        return "..."
    if not isinstance(part, slice):
        return str(part)
    start, stop, step = ("" if bound is None else str(bound) for bound in (part.start, part.stop, part.step))
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def _part(shape: Shape, parts: Sequence[Index]) -> Shape:
    """Return the shape of a part; an axis whose bounds only the running program knows keeps its length."""
    if not shape:
        return ()  # an element of a list
    axes = len([part for part in parts if part is not None and not isinstance(part, EllipsisType)])
    lengths, rest = [], iter(shape)
    for part in parts:
        if part is None:
            lengths.append(1)
        elif isinstance(part, EllipsisType):
            lengths += [next(rest) for _ in range(len(shape) - axes)]
        elif isinstance(part, slice):
            bounds = (part.start, part.stop, part.step)
            length = next(rest)
            known = not any(isinstance(bound, Operand) for bound in bounds)
            lengths.append(len(range(*part.indices(length))) if known else length)
        else:
            next(rest)
    return (*lengths, *rest)
