"""The convolution of a 3×3 window tile by tile: Winograd's F(2×2, 3×3), after Lavin and Gray (2016).

A tile is four outputs and the sixteen pixels that they see. Between two linear transforms it takes sixteen
multiplications for each channel and filter, where its four windows take thirty-six. A transform is a product with a
small matrix, for all tiles at once. Both gradients are products with the transposed matrices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, prod

from nnspec.runtime.compiler.kernels import KernelContext, Matrix, Written, contiguous
from nnspec.runtime.compiler.kernels._frames import padded, unpadded
from nnspec.runtime.compiler.kernels._products import QUICK, SHORTEST, divisor, outer_blocks, product_blocks
from nnspec.runtime.compiler.program.operands import Operand, Ref
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.spatial import Extent

PIXELS, OUTPUTS = 16, 4
"""The pixels of a tile, which are the multiplications of a channel and a filter, and its outputs."""

CENTER = 5
"""The product of a tile that each of its outputs has once: the bias is added there, in a quarter of a pass."""

TRANSFORMS = {
    "window": "[[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]]",
    "pixels": "[[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]",
    "outputs": "[[1, 1, 1, 0], [0, 1, -1, -1]]",
}
"""The matrix of each transform along one axis: G, Bᵀ and Aᵀ of the paper."""


@dataclass(frozen=True)
class Tiles:
    """The tiles of a node's images, and what is emitted for all of them at once."""

    context: KernelContext
    extents: tuple[Extent, Extent]

    @property
    def phases(self) -> bool:
        """Whether the outputs stay in the order of the tiles, which is that of a 2×2 pool."""
        return self.context.node.phases == 2

    @property
    def size(self) -> tuple[int, int]:
        """The rows and columns of the outputs."""
        k = self.context.node.phases
        rows, columns = (extent.places // k * k for extent in self.extents)
        return rows, columns

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows of tiles, columns of tiles, samples."""
        rows, columns = self.size
        return ceil(rows / 2), ceil(columns / 2), self.context.x.shape[-1]

    @property
    def places(self) -> int:
        """The number of tiles of all samples."""
        return prod(self.shape)

    @property
    def frame(self) -> tuple[Extent, Extent]:
        """The frame that an image needs so that every tile is inside."""
        rows, columns = (
            Extent(extent.places, extent.before, max(2 * tiles + 2 - extent.before - length, 0))
            for extent, tiles, length in zip(self.extents, self.shape, self.context.x.shape[1:], strict=False)
        )
        return rows, columns

    def gather(self, image: Ref, out: Ref) -> None:
        """Emit out ← the pixels of each tile, (16, channels, places); tiles overlap by two rows and columns."""
        w, (channels, _, wide, samples) = self.context.writer, image.shape
        row, plane = wide * samples, image.size // channels
        apart = w.reshaped(f"{out}_apart", out, (4, 4, channels, *self.shape))
        steps = (row, samples, plane, 2 * row, 2 * samples, 1)
        w.copy(w.windows(f"{image}_tiles", image, apart.shape, steps), out=apart)

    def add_up(self, shares: Operand, memory: Operand, out: Ref) -> None:
        """Emit out ← the sum of what tiles have for each pixel, (16, channels, places): `gather` transposed.

        It adds up rows first, in `memory`.
        """
        tall, wide, samples = self.shape
        channels, rows, columns = out.shape[0], 2 * tall + 2, 2 * wide + 2
        summed = memory.reshape(-1)[: 4 * channels * rows * wide * samples]
        by_row = summed.reshape(4, channels, tall + 1, 2, wide, samples).transpose(3, 0, 1, 2, 4, 5)
        self._overlap(shares.reshape(2, 2, 4, channels, *self.shape), by_row, 2)
        covered = out[:, :rows, :columns].reshape(channels, rows, wide + 1, 2, samples).transpose(3, 0, 1, 2, 4)
        self._overlap(summed.reshape(2, 2, channels, rows, wide, samples), covered, 1)
        for rest in (out[:, rows:], out[:, :rows, columns:]):
            if rest.size:
                self.context.writer.fill(rest, 0)

    def _overlap(self, parts: Operand, out: Operand, after: int) -> None:
        """Emit the sums along an axis, `after` axes before the last: of the four places of a tile, (2, 2, …), the last
        two are the first two of the next tile."""
        w, axes, tiles = self.context.writer, (slice(None),) * after, parts.shape[-1 - after]

        def part(wish: str, array: Operand, start: int, stop: int) -> Ref:
            return w.view(wish, array[(..., slice(start, stop), *axes)], contiguous=False)

        w.copy(part("first", parts[0], 0, 1), out=part("edge", out, 0, 1))
        if tiles > 1:
            ours, former = part("ours", parts[0], 1, tiles), part("former", parts[1], 0, tiles - 1)
            w.add(ours, former, out=part("overlap", out, 1, tiles))
        w.copy(part("last", parts[1], tiles - 1, tiles), out=part("edge", out, tiles, tiles + 1))

    def matrix(self, name: str, transposed: bool = False) -> Ref:
        """Return the matrix of a transform along both axes."""
        w = self.context.writer
        shape = {"window": (PIXELS, 9), "pixels": (PIXELS, PIXELS), "outputs": (OUTPUTS, PIXELS)}[name]
        text = f"np.kron(*2 * [{TRANSFORMS[name]}]){'.T.copy()' * transposed}.astype(np.{w.dtype})"
        key, wish = ("winograd", name, transposed), f"{name}_{'back' if transposed else 'transform'}"
        return w.once_for(key, lambda: w.constant(wish, text, shape[::-1] if transposed else shape))

    def transform(self, name: str, x: Operand, out: Operand, transposed: bool = False) -> None:
        """Emit out ← a transform of x along both axes of each tile, both (channels, its numbers, places)."""
        w, (_, parts) = self.context.writer, product_blocks(PIXELS, PIXELS, self.places)
        source, target = (
            w.view(name, array.reshape(*array.shape[:2], parts, -1).transpose(0, 2, 1, 3), contiguous=False)
            for array in (x, out)
        )
        w.matmul(self.matrix(name, transposed), source, out=target)

    def multiply(self, weight: Operand, x: Operand, out: Operand) -> None:
        """Emit out ← weightᵀ · x for each of the sixteen pixels; (16, cells, rows) · (16, cells, places)."""
        w, (_, cells, rows) = self.context.writer, weight.shape
        blocks, parts = product_blocks(rows, cells, self.places)
        left, right, target = (
            w.view(f"{self.context.node.name}_{wish}", operand, contiguous=False)
            for wish, operand in (
                ("filters", weight.reshape(PIXELS, cells, 1, blocks, -1).transpose(0, 2, 3, 4, 1)),
                ("parts", x.reshape(PIXELS, cells, 1, parts, -1).transpose(0, 3, 2, 1, 4)),
                ("products", out.reshape(PIXELS, blocks, rows // blocks, parts, -1).transpose(0, 3, 1, 2, 4)),
            )
        )
        w.matmul(left, right, out=target, order="C")

    def accumulate(self, x: Operand, d: Operand, memory: Ref, out: Ref) -> None:
        """Emit out ← x · dᵀ for each of the sixteen pixels, (16, rows, columns): a sum over places."""
        w, name, (_, rows, columns) = self.context.writer, self.context.node.name, out.shape
        tall, wide = outer_blocks(rows, columns)
        part = divisor(self.places, QUICK // (tall * wide))
        if part < SHORTEST:
            w.matmul(x, d.transpose(0, 2, 1), out=out)
            return
        count, down, across = self.places // part, rows // tall, columns // wide
        shares = memory.reshape(-1)[: count * out.size].reshape(PIXELS, count, rows, columns) if count > 1 else out
        left, right, target = (
            w.view(f"d_{name}_{wish}", operand, contiguous=False)
            for wish, operand in (
                ("rows", x.reshape(PIXELS, down, tall, 1, count, part).transpose(0, 4, 1, 3, 2, 5)),
                ("columns", d.reshape(PIXELS, 1, across, wide, count, part).transpose(0, 4, 1, 2, 5, 3)),
                ("shares", shares.reshape(PIXELS, count, down, tall, across, wide).transpose(0, 1, 2, 4, 3, 5)),
            )
        )
        w.matmul(left, right, out=target)
        if count > 1:
            w.sum(w.view(f"d_{name}_summed", shares), axis=1, out=out)


def by_tiles(word: Conv, context: KernelContext) -> Written:
    """y = Aᵀ · (Σ G·W·Gᵀ ⊙ Bᵀ·x·B) · A of each tile, a sum over channels."""
    w, name, x = context.writer, context.node.name, context.x
    channels, filters = x.shape[0], word.filters
    tiles = Tiles(context, word.extents(context.node.input_shapes[0]))
    places = tiles.places
    m = context.matrix(9 * channels, filters, fold=False)
    image = contiguous(context, padded(context, x, tiles.frame))
    weight = w.buffer(f"{name}_transformed", (PIXELS, channels, filters))
    pixels = w.buffer(f"{name}_pixels", (PIXELS, channels, places))
    gathered = w.scratch(f"{name}_gathered", pixels.shape)
    memory = w.scratch(f"{name}_memory", ((PIXELS + OUTPUTS * (not tiles.phases)) * filters * places,))
    products = w.view(f"{name}_sums", memory[: PIXELS * filters * places].reshape(PIXELS, filters, places))
    shape = (2, 2, filters, *tiles.shape)
    y = w.buffer(name, shape if tiles.phases else (filters, *tiles.size, x.shape[-1]))
    outputs = y if tiles.phases else w.view(f"{name}_outputs", memory[products.size :].reshape(*shape))
    tiles.gather(image, gathered)
    tiles.transform("pixels", gathered.transpose(1, 0, 2), pixels.transpose(1, 0, 2))
    top = w.reshaped(f"{name}_by_cell", m.top, (9, channels * filters))
    w.dot(tiles.matrix("window"), top, out=w.reshaped(f"{weight}_matrix", weight, (PIXELS, channels * filters)))
    tiles.multiply(weight, pixels, products)
    if m.bias is not None:
        center = w.view(f"{name}_center", products[CENTER])
        w.add(center, m.bias, out=center)
    by_output = outputs.reshape(OUTPUTS, filters, places).transpose(1, 0, 2)
    tiles.transform("outputs", products.transpose(1, 0, 2), by_output)
    if not tiles.phases:
        _by_parity(context, outputs, y, w.copy)

    def backward(d_y: Ref) -> list[Ref | None]:
        return [_backward(tiles, m, weight, pixels, image, d_y)]

    return y, backward


def _backward(tiles: Tiles, m: Matrix, weight: Ref, pixels: Ref, image: Ref, d_y: Ref) -> Ref | None:
    """The gradient of the products, from it those of the weight and of the pixels: each transform transposed."""
    context, places = tiles.context, tiles.places
    w, name, (_, channels, filters) = context.writer, context.node.name, weight.shape
    most = PIXELS * max(channels, filters) * places
    memory = w.scratch(f"d_{name}_memory", (most + max(pixels.size, weight.size * (places // SHORTEST)),))
    d_products = w.view(f"d_{name}_sums", memory[: PIXELS * filters * places].reshape(PIXELS, filters, places))
    rest = w.view(f"d_{name}_rest", memory[most:])
    by_filter = _in_tiles(tiles, d_y).reshape(OUTPUTS, filters, places).transpose(1, 0, 2)
    tiles.transform("outputs", by_filter, d_products.transpose(1, 0, 2), transposed=True)
    if context.learns:
        d_weight = w.buffer(f"d_{name}_transformed", weight.shape)
        tiles.accumulate(pixels, d_products, rest, d_weight)
        d_matrix = w.reshaped(f"{d_weight}_matrix", d_weight, (PIXELS, channels * filters))
        d_top = w.reshaped(f"d_{name}_by_cell", m.d_weight, (9, channels * filters))
        w.dot(tiles.matrix("window", transposed=True), d_matrix, out=d_top)
    if context.learns and m.bias is not None:
        w.sum(w.view(f"d_{name}_center", d_products[CENTER]), axis=1, out=m.d_bias)
    if not context.needs_gradient[0]:
        return None
    d_pixels, d_gathered = (part[: pixels.size].reshape(*pixels.shape) for part in (rest, memory))
    tiles.multiply(weight.transpose(0, 2, 1), d_products, d_pixels)
    tiles.transform("pixels", d_pixels.transpose(1, 0, 2), d_gathered.transpose(1, 0, 2), transposed=True)
    d_image = w.buffer(f"d_{name}_in", image.shape)
    tiles.add_up(d_gathered, rest, d_image)
    return unpadded(context, d_image, context.x, tiles.frame)


def _in_tiles(tiles: Tiles, d_y: Ref) -> Ref:
    """Return the gradient of the outputs in the order of the tiles, with zeros where a tile is not inside."""
    context = tiles.context
    if tiles.phases:
        return contiguous(context, d_y)
    w, shape = context.writer, (2, 2, d_y.shape[0], *tiles.shape)
    key, wish = ("outputs in tiles", shape, *tiles.size), f"d_{context.node.name}_outputs"
    d_outputs = w.once_for(key, lambda: w.buffer(wish, shape, 0))
    _by_parity(context, d_outputs, d_y, lambda part, out: w.copy(out, out=part))
    return d_outputs


def _by_parity(context: KernelContext, tiles: Ref, image: Ref, emit: Callable[[Ref, Ref], None]) -> None:
    """Emit something for each of the four outputs of a tile: of those of all tiles, and their places in the image."""
    w = context.writer
    for i in range(2):
        for j in range(2):
            places = w.view(f"{image}_{i}{j}", image[:, i::2, j::2], contiguous=False)
            part = tiles[i, j, :, : places.shape[1], : places.shape[2]]
            emit(w.view(f"{tiles}_{i}{j}", part, contiguous=False), places)
