"""Writes the program of one lane: buffers and views once, then the instructions of a step."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod

from nnspec.runtime.compiler.program.arithmetic import Arithmetic
from nnspec.runtime.compiler.program.instructions import (
    Alias,
    Allocate,
    Assign,
    Barrier,
    Comment,
    If,
    Instruction,
    Views,
)
from nnspec.runtime.compiler.program.layout import laid_out
from nnspec.runtime.compiler.program.operands import NUMBER, Local, Operand, Ref, expression, formula
from nnspec.runtime.compiler.signature import RESERVED
from nnspec.spec_lang.vocabulary.shape import Shape

ITEM_BYTES = {"bool": 1, "float32": 4, "float64": 8, "intp": 8}
"""The size of one number, by its type."""

SMALL_ZEROS = 100_000
"""Numbers up to which an array of zeros is worth its memory: NumPy compares two arrays faster than one and a scalar."""


@dataclass
class ProgramWriter(Arithmetic):
    """The program of one lane while it is written.

    `step` has the instructions of the forward and the backward pass, `setup` those that run once before. `barriers`
    counts where a step waits for the other lanes, `scratch_size` the numbers of the memory that several arrays share,
    `bytes` the memory of all buffers. `common` has the shapes of the arrays that all lanes share. `sharing` lanes
    compute the same samples, each some units.
    """

    samples: int  # in this lane
    lanes: tuple[int, ...]  # the samples in each lane
    dtype: str
    training: bool
    setup: list[Instruction] = field(default_factory=list)
    step: list[Instruction] = field(default_factory=list)
    bytes: int = 0
    barriers: int = 0
    scratch_size: int = 0
    common: dict[str, tuple[int, ...]] = field(default_factory=dict)
    sharing: int = 1
    _taken: set[str] = field(default_factory=lambda: set(RESERVED))
    _numbers: dict[str, int] = field(default_factory=dict)
    _made: dict[Hashable, Ref] = field(default_factory=dict)

    @property
    def batch(self) -> int:
        """Samples in all lanes."""
        return sum(self.lanes)

    def emit(self, instruction: Instruction) -> None:
        """Append an instruction to the step."""
        self.step.append(instruction)

    def comment(self, text: str) -> None:
        """Append a line for the reader."""
        self.emit(Comment(text))

    @contextmanager
    def collected(self) -> Iterator[list[Instruction]]:
        """Collect the instructions that are emitted inside, instead of appending them to the step."""
        outside, self.step = self.step, []
        inside = self.step
        try:
            yield inside
        finally:
            self.step = outside

    @contextmanager
    def when(self, condition: Operand, comment: str = "") -> Iterator[None]:
        """Append what is emitted inside under a condition; nothing where that is nothing."""
        with self.collected() as body:
            yield
        if body:
            self.emit(If(condition, tuple(body), comment))

    def barrier(self) -> None:
        """Let the step wait here until every lane has come as far; a single lane waits for none."""
        if len(self.lanes) * self.sharing > 1:
            self.emit(Barrier())
            self.barriers += 1

    def name(self, wish: str) -> str:
        """Return an identifier like the wish that nothing else in the program has."""
        base = "".join(c if c.isascii() and c.isalnum() else "_" for c in wish)
        name, number = base, self._numbers.get(base, 2)
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._numbers[base] = number
        self._taken.add(name)
        return name

    def local(self, wish: str) -> Local:
        """Return a new Python variable."""
        return Local(self.name(wish))

    def once(self, wish: str, value: Operand | str, shape: tuple[int, ...] = ()) -> Local:
        """Return a new Python variable that the setup sets; `value` may be the text of a constant expression."""
        return self.set_up(Local(self.name(wish), shape), value)

    def set_up(self, local: Local, value: Operand | str) -> Local:
        """Set a variable once, in the setup."""
        self.setup.append(Assign((local,), expression(value) if isinstance(value, str) else value))
        return local

    def array(self, wish: str, view: Operand) -> Ref:
        """Return a view of any length, under a name of its own."""
        array = Ref(self.name(wish), view.shape, memory=view.memory)
        self.setup.append(Views(array, view))
        return array

    def listed(self, wish: str, items: Operand, array: Ref) -> Ref:
        """Return a list of views of an array, one for each index of its first axis."""
        views = Ref(self.name(wish), array.shape, memory=array.memory)
        self.setup.append(Views(views, items))
        return views

    def buffer(self, wish: str, shape: tuple[int, ...], fill: float | None = None, dtype: str | None = None) -> Ref:
        """Return a new array of this shape: every number of it `fill`, or undefined."""
        array, kind = Ref(self.name(wish), shape), dtype or self.dtype
        self.setup.append(Allocate(array, kind, fill))
        self.bytes += prod(shape) * ITEM_BYTES[kind]
        return array

    def scratch(self, wish: str, shape: tuple[int, ...]) -> Ref:
        """Return an array in memory that all scratch arrays share: it holds what was written there last."""
        more = max(prod(shape) - self.scratch_size, 0)
        self.scratch_size += more
        self.bytes += more * ITEM_BYTES[self.dtype]
        return self.view(wish, Ref("scratch", (prod(shape),))[: prod(shape)].reshape(*shape))

    def once_for(self, key: Hashable, make: Callable[[], Ref]) -> Ref:
        """Return the array that was first made for this key: all who ask share it, and write it before they read it."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def together(self, wish: str, shape: tuple[int, ...]) -> tuple[Ref, Ref]:
        """Return the array (lanes, *shape) that all lanes share under this wish, and the part that this lane writes."""
        lanes = (len(self.lanes) * self.sharing, *shape)
        whole = Ref(self.name(wish), lanes)
        new = f"empty({lanes}, np.{self.dtype})"
        self.setup.append(Assign((whole,), expression(f"together.setdefault({wish!r}, {new})")))
        self.common[wish] = lanes
        self.bytes += prod(shape) * ITEM_BYTES[self.dtype]
        return whole, self.view(f"{whole}_own", whole[NUMBER])

    def rows(self, wish: str, features: int) -> Ref:
        """Return a new array (features, samples), followed in memory by the row of ones that a folded bias needs."""
        whole = self.buffer(f"{wish}_1", (features + 1, self.samples), 1)
        return replace(self.view(wish, whole[:features]), with_one=whole)

    def planes(self, wish: str, shape: Shape) -> Ref:
        """Return a new array for samples of this shape, in the layout of `laid_out`."""
        laid = laid_out(shape, self.samples)
        return self.rows(wish, laid[0]) if len(laid) == 2 else self.buffer(wish, laid)

    def view(self, wish: str, view: Operand, contiguous: bool = True) -> Ref:
        """Return a view under a name of its own, made once."""
        name = self.name(wish)
        self.setup.append(Alias(name, view, view.shape))
        return Ref(name, view.shape, contiguous=contiguous, memory=view.memory)

    def reshaped(self, wish: str, ref: Ref, shape: tuple[int, ...]) -> Ref:
        """Return the same array in another shape, under a name of its own where that is a different one."""
        if shape == ref.shape:
            return ref
        return replace(self.view(wish, ref.reshape(*shape)), overwritable=ref.overwritable)

    def windows(self, wish: str, ref: Ref, shape: tuple[int, ...], steps: tuple[int, ...], start: int = 0) -> Ref:
        """Return a strided view of a contiguous array; `steps` and `start` count numbers, not bytes."""
        strides = tuple(ITEM_BYTES[self.dtype] * step for step in steps)
        memory = ref.reshape(-1)[start:] if start else ref
        view = replace(formula(f"as_strided({{}}, {shape}, {strides})", memory), shape=shape)
        return self.view(wish, view, contiguous=False)

    def constant(self, wish: str, text: str, shape: tuple[int, ...]) -> Ref:
        """Return a constant array that the setup makes by this expression."""
        array = Ref(self.name(wish), shape)
        self.setup.append(Assign((array,), expression(text), comment=str(shape) if shape else ""))
        return array

    def scalar(self, wish: str, value: float) -> Ref:
        """Return a constant as an array of no axes, which NumPy need not convert at each call."""
        return self.constant(wish, f"np.asarray({value!r}, np.{self.dtype})", ())

    def zero_like(self, ref: Ref) -> Ref:
        """Return zeros to compare an array with: of its shape while it is small, else a scalar."""
        if ref.size <= SMALL_ZEROS:
            return self.once_for(("zeros", ref.shape), lambda: self.buffer("zeros", ref.shape, 0))
        return self.scalar("zero", 0.0)
