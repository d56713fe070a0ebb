"""A program's text run by itself, and NumPy watched: which types pass through it, and how many bytes it gives."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nnspec.runtime.arrays import empty, full
from nnspec.runtime.compiler.assemble import assemble
from nnspec.runtime.compiler.graph import draws_of
from nnspec.runtime.compiler.schedule import ExecutionSchedule
from nnspec.runtime.compiler.signature import PROGRAM_NAMES, LaneArguments
from nnspec.runtime.layers import Mode
from tests.runtime.compiler.both import Array, Batch, Both


class WatchedNumPy:
    """Stands in for `np` in the text of a program. `types` are those of all arrays that its functions took or gave.

    `makers` stand in for `empty` and `full`, and `bytes` counts what they made. `blank` is the number that an array
    holds which would hold anything; whole numbers are 1 there.
    """

    def __init__(self, blank: float | None = None):
        self.types: set[np.dtype[Any]] = set()
        self.bytes = 0
        self.makers = {"empty": self._empty, "full": self._full}
        self._blank = blank

    def __getattr__(self, name: str) -> Any:
        value = getattr(np, name)
        return value if isinstance(value, type) or not callable(value) else _Watched(value, self)

    def _empty(self, shape: Any, kind: Any) -> Array:
        array = empty(shape, kind)
        if self._blank is not None:
            array.fill(self._blank if array.dtype.kind == "f" else 1)
        return self._made(array)

    def _full(self, shape: Any, value: float, kind: Any) -> Array:
        return self._made(full(shape, value, kind))

    def _made(self, array: Array) -> Array:
        self.bytes += array.nbytes
        self.saw(array)
        return array

    def saw(self, *values: Any) -> None:
        """Take down the types of the arrays among these values."""
        self.types |= {value.dtype for value in values if isinstance(value, np.ndarray | np.generic)}


class _Watched:
    """A function of NumPy, or of one of its ufuncs."""

    def __init__(self, function: Any, watcher: WatchedNumPy):
        self._function = function
        self._watcher = watcher

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        result = self._function(*arguments, **options)
        self._watcher.saw(*arguments, *options.values(), result)
        return result

    def __getattr__(self, name: str) -> Any:
        return _Watched(getattr(self._function, name), self._watcher)


class ByItself(NamedTuple):
    """What a text gave, and what it left behind."""

    answer: Any
    gradients: Array
    buffers: Array


SHIFT, SCALE = 100.0, 50.0
"""How samples of whole numbers are normalized."""


def by_itself(both: Both, schedule: ExecutionSchedule, batch: Batch, numpy: Any = np) -> ByItself:
    """The text of a program for a whole batch, executed with the names of a program and nothing else."""
    gradients, buffers = np.full_like(both.network.parameter_arena.flat, np.nan), both.network.buffer_arena.flat.copy()
    step = lane_of(both, schedule, schedule.batch, batch, numpy, gradients, buffers)
    return ByItself(step([0.01] * schedule.block) if schedule.block > 1 else step(), gradients, buffers)


def lane_of(
    both: Both,
    schedule: ExecutionSchedule,
    size: int,
    batch: Batch,
    numpy: Any,
    gradients: Array | None = None,
    buffers: Array | None = None,
) -> Callable[..., Any]:
    """The step of a schedule's lane of this size, over such a batch, its buffers made."""
    plan = assemble(schedule, both.dtype, batch.x.dtype.kind != "f")
    made = numpy.makers if isinstance(numpy, WatchedNumPy) else {}
    space = {**PROGRAM_NAMES, "np": numpy, **made}
    exec(plan.lanes[size].text, space)
    return arguments_of(both, schedule, size, batch, gradients, buffers).bind(space["lane"])


def arguments_of(
    both: Both,
    schedule: ExecutionSchedule,
    size: int,
    batch: Batch,
    gradients: Array | None = None,
    buffers: Array | None = None,
) -> LaneArguments:
    """The arguments of a schedule's lane of this size, over such a batch."""
    network, random = both.network, np.random.default_rng(5)
    drawn = draws_of(schedule.nodes) if schedule.training else {}
    draws = {name: random.random((size, *shape), np.float32) for name, shape in drawn.items()}
    gradients = gradients if gradients is not None else np.zeros_like(network.parameter_arena.flat)
    return LaneArguments(
        parameters=network.parameter_arena.flat.copy(),
        gradients=gradients,
        summed=gradients,
        buffers=buffers if buffers is not None else network.buffer_arena.flat.copy(),
        samples=batch.x,
        targets=batch.y,
        every_target=batch.y,
        weights=None,
        draws=draws,
        mode=Mode(schedule.training, draws=draws),
        shift=np.array([SHIFT], both.dtype),
        scale=np.array([SCALE], both.dtype),
        together={},
        number=0,
    )
