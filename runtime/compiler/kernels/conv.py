"""The convolution as one matrix product: columns hold what each window sees, gathered by one strided copy.

The gradient of the input is another such product, or its shares are added at the places of the windows.
"""

from collections.abc import Callable
from math import prod

from nnspec.runtime.compiler.kernels import KernelContext, Matrix, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels._conv_over_time import over_time
from nnspec.runtime.compiler.kernels._frames import padded, unpadded
from nnspec.runtime.compiler.kernels._phases import by_filter, in_phases
from nnspec.runtime.compiler.kernels._products import accumulate_outer, matmul_by_columns
from nnspec.runtime.compiler.kernels._slabs import by_slabs
from nnspec.runtime.compiler.kernels._winograd import by_tiles
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.spatial import Extent


@kernel(Conv)
def conv(word: Conv, context: KernelContext) -> Written | None:
    """y = Wᵀ · columns, with columns (window * channels, places * samples) and the row of ones of a folded bias.

    With `phases` k the outputs are (k, k, filters, rows / k, columns / k, samples), so that the k×k pool after it reads
    contiguous memory. The gradient of the columns reuses their memory; where they are gathered `again` all such
    convolutions share it. Groups take the plain form.
    """
    if word.along_time(context.node.input_shapes[0]) is not None:
        return over_time(word, context)
    if word.groups > 1 or len(context.x.shape) != 4:
        return None
    if context.node.tiles:
        return by_tiles(word, context)
    if context.node.slabs:
        return by_slabs(word, context)
    w, name, k = context.writer, context.node.name, context.node.phases
    height, width = word.pair()
    extents = word.extents(context.node.input_shapes[0])
    x = padded(context, context.x, extents)
    cells = height * width * x.shape[0]
    places = tuple(extent.places // k for extent in extents)
    order = (*((k, k) if k > 1 else ()), *places, x.shape[-1])
    pointwise = _is_pointwise(word, k) and x is context.x
    m = context.matrix(cells, word.filters, context.schedule.fold_bias and not pointwise)
    y = w.buffer(name, in_phases(k, (word.filters, *places, x.shape[-1])))
    y_matrix = by_filter(w, y, k)
    if pointwise:
        columns, windows, gather = w.reshaped(f"{name}_columns", x, (cells, x.size // cells)), None, _nothing
    else:
        columns, windows, gather = _columns(word, context, x, m, order)
    gather()
    matmul_by_columns(w, m.weight.T, columns, out=y_matrix)
    if m.bias is not None:
        w.add(y_matrix, m.bias, out=y_matrix)

    def backward(d_y: Ref) -> list[Ref | None]:
        """d_W = columns · d_yᵀ, a folded bias its last row; d_x by whichever of the two ways gathers fewer numbers."""
        d_y = contiguous(context, d_y)
        d_matrix = by_filter(w, d_y, k)
        if context.node.again and context.learns:
            gather()
        if context.learns:
            accumulate_outer(w, columns, d_matrix, out=m.d_weight)
        if context.learns and m.bias is not None:
            w.sum(d_matrix, axis=1 if k == 1 else (0, 2), out=m.d_bias)
        if not context.needs_gradient[0]:
            return [None]
        if windows is None:
            return [_pointwise_gradient(context, m, d_matrix, x)]
        around = _around_the_gradient(word, context, extents)
        if around is not None:
            return [_by_flipped_windows(context, word, m, d_y, windows, around)]
        return [unpadded(context, _added_shares(context, word, m, d_matrix, windows, x, order), context.x, extents)]

    return y, backward


def _is_pointwise(word: Conv, phases: int) -> bool:
    """A window of one cell reads an image without padding in its own order: no columns are gathered."""
    return word.pair() == (1, 1) == word.strides() and phases == 1


def _nothing() -> None:
    """Gather nothing."""


def _columns(
    word: Conv, context: KernelContext, x: Ref, m: Matrix, order: tuple[int, ...]
) -> tuple[Ref, Ref, Callable[[], None]]:
    """Return the columns with the row of ones, those of the windows alone, and what emits their gathering."""
    w, name, again = context.writer, context.node.name, context.node.again
    (height, width), channels = word.pair(), x.shape[0]
    cells = height * width * channels
    shape = (cells + m.folded, prod(order))
    columns = w.scratch(f"{name}_columns", shape) if again else w.buffer(f"{name}_columns", shape, 1)
    windows = w.view(f"{name}_windows", columns[:cells])
    target = w.reshaped(f"{windows}_apart", windows, (height, width, channels, *order))
    source = _windows(context, x, target.shape, word.strides(), word.dilations())

    def gather() -> None:
        w.copy(source, out=target)
        if again and m.folded:
            w.fill(columns[cells], 1)

    return columns, windows, gather


def _windows(
    context: KernelContext, x: Ref, shape: tuple[int, ...], strides: tuple[int, int], dilations: tuple[int, int]
) -> Ref:
    """Return what each window sees: (window height, window width, channels, *places, samples), a strided view."""
    _, height, width, samples = x.shape
    down, right, plane = width * samples, samples, height * width * samples
    steps = (dilations[0] * down, dilations[1] * right, plane, *_place_steps(context, strides, down, right))
    return context.writer.windows(f"{context.node.name}_seen", x, shape, steps)


def _place_steps(context: KernelContext, strides: tuple[int, int], down: int, right: int) -> tuple[int, ...]:
    """Return the distance in memory from each place to the next, along each axis of the places and the samples."""
    k = context.node.phases
    steps = (strides[0] * down, strides[1] * right)
    return (*(steps if k > 1 else ()), k * steps[0], k * steps[1], 1)


def _around_the_gradient(
    word: Conv, context: KernelContext, extents: tuple[Extent, Extent]
) -> tuple[Extent, Extent] | None:
    """Return the frame in which the windows over the gradient are, one place for each pixel of the input.

    None where the other way is faster, because the columns would be more than those of the forward pass, or where
    there is no such frame: strides leave gaps, and no output position covers padding wider than the window.
    """
    if max(word.strides()) > 1 or context.node.phases > 1 or word.filters > context.x.shape[0]:
        return None
    rows, columns = (
        Extent(length, reach - 1 - side.before, reach - 1 - side.after)
        for length, reach, side in zip(context.x.shape[1:3], word.reaches(word.pair()), extents, strict=True)
    )
    return (rows, columns) if min(rows.before, rows.after, columns.before, columns.after) >= 0 else None


def _by_flipped_windows(
    context: KernelContext, word: Conv, m: Matrix, d_y: Ref, windows: Ref, extents: tuple[Extent, Extent]
) -> Ref:
    """d_x[i] = Σ d_y[i + before − u] · w[u]: a convolution of the gradient.

    Its weight is the layer's, rotated by half a turn, channels and filters exchanged. Nothing is added to scattered
    places. Its columns reuse the memory of the forward pass where that is large enough.
    """
    w, name, (height, width), filters = context.writer, context.node.name, word.pair(), word.filters
    channels, *size, samples = context.x.shape
    frame = padded(context, d_y, extents)
    turned = w.buffer(f"{name}_turned", (height, width, filters, channels))
    weight = m.top.reshape(height, width, channels, filters)[::-1, ::-1].transpose(0, 1, 3, 2)
    source = w.view(f"{turned}_from", weight, contiguous=False)
    d_x = w.buffer(f"d_{name}_in", context.x.shape)
    cells, pixels = height * width * filters, d_x.size // channels
    if cells * pixels <= windows.size:
        columns = w.view(f"d_{name}_columns", windows.reshape(-1)[: cells * pixels].reshape(cells, pixels))
    else:
        columns = w.buffer(f"d_{name}_columns", (cells, pixels))
    target = w.reshaped(f"{columns}_apart", columns, (height, width, filters, *size, samples))
    seen = _windows(context, frame, target.shape, (1, 1), word.dilations())
    matrix = w.reshaped(f"{turned}_matrix", turned, (cells, channels))
    flat = w.reshaped(f"{d_x}_matrix", d_x, (channels, pixels))
    w.copy(source, out=turned)
    w.copy(seen, out=target)
    matmul_by_columns(w, matrix.T, columns, out=flat)
    return d_x


def _pointwise_gradient(context: KernelContext, m: Matrix, d_matrix: Ref, x: Ref) -> Ref:
    """d_x = W · d_y"""
    w = context.writer
    d_x = w.buffer(f"d_{context.node.name}_in", x.shape)
    flat = w.reshaped(f"{d_x}_matrix", d_x, (x.shape[0], x.size // x.shape[0]))
    matmul_by_columns(w, m.top, d_matrix, out=flat)
    return d_x


def _added_shares(
    context: KernelContext, word: Conv, m: Matrix, d_matrix: Ref, windows: Ref, x: Ref, order: tuple[int, ...]
) -> Ref:
    """d_columns = W · d_y, and each window's share of it added at the place of the window."""
    w, name, (height, width) = context.writer, context.node.name, word.pair()
    matmul_by_columns(w, m.top, d_matrix, out=windows)  # the gradient of the columns, in their own memory
    shares = w.reshaped(f"d_{name}_shares", windows, (height, width, x.shape[0], *order))
    d_x = w.buffer(f"d_{name}_in", x.shape)
    w.fill(d_x, 0)
    rows, columns = word.dilations()
    _, image_height, image_width, samples = x.shape
    down, right, plane = image_width * samples, samples, image_height * image_width * samples
    steps = (plane, *_place_steps(context, word.strides(), down, right))
    for u in range(height):
        for v in range(width):
            start = rows * u * down + columns * v * right
            place = w.windows(f"{d_x}_{u}_{v}", d_x, (x.shape[0], *order), steps, start)
            share = w.view(f"{shares}_{u}_{v}", shares[u, v])
            w.add(place, share, out=place)
    return d_x
