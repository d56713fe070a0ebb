"""A network as calls of C kernels over arrays, before it is text: what the layers write and the file is made from."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.c.kernels import definitions
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.memory import Lifetime, MemoryPlan, plan_memory
from nnspec.spec_lang.vocabulary.shape import Shape

Kind = Literal["float", "int8_t"]
"""The type of the numbers of an array."""

BYTES = {"float": 4, "int8_t": 1, "int16_t": 2, "int32_t": 4, "float32": 4}
"""The size of one number, by its type in C."""

_TYPES = {"float32": "float", "float64": "float", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t"}

_NOT_A_WORD = re.compile(r"[^0-9A-Za-z_]+")


class Quantum(NamedTuple):
    """How an int8 q stands for a number: (q − zero) · scale."""

    scale: float
    zero: int


UNSCALED = Quantum(1.0, 0)
"""That of arrays that are not int8."""


@dataclass(eq=False)
class Room:
    """An array of one sample while the network runs. `place` is where it is: planned memory, or an argument.

    `steps` are the numbers of the first and the last call that uses it. `quantum` is that of an int8_t array.
    """

    name: str
    size: int
    kind: Kind = "float"
    place: Literal["arena", "input", "output"] = "arena"
    steps: tuple[int, int] | None = None
    quantum: Quantum = UNSCALED

    @property
    def bytes(self) -> int:
        """Its memory."""
        return self.size * BYTES[self.kind]


@dataclass(frozen=True)
class Part:
    """An array from one of its numbers on."""

    room: Room
    start: int


Argument = Room | Part | str | int | float
"""Of a call: an array, an expression or a number."""


@dataclass(frozen=True)
class Call:
    """One call of a kernel. `comment` is above it, empty where it belongs to the call before."""

    kernel: str
    arguments: tuple[Argument, ...]
    comment: str


@dataclass(frozen=True)
class Constant:
    """A constant: an array of numbers, or a struct with named fields. `bytes` are those that it takes in flash."""

    name: str
    type: str
    value: Array | Mapping[str, int | str]

    @property
    def bytes(self) -> int:
        """Its memory; a struct is of ints, and of addresses, of four bytes."""
        if isinstance(self.value, np.ndarray):
            return self.value.size * BYTES[self.type]
        return 4 * len(self.value)


@dataclass
class Program:
    """The calls in their order, the constants and the arrays that they use.

    `prefix` begins the name of every constant, so that several programs can be in one file.
    """

    prefix: str = ""
    calls: list[Call] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    count_padding: bool = False
    """Whether a call needs the number of padded steps of the sample, the variable `padding`."""
    remaining: Counter[Room] = field(default_factory=Counter)
    """How many nodes are still to read each array."""
    _names: set[str] = field(default_factory=lambda: {"arena", "input", "output", "padding", *definitions()})
    _known: dict[tuple[Any, ...], str] = field(default_factory=dict)
    _comment: str = ""

    @property
    def arena(self) -> str:
        """The name of the memory of all arrays."""
        return f"{self.prefix}arena"

    def identifier(self, wish: str) -> str:
        """Return an identifier like the wish that nothing else in the file has."""
        base = identifier(f"{self.prefix}{wish}")
        name, number = base, 2
        while name in self._names:
            name, number = f"{base}_{number}", number + 1
        self._names.add(name)
        return name

    def comment(self, text: str) -> None:
        """Set the comment of the next call."""
        self._comment = text

    def call(self, kernel: str, *arguments: Argument) -> None:
        """Append a call."""
        step = len(self.calls)
        for argument in arguments:
            room = argument.room if isinstance(argument, Part) else argument
            if isinstance(room, Room):
                first, _ = room.steps or (step, step)
                room.steps = (first, step)
        self.calls.append(Call(kernel, arguments, self._comment))
        self._comment = ""

    def room(self, wish: str, size: int, kind: Kind = "float") -> Room:
        """Return a new array."""
        room = Room(self.identifier(wish), size, kind)
        self.rooms.append(room)
        return room

    def constant(self, wish: str, values: Any) -> str:
        """Return the name of a constant array; equal arrays are one.

        Raises ExchangeError for numbers that are NaN or infinite.
        """
        array = np.ascontiguousarray(values)
        kind = _TYPES[array.dtype.name]
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
            if not np.isfinite(array).all():
                raise ExchangeError(f"{wish.replace('_', '/', 1)} has a number that is NaN or infinite in float32")
        key = (kind, array.tobytes())
        if key not in self._known:
            self._known[key] = self.identifier(wish)
            self.constants.append(Constant(self._known[key], kind, array.reshape(-1)))
        return self._known[key]

    def struct(self, wish: str, kind: str, fields: Mapping[str, int | str]) -> str:
        """Return the address of a constant struct; equal ones are one."""
        key = (kind, *fields.items())
        if key not in self._known:
            self._known[key] = self.identifier(wish)
            self.constants.append(Constant(self._known[key], kind, fields))
        return f"&{self._known[key]}"

    def plan(self) -> tuple[list[Room], MemoryPlan]:
        """Return the arrays in planned memory and the plan for them."""
        inside = [room for room in self.rooms if room.place == "arena" and room.steps is not None]
        return inside, plan_memory([Lifetime(room.bytes, *room.steps) for room in inside if room.steps])


@dataclass
class Site:
    """What the function of a layer is given: the program, its name, inputs, shapes and arrays.

    `real` is the C expression of how many steps of its input are not padding, where samples are symbols; else None.
    """

    program: Program
    name: str
    xs: Sequence[Room]
    shapes: Sequence[Shape]
    output: Shape
    arrays: Mapping[str, Array]
    real: str | None
    zero: int = 0  # the byte that zeros are made of

    @property
    def x(self) -> Room:
        """The only input."""
        return self.xs[0]

    @property
    def shape(self) -> Shape:
        """The shape of the only input."""
        return self.shapes[0]

    def call(self, kernel: str, *arguments: Argument) -> None:
        """Append a call."""
        self.program.call(kernel, *arguments)

    def new(self, kind: Kind = "float") -> Room:
        """Return a new array for the output."""
        return self.program.room(f"{self.name}_out", self.output.size, kind)

    def over(self) -> Room:
        """Return an input that nothing else reads, to be overwritten by the output; a new array without one."""
        for x in self.xs:
            free = x.place == "arena" and self.program.remaining[x] == 1 and self.xs.count(x) == 1
            if free and x.size == self.output.size:
                return x
        return self.new(self.x.kind)

    def scratch(self, wish: str, size: int) -> Room:
        """Return an array that this layer alone uses."""
        return self.program.room(f"{self.name}_{wish}", size)

    def constant(self, wish: str, values: Any) -> str:
        """Return the name of a constant array, "0" for None."""
        return "0" if values is None else self.program.constant(f"{self.name}_{wish}", values)

    def struct(self, wish: str, kind: str, fields: Mapping[str, int | str]) -> str:
        """Return the address of a constant struct."""
        return self.program.struct(f"{self.name}_{wish}", kind, fields)

    def steps(self, time: int) -> str | int:
        """Return how many of so many steps are real: the number itself where samples have no padding."""
        if self.real is None:
            return time
        self.program.count_padding = True
        return self.real

    def indices(self, wish: str, values: Iterable[int]) -> str:
        """Return a constant array of places. Raises ExchangeError where they are beyond an int16."""
        found = np.array(list(values), np.int64)
        if found.size and max(found.max(), -found.min()) > np.iinfo(np.int16).max:
            raise ExchangeError(f"{self.name} is larger than {np.iinfo(np.int16).max:,} cells along an axis")
        return self.constant(wish, found.astype(np.int16))


def identifier(wish: str) -> str:
    """Return a valid identifier of C like the wish."""
    name = _NOT_A_WORD.sub("_", wish).strip("_") or "network"
    return f"n{name}" if name[0].isdigit() else name
