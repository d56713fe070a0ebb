"""Larger images and sequences: repeated cells, interpolation by two matrices, and the transposed convolution."""

from math import prod

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels._products import accumulate_outer, matmul_by_columns
from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed, Upsample
from nnspec.spec_lang.vocabulary.spatial import image_or_steps


@kernel(Upsample)
def upsample(word: Upsample, context: KernelContext) -> Written | None:
    """y = each cell repeated, d_x the sums over the copies; or y = R · x · Cᵀ, d_x = Rᵀ · d_y · C (`bilinear`).

    Sequences that may be padded take the plain form.
    """
    steps = is_steps(context.node.input_shapes[0])
    if steps and reads_symbols(context.schedule.nodes):
        return None
    return _interpolated(word, context, steps) if word.mode == "bilinear" else _repeated(word, context, steps)


def _repeated(word: Upsample, context: KernelContext, steps: bool) -> Written:
    w, name, x = context.writer, context.node.name, context.x
    down, right = word.factors(context.node.input_shapes[0])
    y = context.output()
    apart: tuple[int, ...]
    axes: tuple[int, ...]
    if steps:
        time, samples, features = x.shape
        apart, axes = (time, down, samples, features), (1,)
        source = w.view(f"{x}_spread", x[:, None], contiguous=False)
    else:
        channels, height, width, samples = x.shape
        apart, axes = (channels, height, down, width, right, samples), (2, 4)
        source = w.view(f"{x}_spread", x[:, :, None, :, None], contiguous=False)
    w.copy(source, out=w.reshaped(f"{y}_apart", y, apart))

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        d_y = contiguous(context, d_y)
        d_x = w.buffer(f"d_{name}_in", x.shape)
        w.sum(w.reshaped(f"{d_y}_apart", d_y, apart), axis=axes, out=d_x)
        return [d_x]

    return y, backward


def _interpolated(word: Upsample, context: KernelContext, steps: bool) -> Written:
    w, name, shape = context.writer, context.node.name, context.node.input_shapes[0]
    image, _ = image_or_steps(word.word, shape)
    x = contiguous(context, context.x)
    y = context.output()
    rows, columns = (
        w.constant(
            f"{name}_{axis}",
            _interpolation(length, factor, word.align_corners, w.dtype),
            (factor * length, length),
        )
        for axis, length, factor in zip(("rows", "columns"), image, word.factors(shape), strict=False)
    )
    planes = 1 if steps else image[2]
    inner = x.size // (planes * image[0])  # numbers in a row
    stack, tall = (planes, image[0], inner), (planes, rows.shape[0], inner)
    wide = (planes * rows.shape[0], image[1], inner // image[1])
    if steps:
        w.matmul(rows, w.reshaped(f"{x}_rows", x, stack), out=w.reshaped(f"{y}_rows", y, tall))
    else:
        middle = w.buffer(f"{name}_tall", tall)
        w.matmul(rows, w.reshaped(f"{x}_rows", x, stack), out=middle)
        flat = w.reshaped(f"{y}_columns", y, (wide[0], columns.shape[0], wide[2]))
        w.matmul(columns, w.reshaped(f"{middle}_columns", middle, wide), out=flat)

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        d_y = contiguous(context, d_y)
        d_x = w.buffer(f"d_{name}_in", x.shape)
        d_rows = w.reshaped(f"{d_x}_rows", d_x, stack)
        if steps:
            w.matmul(rows.T, w.reshaped(f"{d_y}_rows", d_y, tall), out=d_rows)
            return [d_x]
        d_middle = w.buffer(f"d_{name}_tall", tall)
        d_flat = w.reshaped(f"{d_y}_columns", d_y, (wide[0], columns.shape[0], wide[2]))
        w.matmul(columns.T, d_flat, out=w.reshaped(f"{d_middle}_columns", d_middle, wide))
        w.matmul(rows.T, d_middle, out=d_rows)
        return [d_x]

    return y, backward


def _interpolation(length: int, factor: int, align_corners: bool, dtype: str) -> str:
    """Return the expression of the matrix that `runtime.layers.upsampling.interpolation` defines."""
    outputs = f"np.arange({factor * length})"
    places = f"({outputs} + 0.5) / {factor} - 0.5"
    if align_corners:
        places = f"{outputs} * {(length - 1) / max(factor * length - 1, 1)!r}"
    inside = f"np.clip({places}, 0, {length - 1})"
    return f"np.maximum(1 - np.abs({inside}[:, None] - np.arange({length})), 0).astype(np.{dtype})"


@kernel(Transposed)
def transposed(word: Transposed, context: KernelContext) -> Written | None:
    """y = the shares Wᵀ · x of each window, added at its place, or copied where windows do not overlap.

    d_x and d_W are products of the gathered windows of d_y. Over time, and in groups, it takes the plain form.
    """
    shape = context.node.input_shapes[0]
    if word.groups > 1 or word.along_time(shape) is not None or len(context.x.shape) != 4:
        return None
    w, name = context.writer, context.node.name
    x = contiguous(context, context.x)
    channels, *size, samples = x.shape
    (height, width), filters = word.pair(), word.filters
    value, d_value = context.parameter("weight")  # (height, width, in, out)
    turned = w.buffer(f"{name}_turned", (height, width, filters, channels))
    w.copy(w.view(f"{turned}_from", value.transpose(0, 1, 3, 2), contiguous=False), out=turned)
    matrix = w.reshaped(f"{turned}_matrix", turned, (height * width * filters, channels))
    x_matrix = w.reshaped(f"{x}_matrix", x, (channels, x.size // channels))
    shares = w.buffer(f"{name}_shares", (matrix.shape[0], x_matrix.shape[1]))
    matmul_by_columns(w, matrix, x_matrix, out=shares)
    frame = w.buffer(f"{name}_frame", (filters, *_frame(word, context), samples))
    apart = w.reshaped(f"{shares}_apart", shares, (height, width, filters, *size, samples))
    adjacent = word.strides() == (height, width) and word.dilations() == (1, 1)
    if not adjacent:
        w.fill(frame, 0)
    for u in range(height):
        for v in range(width):
            place = _windows(word, context, frame, (filters, *size, samples), (u, v))
            if adjacent:
                w.copy(apart[u, v], out=place)
            else:
                w.add(place, apart[u, v], out=place)
    y = context.output()
    inside = _inside(word, context, frame)
    if word.bias:
        bias = w.view(f"{name}_bias", context.parameter("bias")[0][:, None, None, None])
        w.add(inside, bias, out=y)
    else:
        w.copy(inside, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        if word.bias:
            d_bias = w.view(f"d_{name}_bias", context.parameter("bias")[1])
            w.sum(d_y, axis=(1, 2, 3), out=d_bias)
        w.fill(frame, 0)
        w.copy(d_y, out=inside)
        seen = _all_windows(word, context, frame, apart.shape)
        w.copy(seen, out=apart)
        d_turned = w.buffer(f"d_{name}_turned", matrix.shape)
        accumulate_outer(w, shares, x_matrix, out=d_turned)
        d_weight = w.view(f"d_{name}_weight", d_value)
        w.copy(d_turned.reshape(height, width, filters, channels).transpose(0, 1, 3, 2), out=d_weight)
        if not context.needs_gradient[0]:
            return [None]
        d_x = w.buffer(f"d_{name}_in", x.shape)
        flat = w.reshaped(f"{d_x}_matrix", d_x, x_matrix.shape)
        matmul_by_columns(w, matrix.T, shares, out=flat)
        return [d_x]

    return y, backward


def _frame(word: Transposed, context: KernelContext) -> tuple[int, int]:
    """Return the rows and columns of the output with all that is cut off around it."""
    shape = context.node.input_shapes[0]
    rows, columns = (extent.before + extent.places + extent.after for extent in word.extents(shape))
    return rows, columns


def _inside(word: Transposed, context: KernelContext, frame: Ref) -> Ref:
    rows, columns = word.extents(context.node.input_shapes[0])
    inside = (slice(extent.before, extent.before + extent.places) for extent in (rows, columns))
    return context.writer.view(f"{frame}_inside", frame[(slice(None), *inside)], contiguous=False)


def _steps(word: Transposed, frame: Ref) -> tuple[tuple[int, int], tuple[int, ...]]:
    """Return the distance in memory of the cells of a window, and of the windows: (filters, rows, columns, samples)."""
    width, samples = frame.shape[2:]
    down, right = width * samples, samples
    (s, t), (d, e) = word.strides(), word.dilations()
    return (d * down, e * right), (prod(frame.shape[1:]), s * down, t * right, 1)


def _windows(
    word: Transposed, context: KernelContext, frame: Ref, shape: tuple[int, ...], cell: tuple[int, int]
) -> Ref:
    """Return where this cell of every window is in the frame, (filters, height, width, samples)."""
    cells, places = _steps(word, frame)
    start = cell[0] * cells[0] + cell[1] * cells[1]
    return context.writer.windows(f"{frame}_{cell[0]}_{cell[1]}", frame, shape, places, start)


def _all_windows(word: Transposed, context: KernelContext, frame: Ref, shape: tuple[int, ...]) -> Ref:
    """Return what each window covers of the frame, (window height, width, filters, height, width, samples)."""
    cells, places = _steps(word, frame)
    return context.writer.windows(f"{frame}_seen", frame, shape, (*cells, *places))
