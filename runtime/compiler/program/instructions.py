"""The instructions of a program, as values, and the one printer that makes Python of them.

Each says which arrays and variables it `reads` and `writes`, by name. `nested` gives those inside loops and
conditions too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nnspec.runtime.compiler.program.operands import Operand, Ref, Shape, Value, memory_of, operand_text

INDENTATION = "    "

TARGET_FIRST = frozenset({"np.copyto", "np.put"})
"""Functions that write their first argument; the others write `out`."""

KEYWORDS = ("axis", "keepdims", "out", "mode", "casting", "order")
"""The order in which keyword arguments are printed."""


@dataclass(frozen=True)
class Instruction:
    """One statement of a program."""

    @property
    def reads(self) -> frozenset[str]:
        """The arrays and variables whose contents it uses."""
        return frozenset()

    @property
    def writes(self) -> frozenset[str]:
        """The arrays and variables whose contents it changes."""
        return frozenset()


@dataclass(frozen=True)
class ArrayCall(Instruction):
    """A NumPy function of operands, written into `out`."""

    function: str
    operands: tuple[Value, ...]
    out: Operand
    options: tuple[tuple[str, Any], ...] = ()
    comment: str = ""

    @property
    def reads(self) -> frozenset[str]:
        """Those of its operands; what a part of an array is put into keeps the rest of its numbers."""
        return _memory(self.operands)

    @property
    def writes(self) -> frozenset[str]:
        """The array that it writes."""
        return self.out.memory


@dataclass(frozen=True)
class Fill(Instruction):
    """A number for every element of an array."""

    array: Operand
    number: Value

    @property
    def writes(self) -> frozenset[str]:
        """The array."""
        return self.array.memory


@dataclass(frozen=True)
class Assign(Instruction):
    """A Python assignment to variables, or into elements of an array or a list."""

    targets: tuple[Operand, ...]
    value: Value
    operator: str = "="
    comment: str = ""

    @property
    def reads(self) -> frozenset[str]:
        """Those of the value, and the target itself where the operator changes it."""
        return memory_of(self.value) | (self.writes if self.operator != "=" else frozenset())

    @property
    def writes(self) -> frozenset[str]:
        """The targets."""
        return _memory(self.targets)


@dataclass(frozen=True)
class Allocate(Instruction):
    """A new array of the program: of one number, or with undefined contents where `fill` is None."""

    array: Ref
    dtype: str
    fill: float | None = None

    @property
    def writes(self) -> frozenset[str]:
        """The array, where it is filled."""
        return self.array.memory if self.fill is not None else frozenset()


@dataclass(frozen=True)
class Alias(Instruction):
    """A name for a view of arrays that exist; it neither reads nor writes their numbers."""

    name: str
    view: Operand
    shape: Shape


@dataclass(frozen=True)
class Views(Instruction):
    """A view of any length, or a list of views, one for each pass of a loop; like an alias it moves no numbers."""

    target: Operand
    views: Operand


@dataclass(frozen=True)
class Effect(Instruction):
    """A Python call for its effect on a list."""

    call: Operand

    @property
    def reads(self) -> frozenset[str]:
        """Those of the call."""
        return self.call.memory


@dataclass(frozen=True)
class If(Instruction):
    """Instructions for when a condition holds."""

    condition: Operand
    body: tuple[Instruction, ...]
    comment: str = ""

    @property
    def reads(self) -> frozenset[str]:
        """Those of the condition."""
        return self.condition.memory


@dataclass(frozen=True)
class For(Instruction):
    """Instructions for each item of a list."""

    variables: tuple[Operand, ...]
    items: Value
    body: tuple[Instruction, ...]


@dataclass(frozen=True)
class Comment(Instruction):
    """A line for the reader."""

    text: str


@dataclass(frozen=True)
class Barrier(Instruction):
    """The end of a part: all lanes finish it before any goes on."""


def nested(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    """Yield every instruction, each followed by those inside it."""
    for instruction in instructions:
        yield instruction
        if isinstance(instruction, If | For):
            yield from nested(instruction.body)


def printed(instructions: Iterable[Instruction], indentation: str = "") -> Iterator[str]:
    """Yield the lines of instructions as Python."""
    for instruction in instructions:
        yield indentation + _line(instruction)
        if isinstance(instruction, If | For):
            yield from printed(instruction.body, indentation + INDENTATION)


def _line(instruction: Instruction) -> str:
    match instruction:
        case ArrayCall(comment=comment):
            return _call(instruction) + _trailing(comment)
        case Fill(array, number):
            return f"{array}.fill({operand_text(number)})"
        case Assign(targets, value, operator, comment):
            return f"{_tuple(targets)} {operator} {operand_text(value)}{_trailing(comment)}"
        case Allocate(array, dtype, fill):
            kind = dtype_text(dtype)
            new = f"empty({array.shape}, {kind})" if fill is None else f"full({array.shape}, {fill}, {kind})"
            return f"{array} = {new}"
        case Alias(name, view, shape):
            return f"{name} = {view}  # {shape}"
        case If(condition, _, comment):
            return f"if {condition}:{_trailing(comment)}"
        case For(variables, items):
            return f"for {_tuple(variables)} in {operand_text(items)}:"
        case Views(target, views):
            return f"{target} = {views}"
        case Effect(call):
            return str(call)
        case Comment(text):
            return f"# {text}"
        case Barrier():
            return "yield  # until all lanes have come here"
    raise TypeError(f"no text for {instruction}")


def dtype_text(dtype: str) -> str:
    """Return the expression of a type of numbers, by NumPy's name."""
    return "bool" if dtype == "bool" else f"np.{dtype}"


def _call(call: ArrayCall) -> str:
    arguments = list(map(operand_text, call.operands))
    keywords: dict[str, str] = {name: repr(value) for name, value in call.options}
    if call.function in TARGET_FIRST:
        arguments.insert(0, str(call.out))
    else:
        keywords["out"] = str(call.out)
    arguments += [f"{name}={keywords[name]}" for name in sorted(keywords, key=KEYWORDS.index)]
    return f"{call.function}({', '.join(arguments)})"


def _trailing(comment: str) -> str:
    return f"  # {comment}" if comment else ""


def _tuple(operands: Sequence[Operand]) -> str:
    return ", ".join(map(str, operands))


def _memory(values: Iterable[Value]) -> frozenset[str]:
    return frozenset().union(*map(memory_of, values))
