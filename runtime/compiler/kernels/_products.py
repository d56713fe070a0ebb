"""Matrix products over many places, cut into parts where BLAS computes those faster than the whole."""

from math import ceil

from nnspec.runtime.compiler.kernels import KernelContext
from nnspec.runtime.compiler.writer import Ref

QUICK = 1_000_000
"""Multiply-adds of a product up to which OpenBLAS takes its operands as they lie: up to four times as fast."""

SHORTEST = 64
"""Places in a part of a product; shorter parts lose more by their number than they gain."""

FEW_ROWS = 16
"""Rows of a result for which parts of half of that are long enough, and of a part that is cut by rows."""

LONG_SUM = 512
"""Places in a part of a sum, whose parts have to be added up."""

VECTOR = 16
"""Numbers that are computed at once: places of a part are a multiple of so many."""


def across(site: KernelContext, left: str, right: Ref, out: Ref) -> None:
    """out = left·right for a right side of many places."""
    shortest = SHORTEST if out.shape[0] > FEW_ROWS else SHORTEST // 2
    parts = _parts(out.shape[0] * right.shape[0], out.shape[1], shortest)
    if parts == 1:
        site.writer.do(f"np.dot({left}, {right.name}, out={out.name})")
    else:
        site.writer.do(f"np.matmul({left}, {_cut(site, right, parts)}, out={_cut(site, out, parts)})")


def along(site: KernelContext, left: Ref, right: Ref, out: str) -> None:
    """out = left·rightᵀ, a sum over many places."""
    w, shape = site.writer, (left.shape[0], right.shape[0])
    parts = _parts(shape[0] * shape[1], left.shape[1], LONG_SUM)
    if parts == 1:
        w.do(f"np.dot({left.name}, {right.name}.T, out={out})")
        return
    shares = w.buffer(f"{out}_shares", (parts, *shape)).name
    w.do(f"np.matmul({_cut(site, left, parts)}, {_cut(site, right, parts)}.transpose(0, 2, 1), out={shares})")
    w.do(f"np.add.reduce({shares}, axis=0, out={out})")


def down(site: KernelContext, x: Ref, seen: Ref, d_z: Ref, out: str) -> None:
    """out = seen·d_zᵀ, a sum over samples, where `seen` is x and perhaps a row more. Quick where d_z is turned before,
    and as many rows at once as are few enough."""
    w, (rows, samples), units = site.writer, x.shape, d_z.shape[0]
    wanted = ceil(rows * units * samples / QUICK)
    parts = next((n for n in range(wanted, rows // FEW_ROWS + 1) if rows % n == 0), 1)
    if samples == 1 or (parts == 1 and wanted > 1):
        w.do(f"np.dot({seen.name}, {d_z.name}.T, out={out})")
        return
    turned = w.buffer(f"{d_z.name}_turned", (samples, units)).name
    w.do(f"np.copyto({turned}, {d_z.name}.T)")
    if parts == 1:
        w.do(f"np.dot({seen.name}, {turned}, out={out})")
        return
    shape = (parts, rows // parts, samples)
    cut = w.view(f"{x.name}_rows", f"{x.name}.reshape{shape}", shape, solid=False).name
    to = w.view(f"{out}_rows", f"{out}[:{rows}].reshape{(*shape[:2], units)}", (*shape[:2], units)).name
    w.do(f"np.matmul({cut}, {turned}, out={to})")
    if seen.shape != x.shape:
        w.do(f"np.dot({seen.name}[{rows}:], {turned}, out={out}[{rows}:])")


def _cut(site: KernelContext, matrix: Ref, parts: int) -> str:
    """A matrix (rows, places) as so many matrices beside each other, (parts, rows, places / parts)."""
    rows, places = matrix.shape
    apart = f"{matrix.name}.reshape({rows}, {parts}, {places // parts}).transpose(1, 0, 2)"
    return site.writer.view(f"{matrix.name}_parts", apart, (parts, rows, places // parts), solid=False).name


def _parts(each: int, places: int, shortest: int) -> int:
    """Into how many equal parts a product of this many multiply-adds for each place is cut: few and quick ones."""
    wanted = ceil(each * places / QUICK)
    if wanted == 1:
        return 1
    return next((n for n in range(wanted, places // shortest + 1) if places % (n * VECTOR) == 0), 1)
