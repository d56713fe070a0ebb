"""The outputs of a convolution in the order of the k×k pool after it: (k, k, filters, rows / k, columns / k, samples).

What one pass of the pool compares with each other is contiguous there. Without phases, k = 1, there are no axes for
them.
"""

from math import prod

from nnspec.runtime.compiler.program.operands import Ref
from nnspec.runtime.compiler.program.writer import ProgramWriter


def in_phases(k: int, image: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of outputs of which each phase has this one."""
    return (k, k, *image) if k > 1 else image


def by_filter(w: ProgramWriter, y: Ref, k: int) -> Ref:
    """Return outputs as a matrix (filters, places), or as a stack of them, one for each phase."""
    filters, *places = y.shape[2:] if k > 1 else y.shape
    matrix = (filters, prod(places))
    return w.reshaped(f"{y}_matrix", y, (k * k, *matrix) if k > 1 else matrix)
