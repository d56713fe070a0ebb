"""The convolution row by row: a slab holds what the windows of one row of places see in one row of the image.

The slabs of an image are a third as many numbers as the columns of a 3×3 window, and are gathered in long runs. What
the windows of output row i see are slabs i to i + height − 1, adjacent in memory: a stack of products reads them as
matrices that overlap. The gradient of the input is such a convolution too, of the gradient of the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from nnspec.runtime.compiler.kernels import KernelContext, Matrix, Written, contiguous
from nnspec.runtime.compiler.kernels._phases import by_filter, in_phases
from nnspec.runtime.compiler.kernels._products import QUICK, divisor, outer_blocks, product_blocks
from nnspec.runtime.compiler.program.instructions import Fill
from nnspec.runtime.compiler.program.operands import Operand, Ref
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.spatial import Extent

FEWEST_ROWS = 16
"""Rows in a slab from which on one more, of ones, costs less than a pass that adds the bias."""

LONG_ROW = 256
"""Numbers in a row from which on its outer product is faster from the gradient as it is than from a turned copy."""


@dataclass(frozen=True)
class Slabs:
    """The slabs of an image in its frame, (rows, window width * channels, phases, columns / phases, samples).

    With `ones` the last row of each slab is of ones, for a bias.
    """

    context: KernelContext
    memory: Ref
    window: tuple[int, int]
    extents: tuple[Extent, Extent]
    tall: int  # rows of the image
    phases: int
    ones: bool

    @classmethod
    def of(
        cls,
        context: KernelContext,
        wish: str,
        image: tuple[int, ...],
        window: tuple[int, int],
        extents: tuple[Extent, Extent],
        phases: int = 1,
        ones: bool = False,
        shared: bool = True,
    ) -> "Slabs":
        """Return the memory for the slabs of images of this shape in a frame of zeros.

        Slabs of equal shapes and frames may have one memory, if each is gathered again before it is read.
        """
        w, (channels, tall, wide, samples) = context.writer, image
        rows, columns = (extent.places // phases * phases for extent in extents)
        shape = (rows + window[0] - 1, window[1] * channels + ones, phases, columns // phases, samples)

        def make() -> Ref:
            memory = w.buffer(wish, shape, 0)
            if ones:
                w.setup.append(Fill(memory[:, shape[1] - 1], 1))
            return memory

        frame = ("slabs", shape, window, tall, wide, extents[0].before, extents[1].before, ones)
        return cls(context, w.once_for(frame, make) if shared else make(), window, extents, tall, phases, ones)

    @property
    def _row(self) -> int:
        """The numbers in a row of one phase: columns and samples."""
        return prod(self.memory.shape[3:])

    @property
    def _rows(self) -> int:
        """The rows of a slab, ones among them."""
        return self.memory.shape[1]

    @property
    def cells(self) -> int:
        """The rows of the matrix that a row of windows sees, ones among them."""
        return self.window[0] * self._rows

    @property
    def _lead(self) -> list[tuple[int, int]]:
        """The axes of places in a stack of matrices, with the distance in memory from each slab to the next."""
        slab, k = prod(self.memory.shape[1:]), self.phases
        rows = (self.memory.shape[0] - self.window[0] + 1) // k
        return [*([(k, slab), (k, self._row)] if k > 1 else []), (rows, k * slab)]

    def _strided(self, wish: str, axes: Sequence[tuple[int, int]], start: int = 0) -> Ref:
        """Return a view of the memory; an axis is a length and the distance from each item to the next."""
        shape, steps = (tuple(numbers) for numbers in zip(*axes, strict=True))
        return self.context.writer.windows(f"{self.memory}_{wish}", self.memory, shape, steps, start)

    def gather(self, x: Ref) -> None:
        """Emit the copy of an image, (channels, height, width, samples), into its slabs.

        It is one copy where all columns of all windows are in the image, else one for each column of a window.
        """
        w, k, (rows, columns), width = self.context.writer, self.phases, self.extents, self.window[1]
        channels, height, wide, samples = x.shape
        places, below = self.memory.shape[3], min(height, self.memory.shape[0] - rows.before)
        if not columns.before and k * places + width - 1 <= wide:
            plane, slab = k * self._row, prod(self.memory.shape[1:])
            shape = (below, width, channels, k, places, samples)
            seen = (wide * samples, samples, height * wide * samples, samples, k * samples, 1)
            steps = (slab, channels * plane, plane, self._row, samples, 1)
            target = w.windows(f"{self.memory}_apart", self.memory, shape, steps, rows.before * slab)
            w.copy(w.windows(f"{x}_seen", contiguous(self.context, x), shape, seen), out=target)
            return
        for v in range(width):
            for phase in range(k):
                start = phase + v - columns.before  # the pixel under this cell of the first window
                first = max(0, -(start // k))
                last = min(places, (wide - 1 - start) // k + 1)
                if first < last:
                    left = k * first + start
                    pixels = x[:, 0:below, left : left + k * (last - first - 1) + 1 : k].transpose(1, 0, 2, 3)
                    framed = slice(rows.before, rows.before + below)
                    cells = self.memory[framed, v * channels : (v + 1) * channels, phase, first:last]
                    out = w.view(f"{self.memory}_{v}", cells, contiguous=False)
                    w.copy(w.view(f"{x}_{v}", pixels, contiguous=False), out=out)

    def multiply(self, weight: Operand, out: Ref) -> None:
        """Emit out ← weightᵀ · columns, cut by rows, their parts and blocks of filters; the weight is (cells, filters),
        `out` ([phases, phases], filters, rows / phases, columns / phases, samples)."""
        rows = self._rows
        blocks, parts = product_blocks(weight.shape[1], self.cells, self._row)
        for first, last, seen in self._groups():
            part = weight if len(seen) == self.window[0] else weight[seen.start * rows : seen.stop * rows]
            place = out if last - first == out.shape[-3] else out[..., first:last, :, :]
            self._multiply(part, place, first + seen.start, blocks, parts)

    def _multiply(self, weight: Operand, out: Operand, first: int, blocks: int, parts: int) -> None:
        """Emit the products for some rows of places, whose windows see slabs from `first` on."""
        w, (cells, filters), slab = self.context.writer, weight.shape, prod(self.memory.shape[1:])
        plane, part, k = self.phases * self._row, self._row // parts, self.phases
        lead = [(out.shape[-3], k * slab), *([(k, slab), (k, self._row)] if k > 1 else []), (parts, part), (1, 0)]
        columns = self._strided("stack", [*lead, (cells, plane), (part, 1)], first * slab)
        shape = in_phases(k, (blocks, filters // blocks, out.shape[-3], parts, part))
        apart = out.reshape(*shape).transpose(*((4, 0, 1, 5, 2, 3, 6) if k > 1 else (2, 3, 0, 1, 4)))
        cut = weight.reshape(cells, blocks, filters // blocks).transpose(1, 2, 0)
        name = self.context.node.name
        w.matmul(
            w.view(f"{name}_filters", cut, contiguous=False),
            columns,
            out=w.view(f"{name}_rows", apart, contiguous=False),
            order="C",  # slabs stay in the cache from one row to the next
        )

    def _groups(self) -> list[tuple[int, int, range]]:
        """Return the rows of places, from the first to before the last, and which slabs of their windows may hold
        more than zeros."""
        height, (extent, _) = self.window[0], self.extents
        rows = (self.memory.shape[0] - height + 1) // self.phases
        if self.ones or self.phases > 1:
            return [(0, rows, range(height))]
        groups: list[tuple[int, int, range]] = []
        for row in range(rows):
            seen = range(max(0, extent.before - row), min(height, extent.before + self.tall - row))
            if groups and groups[-1][2] == seen:
                groups[-1] = (groups[-1][0], row + 1, seen)
            else:
                groups.append((row, row + 1, seen))
        return groups

    def accumulate(self, d_y: Ref, out: Ref) -> None:
        """Emit out ← columns · d_yᵀ without the ones, (height * width * channels, filters): a sum of shares by rows."""
        w, filters, row, plane = self.context.writer, d_y.shape[-4], self._row, self.phases * self._row
        slab, name = self.memory.shape[1] * plane, self.context.node.name
        height = self.window[0] if self.ones else 1  # without ones the rows of all slabs of a window are one matrix
        cells = out.shape[0] // height
        lead = tuple(length for length, _ in self._lead)
        front, last = range(len(lead)), len(lead)
        by_row = in_phases(self.phases, (filters, lead[-1], row))
        gradient: Operand = d_y.reshape(*by_row).transpose(*range(last - 1), last, last + 1, last - 1)
        sizes = prod((*lead, *out.shape)), d_y.size
        if row >= LONG_ROW:
            tall, wide = outer_blocks(cells, filters)
            memory = w.scratch(f"d_{name}_shares", sizes[:1])
        else:
            tall, wide = divisor(cells, max(1, QUICK // (filters * row))), filters
            memory = w.scratch(f"d_{name}_shares", (sum(sizes),))
            turned = w.view(f"d_{name}_turned", memory[sizes[0] :].reshape(*lead, row, filters))
            w.copy(w.view(f"{turned}_from", gradient, contiguous=False), out=turned)
            gradient = turned
        cut = (filters // wide, wide)
        stack = [*self._lead, (height, slab), (cells // tall, tall * plane), (cut[0], 0), (tall, plane), (row, 1)]
        columns = self._strided("blocks", stack)
        swapped = (last, last + 1, last + 3, last + 2, last + 4)
        gradient = gradient.reshape(*lead, 1, 1, row, *cut).transpose(*front, *swapped)
        shares = w.view(f"{memory}_by_place", memory[: sizes[0]].reshape(prod(lead), *out.shape))
        blocks = shares.reshape(*lead, height, cells // tall, tall, *cut).transpose(*front, *swapped)
        w.matmul(
            columns,
            w.view(f"d_{name}_blocks", gradient, contiguous=False),
            out=w.view(f"{shares}_blocks", blocks, contiguous=False),
        )
        w.sum(shares, axis=0, out=out)


def by_slabs(word: Conv, context: KernelContext) -> Written:
    """y = Wᵀ · columns, row by row. A folded bias is a row of a copy of the weight that has the rows of the slabs."""
    w, name, k, x = context.writer, context.node.name, context.node.phases, context.x
    extents, (height, width), channels = word.extents(context.node.input_shapes[0]), word.pair(), x.shape[0]
    rows, filters = width * channels, word.filters
    m = context.matrix(height * rows, filters, context.schedule.fold_bias and rows >= FEWEST_ROWS)
    again = context.node.again or not context.training
    slabs = Slabs.of(context, f"{name}_slabs", x.shape, (height, width), extents, k, m.folded, shared=again)
    weight: Operand = m.top
    if m.folded:
        packed = w.buffer(f"{name}_packed", (height, rows + 1, filters), 0)
        w.copy(w.view(f"{name}_apart", m.top.reshape(height, rows, filters)), out=packed[:, :rows])
        w.copy(m.weight[height * rows], out=packed[0, rows])
        weight = packed.reshape(slabs.cells, filters)
    places = tuple(extent.places // k for extent in extents)
    y = w.buffer(name, in_phases(k, (filters, *places, x.shape[-1])))
    slabs.gather(x)
    slabs.multiply(weight, y)
    if m.bias is not None:
        y_matrix = by_filter(w, y, k)
        w.add(y_matrix, m.bias, out=y_matrix)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_y = contiguous(context, d_y)
        if context.learns:
            if context.node.again:
                slabs.gather(x)
            slabs.accumulate(d_y, w.view(f"d_{name}_top", m.d_weight[: height * rows]) if m.folded else m.d_weight)
        if context.learns and (m.folded or m.bias is not None):
            d_matrix = by_filter(w, d_y, k)
            w.sum(d_matrix, axis=1 if k == 1 else (0, 2), out=m.d_weight[height * rows] if m.folded else m.d_bias)
        return [_input_gradient(word, context, m, d_y, extents) if context.needs_gradient[0] else None]

    return y, backward


def _input_gradient(word: Conv, context: KernelContext, m: Matrix, d_y: Ref, extents: tuple[Extent, Extent]) -> Ref:
    """d_x[i] = Σ d_y[i + before − u] · w[u]: a convolution of the gradient.

    Its weight is the layer's, rotated by half a turn, channels and filters exchanged.
    """
    w, name, (height, width), k = context.writer, context.node.name, word.pair(), context.node.phases
    channels, *size, samples = context.x.shape
    if k > 1:
        tall, wide = (extent.places // k for extent in extents)
        joined = w.scratch(f"d_{name}_joined", (word.filters, tall * k, wide * k, samples))
        target = joined.reshape(word.filters, tall, k, wide, k, samples).transpose(2, 4, 0, 1, 3, 5)
        w.copy(d_y, out=w.view(f"{joined}_apart", target, contiguous=False))
        d_y = joined
    rows, columns = (
        Extent(length, reach - 1 - side.before, 0)
        for length, reach, side in zip(size, (height, width), extents, strict=True)
    )
    slabs = Slabs.of(context, f"d_{name}_slabs", d_y.shape, (height, width), (rows, columns))
    turned = w.buffer(f"{name}_turned", (height, width, word.filters, channels))
    weight = m.top.reshape(height, width, channels, word.filters)[::-1, ::-1].transpose(0, 1, 3, 2)
    d_x = w.buffer(f"d_{name}_in", context.x.shape)
    w.copy(w.view(f"{turned}_from", weight, contiguous=False), out=turned)
    slabs.gather(d_y)
    slabs.multiply(turned.reshape(slabs.cells, channels), d_x)
    return d_x
