"""The convolution of a 3×3 window tile by tile: Winograd's F(2×2, 3×3), after Lavin and Gray (2016).

A tile is four outputs and the sixteen pixels that they see. Between two linear transforms it takes sixteen
multiplications for each channel and filter, where its four windows take thirty-six. A transform is a product with a
small matrix, for all tiles at once. Both gradients are products with the transposed matrices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

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
    """The tiles of the images of a node: (rows of tiles, columns of tiles, samples)."""

    context: KernelContext
    shape: tuple[int, int, int]

    @property
    def places(self) -> int:
        """The number of tiles of all samples."""
        return prod(self.shape)

    def extents(self, extents: tuple[Extent, Extent]) -> tuple[Extent, Extent]:
        """Return the frame that an image needs so that every tile is inside."""
        rows, columns = (
            Extent(extent.places, extent.before, max(2 * tiles + 2 - extent.before - length, 0))
            for extent, tiles, length in zip(extents, self.shape, self.context.x.shape[1:], strict=False)
        )
        return rows, columns

    def gather(self, frame: Ref, out: Ref) -> None:
        """Emit out ← the pixels of each tile, (16, channels, places); tiles overlap by two rows and columns."""
        w, (channels, _, wide, samples) = self.context.writer, frame.shape
        row, plane = wide * samples, frame.size // channels
        apart = w.reshaped(f"{out}_apart", out, (4, 4, channels, *self.shape))
        steps = (row, samples, plane, 2 * row, 2 * samples, 1)
        w.copy(w.windows(f"{frame}_tiles", frame, apart.shape, steps), out=apart)

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
        w, axes = self.context.writer, (slice(None),) * after
        tiles = parts.shape[-1 - after]

        def part(array: Operand, start: int, stop: int) -> Ref:
            return w.view("overlap", array[(..., slice(start, stop), *axes)], contiguous=False)

        w.copy(part(parts[0], 0, 1), out=part(out, 0, 1))
        if tiles > 1:
            w.add(part(parts[0], 1, tiles), part(parts[1], 0, tiles - 1), out=part(out, 1, tiles))
        w.copy(part(parts[1], tiles - 1, tiles), out=part(out, tiles, tiles + 1))

    def transform(self, name: str, x: Operand, out: Operand, transposed: bool = False) -> None:
        """Emit out ← a transform of x along both axes of each tile, both (channels, its numbers, places)."""
        w, places = self.context.writer, self.places
        _, parts = product_blocks(PIXELS, PIXELS, places)
        source, target = (
            array.reshape(*array.shape[:2], parts, places // parts).transpose(0, 2, 1, 3) for array in (x, out)
        )
        matrix = self.matrix(name, transposed)
        w.matmul(matrix, w.view("parts", source, contiguous=False), out=w.view("parts", target, contiguous=False))

    def matrix(self, name: str, transposed: bool = False) -> Ref:
        """Return the matrix of a transform along both axes."""
        w = self.context.writer
        shape = {"window": (PIXELS, 9), "pixels": (PIXELS, PIXELS), "outputs": (OUTPUTS, PIXELS)}[name]
        text = f"np.kron(*2 * [{TRANSFORMS[name]}]){'.T.copy()' * transposed}.astype(np.{w.dtype})"
        key, wish = ("winograd", name, transposed), f"{name}_{'back' if transposed else 'transform'}"
        return w.once_for(key, lambda: w.constant(wish, text, shape[::-1] if transposed else shape))

    def multiply(self, weight: Operand, x: Operand, out: Operand) -> None:
        """Emit out ← weightᵀ · x for each of the sixteen pixels; (16, cells, rows) · (16, cells, places)."""
        w, (_, cells, rows), places = self.context.writer, weight.shape, self.places
        blocks, parts = product_blocks(rows, cells, places)
        left = weight.reshape(PIXELS, cells, 1, blocks, rows // blocks).transpose(0, 2, 3, 4, 1)
        right = x.reshape(PIXELS, cells, 1, parts, places // parts).transpose(0, 3, 2, 1, 4)
        target = out.reshape(PIXELS, blocks, rows // blocks, parts, places // parts).transpose(0, 3, 1, 2, 4)
        blocks_of = [w.view("blocks", operand, contiguous=False) for operand in (left, right, target)]
        w.matmul(*blocks_of[:2], out=blocks_of[2], order="C")

    def accumulate(self, x: Operand, d: Operand, memory: Ref, out: Ref) -> None:
        """Emit out ← x · dᵀ for each of the sixteen pixels, (16, rows, columns): a sum over places."""
        w, (_, rows, columns), places = self.context.writer, out.shape, self.places
        tall, wide = outer_blocks(rows, columns)
        part = divisor(places, QUICK // (tall * wide))
        if part < SHORTEST:
            w.matmul(x, d.transpose(0, 2, 1), out=out)
            return
        count, (down, across) = places // part, (rows // tall, columns // wide)
        shares = w.view(f"{out}_shares", memory.reshape(-1)[: count * out.size].reshape(PIXELS, count, rows, columns))
        left = x.reshape(PIXELS, down, tall, 1, count, part).transpose(0, 4, 1, 3, 2, 5)
        right = d.reshape(PIXELS, 1, across, wide, count, part).transpose(0, 4, 1, 2, 5, 3)
        target = (shares if count > 1 else out).reshape(PIXELS, count, down, tall, across, wide)
        views = (left, right, target.transpose(0, 1, 2, 4, 3, 5))
        blocks = [w.view("blocks", operand, contiguous=False) for operand in views]
        w.matmul(*blocks[:2], out=blocks[2])
        if count > 1:
            w.sum(shares, axis=1, out=out)


def by_tiles(word: Conv, context: KernelContext) -> Written:
    """y = Aᵀ · (Σ G·W·Gᵀ ⊙ Bᵀ·x·B) · A of each tile, a sum over channels, in the order of the 2×2 pool after it if any."""
    w, name, x = context.writer, context.node.name, context.x
    channels, filters, samples = x.shape[0], word.filters, x.shape[-1]
    extents = word.extents(context.node.input_shapes[0])
    sizes = [extent.places // context.node.phases * context.node.phases for extent in extents]
    tiles = Tiles(context, (-(-sizes[0] // 2), -(-sizes[1] // 2), samples))
    m = context.matrix(9 * channels, filters, fold=False)
    frame = contiguous(context, padded(context, x, tiles.extents(extents)))
    places = tiles.places
    weight = w.buffer(f"{name}_transformed", (PIXELS, channels, filters))
    pixels = w.buffer(f"{name}_pixels", (PIXELS, channels, places))
    inside = context.node.phases == 1  # places of the outputs are not those of the tiles
    gathered = w.scratch(f"{name}_gathered", pixels.shape)
    memory = w.scratch(f"{name}_memory", ((PIXELS + OUTPUTS * inside) * filters * places,))
    products = w.view(f"{name}_products", memory[: PIXELS * filters * places].reshape(PIXELS, filters, places))
    shape = (filters, 2, 2, *tiles.shape)
    if not inside:
        y = outputs = w.buffer(name, shape)
    else:
        y = w.buffer(name, (filters, *sizes, samples))
        outputs = w.view(f"{name}_outputs", memory[products.size :].reshape(*shape))
    tiles.gather(frame, gathered)
    tiles.transform("pixels", gathered.transpose(1, 0, 2), pixels.transpose(1, 0, 2))
    w.dot(tiles.matrix("window"), m.top.reshape(9, channels * filters), out=weight.reshape(PIXELS, channels * filters))
    tiles.multiply(weight, pixels, products)
    if m.bias is not None:
        center = w.view(f"{name}_center", products[CENTER])
        w.add(center, m.bias, out=center)
    tiles.transform("outputs", products.transpose(1, 0, 2), outputs.reshape(filters, OUTPUTS, places))
    if outputs is not y:
        for image, part in _by_parity(y, outputs):
            w.copy(w.view(f"{part}_of", part, contiguous=False), out=w.view(f"{y}_part", image, contiguous=False))

    def backward(d_y: Ref) -> list[Ref | None]:
        d_outputs, most = contiguous(context, d_y), PIXELS * max(channels, filters) * places
        if inside:
            d_outputs = w.once_for(("outputs", shape, *sizes), lambda: w.buffer(f"d_{name}_outputs", shape, 0))
            for image, part in _by_parity(d_y, d_outputs):
                w.copy(w.view(f"{d_y}_part", image, contiguous=False), out=w.view("part", part, contiguous=False))
        room = max(pixels.size, weight.size * (places // SHORTEST))
        memory = w.scratch(f"d_{name}_memory", (most + room,))
        d_products = w.view(f"d_{name}_products", memory[: products.size].reshape(PIXELS, filters, places))
        rest = w.view(f"d_{name}_rest", memory[most:])
        by_filter = d_outputs.reshape(filters, OUTPUTS, places)
        tiles.transform("outputs", by_filter, d_products.transpose(1, 0, 2), transposed=True)
        if context.learns:
            _weight_gradient(tiles, m, pixels, d_products, rest)
        if not context.needs_gradient[0]:
            return [None]
        d_pixels = rest[: pixels.size].reshape(PIXELS, channels, places)
        d_gathered = memory[: pixels.size].reshape(PIXELS, channels, places)
        tiles.multiply(weight.transpose(0, 2, 1), d_products, d_pixels)
        tiles.transform("pixels", d_pixels.transpose(1, 0, 2), d_gathered.transpose(1, 0, 2), transposed=True)
        d_frame = w.buffer(f"d_{name}_in", frame.shape)
        tiles.add_up(d_gathered, rest, d_frame)
        return [unpadded(context, d_frame, x, tiles.extents(extents))]

    return y, backward


def _weight_gradient(tiles: Tiles, m: Matrix, pixels: Ref, d_products: Ref, memory: Ref) -> None:
    """d_W = Gᵀ · (pixels · d_productsᵀ) · G, and that of the bias from the product where it was added."""
    w, name = tiles.context.writer, tiles.context.node.name
    d_weight = w.buffer(f"d_{name}_transformed", (PIXELS, pixels.shape[1], d_products.shape[1]))
    tiles.accumulate(pixels, d_products, memory, d_weight)
    d_matrix = w.reshaped(f"{d_weight}_matrix", d_weight, (PIXELS, d_weight.size // PIXELS))
    w.dot(tiles.matrix("window", transposed=True), d_matrix, out=m.d_weight.reshape(9, d_weight.size // PIXELS))
    if m.bias is not None:
        w.sum(w.view(f"{d_products}_center", d_products[CENTER]), axis=1, out=m.d_bias)


def _by_parity(image: Ref, tiles: Ref) -> Iterator[tuple[Operand, Operand]]:
    """Yield, for each of the four outputs of a tile, where it is in the image, and all tiles' that are inside it."""
    for i in range(2):
        for j in range(2):
            part = image[:, i::2, j::2]
            yield part, tiles[:, i, j, : part.shape[1], : part.shape[2]]
