"""Writes a program down, line by line: buffers and views first, then what a step does with them."""

from dataclasses import dataclass, field, replace
from math import prod

from nnspec.runtime.compiler.signature import RESERVED
from nnspec.spec_lang.vocabulary.shape import Shape

INDENT = "    "


@dataclass(frozen=True)
class Ref:
    """An array of the program, by its name: (*sample shape, samples), the samples innermost.

    Images lie as (channels, height, width, samples), sequences as (time, samples, features). `free` says that its
    reader may overwrite it, `solid` that its memory has no gaps; `with_one` is the array that has one more row, of
    ones, behind the rows of this one; `symbols` what rows of a single one stand for.
    """

    name: str
    shape: tuple[int, ...]
    free: bool = True
    solid: bool = True
    with_one: str | None = None
    symbols: "Chosen | None" = None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    def kept(self) -> "Ref":
        """The same array, not to be overwritten."""
        return replace(self, free=False)


@dataclass(frozen=True)
class Chosen:
    """Symbols by the names of what tells them, in rows of (time, samples): their numbers, whether each is known, and
    whether all are."""

    numbers: str
    known: str
    all_known: str


@dataclass
class Writer:
    """One lane's program in the making.

    `step` has the lines of the forward pass and of the backward pass, `setup` those that make what they work on;
    `meetings` counts where a step waits for the other lanes; `scratch_size` is that of the memory that many share,
    `common` has the shapes of what all lanes see.
    """

    samples: int  # in this lane
    lanes: tuple[int, ...]  # the samples in each lane
    dtype: str
    training: bool
    setup: list[str] = field(default_factory=list)
    step: list[str] = field(default_factory=list)
    bytes: int = 0
    meetings: int = 0
    scratch_size: int = 0
    common: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=lambda: set(RESERVED))

    @property
    def batch(self) -> int:
        """Samples in all lanes."""
        return sum(self.lanes)

    def name(self, wish: str) -> str:
        """An identifier like the wish that nothing else has."""
        base = "".join(c if c.isascii() and c.isalnum() else "_" for c in wish)
        name, number = base, 2
        while name in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken.add(name)
        return name

    def buffer(self, wish: str, shape: tuple[int, ...], fill: float | None = None, dtype: str | None = None) -> Ref:
        """A new array of this shape, every number of it `fill`, or whatever stood in its memory."""
        name = self.name(wish)
        kind = dtype or self.dtype
        new = f"empty({as_text(shape)}, {_quoted(kind)})"
        self.setup.append(f"{name} = {new if fill is None else f'full({as_text(shape)}, {fill}, {_quoted(kind)})'}")
        self.bytes += prod(shape) * {"bool": 1, "float32": 4, "float64": 8, "intp": 8}[kind]
        return Ref(name, shape)

    def scratch(self, wish: str, shape: tuple[int, ...]) -> Ref:
        """An array in memory that all who ask for it share: it holds what was written there last."""
        more = max(prod(shape) - self.scratch_size, 0)
        self.scratch_size += more
        self.bytes += more * (4 if self.dtype == "float32" else 8)
        return self.view(wish, f"scratch[:{prod(shape)}].reshape{as_text(shape)}", shape)

    def together(self, wish: str, shape: tuple[int, ...]) -> tuple[str, str]:
        """An array (lanes, *shape) that all lanes see, by this wish, and the part that is this lane's to write."""
        whole = self.name(wish)
        lanes = (len(self.lanes), *shape)
        new = f"empty({as_text(lanes)}, {_quoted(self.dtype)})"
        self.setup.append(f"{whole} = together.setdefault({wish!r}, {new})")
        self.common[wish] = lanes
        self.bytes += prod(lanes) * (4 if self.dtype == "float32" else 8)
        return whole, self.view(f"{whole}_own", f"{whole}[number]", shape).name

    def meet(self) -> None:
        """From here on the step goes on only when all lanes have come so far. A single lane waits for nobody."""
        if len(self.lanes) > 1:
            self.do("yield  # until all lanes have come here")
            self.meetings += 1

    def rows(self, wish: str, features: int) -> Ref:
        """A new array (features, samples), and behind it the row of ones that a folded bias multiplies."""
        whole = self.buffer(f"{wish}_1", (features + 1, self.samples), 1)
        part = self.view(wish, f"{whole.name}[:{features}]", (features, self.samples))
        return replace(part, with_one=whole.name)

    def planes(self, wish: str, shape: Shape) -> Ref:
        """A new array for samples of this shape, as `laid_out` lays it."""
        laid = laid_out(shape, self.samples)
        return self.rows(wish, laid[0]) if len(laid) == 2 else self.buffer(wish, laid)

    def view(self, wish: str, expression: str, shape: tuple[int, ...], solid: bool = True) -> Ref:
        """A name for a part or another shape of arrays that are there."""
        name = self.name(wish)
        self.setup.append(f"{name} = {expression}  # {as_text(shape)}")
        return Ref(name, shape, solid=solid)

    def reshaped(self, wish: str, ref: Ref, shape: tuple[int, ...]) -> Ref:
        """The same memory in another shape."""
        if shape == ref.shape:
            return ref
        return replace(self.view(wish, f"{ref.name}.reshape({as_text(shape)})", shape), free=ref.free)

    def windows(self, wish: str, ref: Ref, shape: tuple[int, ...], steps: tuple[int, ...], start: int = 0) -> Ref:
        """A strided view over the memory of a solid array; `steps` and `start` count numbers, not bytes."""
        size = 4 if self.dtype == "float32" else 8
        strides = tuple(size * step for step in steps)
        memory = f"{ref.name}.reshape(-1)[{start}:]" if start else ref.name
        return self.view(wish, f"as_strided({memory}, {as_text(shape)}, {as_text(strides)})", shape, solid=False)

    def do(self, line: str) -> None:
        """One line of the step."""
        self.step.append(line)

    def scalar(self, wish: str, value: float) -> str:
        """A number as an array of no axes: what NumPy takes without converting it at each call."""
        name = self.name(wish)
        self.setup.append(f"{name} = np.asarray({value!r}, {_quoted(self.dtype)})")
        return name

    def zero_like(self, ref: Ref) -> str:
        """What to compare an array with: zeros of its shape while they are small, for that is NumPy's fastest way."""
        if ref.size <= 100_000:
            return self.buffer("zeros", ref.shape, 0).name
        return self.scalar("zero", 0.0)


def laid_out(shape: Shape, samples: int) -> tuple[int, ...]:
    """The shape in memory of samples of this shape: an image's channels first, samples last; a single number is a
    row of one.

    A sequence's samples stand between time and features: a step of all samples is a matrix, and so are all steps.
    """
    image = shape.as_image()
    if image is not None:
        return (image[2], image[0], image[1], samples)
    if is_steps(shape):
        return (shape[0], samples, shape[1])
    return (*shape, samples) if shape else (1, samples)


def as_laid(name: str, shape: Shape) -> str:
    """(samples, *shape) as `laid_out` lays it: the expression of a view."""
    if shape.as_image() is not None:
        return f"{name}{'' if len(shape) == 3 else '[..., None]'}.transpose(3, 1, 2, 0)"
    if is_steps(shape):
        return f"{name}.transpose(1, 0, 2)"
    return f"{name}.transpose{as_text((*range(1, len(shape) + 1), 0))}" if shape else f"{name}[None]"


def as_samples(name: str, shape: Shape) -> str:
    """Laid-out samples as (samples, *shape): the expression of a view."""
    if shape.as_image() is not None:
        return f"{name}.transpose(3, 1, 2, 0){'' if len(shape) == 3 else '[..., 0]'}"
    if is_steps(shape):
        return f"{name}.transpose(1, 0, 2)"
    return f"{name}.transpose{as_text((len(shape), *range(len(shape))))}" if shape else f"{name}[0]"


def is_steps(shape: Shape) -> bool:
    """Whether samples of this shape are sequences of rows, (time, features)."""
    return shape.sequence and len(shape) == 2


def as_text(values: tuple[int, ...]) -> str:
    """A tuple as Python writes it."""
    return f"({values[0]},)" if len(values) == 1 else f"({', '.join(map(str, values))})"


def _quoted(dtype: str) -> str:
    return f"np.{dtype}" if dtype != "bool" else "bool"
