"""Matrix products over many places, cut into parts where BLAS computes those faster than the whole."""

from math import ceil, prod

from nnspec.runtime.compiler.kernels import KernelContext
from nnspec.runtime.compiler.program.operands import Operand, Ref
from nnspec.runtime.compiler.program.writer import ProgramWriter

QUICK = 1_000_000
"""Multiply-adds of a product up to which OpenBLAS does not pack its operands: up to four times as fast."""

SHORTEST = 64
"""Places in a part of a product; the overhead of more and shorter parts exceeds their gain."""

FEW_ROWS = 16
"""Rows of a result up to which a part may have half of SHORTEST places; the fewest rows of a part cut by rows."""

LONG_SUM = 512
"""Places in a part of a sum, whose parts have to be added up."""

BLOCK = 1200
"""Numbers of a block of outer products up to which OpenBLAS does not pack a right operand that is transposed."""

MOST_COLUMNS = 64
"""Columns of such a block: more, and fewer rows, are slower."""

WORTH_A_PAIR = 10_000
"""Numbers of an outer product of one sample from which on the product of a pair is faster."""

VECTOR = 16
"""Numbers in a vector register: the places of a part are a multiple."""


def matmul_by_columns(w: ProgramWriter, left: Operand, right: Ref, out: Ref) -> None:
    """out ← left · right, (m, k) · (k, places), cut into products of some places each.

    `right` or `out` may be a stack of matrices, (stack, …, places / stack).
    """
    rows, stack = out.shape[-2], max(prod(right.shape[:-2]), prod(out.shape[:-2]))
    shortest = SHORTEST if rows > FEW_ROWS else SHORTEST // 2
    parts = _parts(rows * right.shape[-2], min(right.shape[-1], out.shape[-1]), shortest)
    if parts * stack == 1:
        w.dot(left, right, out=out)
    else:
        w.matmul(left, _cut(w, right, parts, stack), out=_cut(w, out, parts, stack))


def accumulate_outer(w: ProgramWriter, left: Ref, right: Ref, out: Ref) -> None:
    """out ← left · rightᵀ, (m, places) · (places, n): a sum over places, cut into sums over some each.

    `right` may be a stack of matrices, (stack, n, places / stack).
    """
    rows, columns = left.shape[0], right.shape[-2]
    stack = prod(right.shape[:-2])
    parts = _parts(rows * columns, right.shape[-1], LONG_SUM)
    if parts * stack == 1:
        w.dot(left, right.T, out=out)
        return
    right_parts = _cut(w, right, parts, stack)
    *lead, _, _ = right_parts.shape
    shares = w.buffer(f"{out}_shares", (*lead, rows, columns))
    swapped = right_parts.transpose(*range(len(lead)), len(lead) + 1, len(lead))
    w.matmul(_cut(w, left, parts, stack), swapped, out=shares)
    w.sum(shares, axis=tuple(range(len(lead))), out=out)


def accumulate_by_rows(w: ProgramWriter, x: Ref, x_with_one: Ref, d_z: Ref, out: Ref) -> None:
    """out ← x_with_one · d_zᵀ, a sum over samples; `x_with_one` is x, or x and a row of ones.

    It is cut by the rows of x, and d_z is transposed in memory first: both make BLAS faster.
    """
    (rows, samples), units = x.shape, d_z.shape[0]
    wanted = ceil(rows * units * samples / QUICK)
    parts = next((n for n in range(wanted, rows // FEW_ROWS + 1) if rows % n == 0), 1)
    if samples == 1 and out.size >= WORTH_A_PAIR:
        _multiply_pair(w, x_with_one, d_z, out)
        return
    if samples == 1 or (parts == 1 and wanted > 1):
        w.dot(x_with_one, d_z.T, out=out)
        return
    d_z_t = w.buffer(f"{d_z}_turned", (samples, units))
    w.copy(d_z.T, out=d_z_t)
    if parts == 1:
        w.dot(x_with_one, d_z_t, out=out)
        return
    stack = (parts, rows // parts)
    x_parts = w.view(f"{x}_rows", x.reshape(*stack, samples), contiguous=False)
    out_parts = w.view(f"{out}_rows", out[:rows].reshape(*stack, units))
    w.matmul(x_parts, d_z_t, out=out_parts)
    if x_with_one.shape != x.shape:
        w.dot(x_with_one[rows:], d_z_t, out=out[rows:])


def _multiply_pair(w: ProgramWriter, x: Operand, d_z: Operand, out: Ref) -> None:
    """out ← x · d_zᵀ of one sample, as a sum over it and one of zeros: the bits are equal.

    A matrix of one column or row has both orders of memory, which makes NumPy ask BLAS for a transposed product.
    """
    pair, slopes = w.buffer(f"{d_z}_with", (x.shape[0], 2), 0), w.buffer(f"{d_z}_pair", (2, d_z.shape[0]), 0)
    w.copy(x, out=w.view(f"{pair}_first", pair[:, :1], contiguous=False))
    w.copy(d_z.T, out=w.view(f"{slopes}_first", slopes[:1]))
    w.dot(pair, slopes, out=out)


def sum_of_rows(context: KernelContext, d_rows: Operand, parameter: str) -> None:
    """Write the gradient of what is added to every row (rows, units): a product with ones, the fastest such sum."""
    w, rows = context.writer, d_rows.shape[0]
    d_bias = w.view(f"d_{context.node.name}_{parameter}", context.parameter(parameter)[1])
    w.dot(w.buffer("ones", (rows,), 1), d_rows, out=d_bias)


def _cut(w: ProgramWriter, matrix: Ref, parts: int, stack: int = 1) -> Ref:
    """Return a matrix (rows, places) as a stack of matrices, (parts, rows, places / parts).

    With `stack` it is cut twice, (stack, parts, rows, …), as is a matrix that is such a stack, (stack, rows, …).
    """
    rows = matrix.shape[-2]
    if stack == 1:
        cut: Operand = matrix.reshape(rows, parts, -1).transpose(1, 0, 2)
    elif len(matrix.shape) == 2:
        cut = matrix.reshape(rows, stack, parts, -1).transpose(1, 2, 0, 3)
    else:
        cut = matrix.reshape(stack, rows, parts, -1).transpose(0, 2, 1, 3)
    return w.view(f"{matrix}_parts", cut, contiguous=False)


def product_blocks(rows: int, cells: int, places: int) -> tuple[int, int]:
    """Return into how many blocks of rows, and parts of places, to cut a product (rows, cells) · (cells, places).

    The fastest are 32 rows and a multiple of 32 places, as long as OpenBLAS does not pack them.
    """
    if rows * cells * places <= QUICK:
        return 1, 1
    block = 2 * VECTOR if rows % (2 * VECTOR) == 0 else rows
    for part, height in ((2 * VECTOR, block), (VECTOR, rows)):
        count = divisor(places // part, QUICK // (height * cells * part)) if places % part == 0 else 0
        if count:
            return rows // height, places // (count * part)
    return 1, 1


def outer_blocks(rows: int, columns: int) -> tuple[int, int]:
    """Return the rows and columns of the blocks of a sum of outer products, left · rightᵀ, neither of them packed."""
    step = VECTOR if columns % VECTOR == 0 else 1
    wide = step * divisor(columns // step, MOST_COLUMNS // step)
    return divisor(rows, BLOCK // wide), wide


def divisor(number: int, most: int) -> int:
    """Return the largest divisor of a number that is not larger than `most`; 0 where that is less than 1."""
    return next((d for d in range(min(number, most), 0, -1) if number % d == 0), 0)


def _parts(each: int, places: int, shortest: int) -> int:
    """Return into how many equal parts to cut a product of this many multiply-adds for each place."""
    wanted = ceil(each * places / QUICK)
    if wanted == 1:
        return 1
    return next((n for n in range(wanted, places // shortest + 1) if places % (n * VECTOR) == 0), 1)
