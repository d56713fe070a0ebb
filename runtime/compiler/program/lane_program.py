"""The program of one lane, a value: its instructions, what they need, and its text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nnspec.runtime.compiler.program.instructions import INDENTATION, Instruction, nested, printed
from nnspec.runtime.compiler.program.operands import Operand
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.runtime.compiler.signature import lane_header


@dataclass(frozen=True)
class Form:
    """How a node is computed: "planned" or "plain", the shape in memory of its output (see `layout.laid_out`), and the
    bytes of its buffers for the forward and the backward pass."""

    kind: str
    laid: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class LaneProgram:
    """The program of one lane: `setup` runs once, `step` at each call, which returns `result`.

    With `barriers` a step is a generator: it yields at each barrier, and its result last.
    """

    about: str
    setup: tuple[Instruction, ...]
    step: tuple[Instruction, ...]
    result: Operand
    dtype: str
    bytes: int  # of its buffers
    forms: Mapping[str, Form]  # how each node is computed
    step_parameters: tuple[Operand, ...] = ()
    scratch_size: int = 0  # numbers in the memory that several arrays share
    barriers: int = 0
    common: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # the shapes of arrays that all lanes share

    @classmethod
    def of(
        cls,
        w: ProgramWriter,
        about: str,
        result: Operand,
        forms: Mapping[str, Form],
        parameters: tuple[Operand, ...] = (),
    ) -> "LaneProgram":
        """Return what a writer has written."""
        return cls(
            about=about,
            setup=tuple(w.setup),
            step=tuple(w.step),
            result=result,
            dtype=w.dtype,
            bytes=w.bytes,
            forms=forms,
            step_parameters=parameters,
            scratch_size=w.scratch_size,
            barriers=w.barriers,
            common=w.common,
        )

    def instructions(self) -> Iterator[Instruction]:
        """Yield every instruction, those of the setup first, and those of loops and conditions after them."""
        yield from nested((*self.setup, *self.step))

    @cached_property
    def text(self) -> str:
        """The program as Python: the function `lane`, which makes the buffers and returns its step."""
        parameters = ", ".join(map(str, self.step_parameters))
        lines = [
            lane_header(),
            f'{INDENTATION}"""{self.about}; inside, an image is (channels, height, width, samples)."""',
            *([f"{INDENTATION}scratch = empty({self.scratch_size}, np.{self.dtype})"] if self.scratch_size else []),
            *printed(self.setup, INDENTATION),
            "",
            f"{INDENTATION}def step({parameters}):",
            *printed(self.step, INDENTATION * 2),
            f"{INDENTATION * 2}{'yield' if self.barriers else 'return'} {self.result}",
            "",
            f"{INDENTATION}return step",
        ]
        return "\n".join(lines) + "\n"
