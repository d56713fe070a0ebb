"""The signature of a generated program: what its functions are called with, and which names its text may use.

A program is the function `lane`, which makes its buffers once and returns the function `step`:

    def lane(parameters, gradients, …):  # one parameter for each field of LaneArguments
        hidden = empty((30, 8), np.float32)

        def step():
            np.dot(…, out=hidden)
            return loss

        return step

Where nothing is trained, `step` may be called with other samples of the same shape and type.

The writer, the call that binds a program, the printed demonstration and the tests all read it here.
"""

import builtins
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from keyword import kwlist
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnspec.runtime.arrays import Array, empty, full
from nnspec.runtime.compiler.plain_forms import plain_layer, plain_loss, plain_merge
from nnspec.runtime.layers import Mode


@dataclass(frozen=True)
class LaneArguments:
    """The arguments of a `lane` function, in the order of its parameters."""

    parameters: Array  # the arena, (numbers,)
    gradients: Array | None  # of this lane, (numbers,), written by a training step
    summed: Array | None  # those of all lanes, (numbers,): what lanes write here is not added up
    buffers: Array  # the arena of what layers keep but do not learn, (numbers,)
    samples: Array  # (samples, *input shape) in the type of the data: of this lane, or all where it has some inputs
    targets: Array  # of this lane, (samples, …)
    every_target: Array  # those of all lanes, (batch, …)
    weights: Array | None  # of the samples of this lane in the loss, (samples,)
    draws: Mapping[str, Array]  # uniform numbers by layer, (samples, *shape)
    mode: Mode | None  # for plain forms, padding and carried states
    shift: Array | None  # samples are normalized as (x - shift) / scale
    scale: Array | None
    together: dict[str, Array]  # arrays that all lanes share, by name
    number: int  # of this lane, from 0

    def bind(self, lane: Callable[..., Callable[..., Any]]) -> Callable[..., Any]:
        """Call a `lane` function; return its `step`."""
        return lane(*(getattr(self, name) for name in GIVEN))


GIVEN = tuple(field.name for field in fields(LaneArguments))
"""The parameters of a `lane` function."""

PROGRAM_NAMES: dict[str, Any] = {
    "np": np,
    "exp": math.exp,
    "log": math.log,
    **{function.__name__: function for function in (as_strided, empty, full, plain_layer, plain_loss, plain_merge)},
}
"""The global names of a program."""

LOCAL_NAMES = ("lane", "step", "rates", "scratch", "loss", "d_samples", "t")
"""Names with a fixed meaning inside a program, whatever its layers are called."""

RESERVED = frozenset({*GIVEN, *PROGRAM_NAMES, *LOCAL_NAMES, *kwlist, *dir(builtins)})
"""Names that no array of a program gets."""


def lane_header(name: str = "lane") -> str:
    """Return the line that begins the definition of a `lane` function."""
    return f"def {name}({', '.join(GIVEN)}):"


def lane_call(name: str, **expressions: str) -> str:
    """Return the expression that calls a `lane` function. Raises TypeError unless each parameter has one expression."""
    if expressions.keys() != set(GIVEN):
        raise TypeError(f"{name} takes {', '.join(GIVEN)}, not {', '.join(expressions)}")
    return f"{name}({', '.join(expressions[parameter] for parameter in GIVEN)})"
