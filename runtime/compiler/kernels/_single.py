"""Softmax of one sample of a few classes, in Python numbers: cheaper than array operations on ten."""

from typing import NamedTuple

from nnspec.runtime.compiler.program.operands import Local, Ref, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter


class SoftmaxOfOne(NamedTuple):
    """Variables: the list of x, its largest number, the list of exp(x − top), and the sum of that."""

    row: Local
    top: Local
    powers: Local
    total: Local


def softmax_of_one(w: ProgramWriter, x: Ref) -> SoftmaxOfOne:
    """Compute the powers of x (classes,), and their sum; softmax is powers / total."""
    row, top, powers, total = map(w.local, ("row", "top", "powers", "total"))
    w.assign(row, formula("{}.tolist()", x))
    w.assign(top, formula("max({})", row))
    w.assign(powers, formula("[exp(value - {}) for value in {}]", top, row))
    w.assign(total, formula("sum({})", powers))
    return SoftmaxOfOne(row, top, powers, total)
