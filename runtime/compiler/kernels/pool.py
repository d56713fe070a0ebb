"""Pools, one axis after the other: the largest of each row of a window, then the largest of those.

Over time there is one axis, the steps of (time, samples, features). Sequences that may be padded take the plain form,
which computes each without its padded steps.
"""

from dataclasses import dataclass

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels._frames import padded, unpadded
from nnspec.runtime.compiler.program.operands import Index, Operand, Ref
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import Extent


@dataclass(frozen=True)
class _Pass:
    """One axis of a window: where the cells along it are, and the shape of what it leaves.

    `covers` says that each place of the input belongs to exactly one window.
    """

    taps: tuple[Index, ...]
    covers: bool
    shape: tuple[int, ...]

    def of(self, context: KernelContext, ref: Ref) -> list[Ref]:
        """Return the views of each cell's places."""
        return [context.writer.view(f"{ref}_{i}", ref[tap], contiguous=False) for i, tap in enumerate(self.taps)]


@kernel(MaxPool)
def maxpool(word: MaxPool, context: KernelContext) -> Written | None:
    """y = the largest of each window, and for each pair of rivals whether the first was at least as large."""
    if not _planned(word, context):
        return None
    w = context.writer
    x, passes = _prepared(word, context, "-np.inf")
    flags: list[list[Ref]] = []
    value = x
    for step in passes:
        taps = step.of(context, value)
        value, former = _result(context, step, last=step is passes[-1]), taps[0]
        flags.append([])
        if len(taps) == 1:
            w.copy(former, out=value)
        for tap in taps[1:]:
            if context.training:
                first_wins = w.buffer(f"{value}_kept", step.shape, dtype="bool")
                flags[-1].append(first_wins)
                w.greater_equal(former, tap, out=first_wins)
            w.maximum(former, tap, out=value)
            former = value

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        d_y = contiguous(context, d_y)
        shapes = [x.shape, *(step.shape for step in passes)]
        for axis in reversed(range(len(passes))):
            d_y = _to_the_winners(context, passes[axis], flags[axis], d_y, shapes[axis])
        return [_without_frame(word, context, d_y)]

    return value, backward


def _to_the_winners(context: KernelContext, step: _Pass, flags: list[Ref], d_y: Ref, shape: tuple[int, ...]) -> Ref:
    """Return the gradient along one axis: each number at its winner, from the last rival to the first."""
    w = context.writer
    d_x = w.buffer(f"d_{context.node.name}_in", shape, 0)
    places = step.of(context, d_x)
    if not step.covers:
        w.fill(d_x, 0)
    kept = d_y
    for i in range(len(flags), 0, -1):
        before = places[0] if i == 1 and step.covers else w.buffer(f"{d_x}_kept", step.shape)
        w.multiply(kept, flags[i - 1], out=before)
        if step.covers:
            w.subtract(kept, before, out=places[i])
        else:
            lost = w.buffer(f"{d_x}_lost", step.shape)
            w.subtract(kept, before, out=lost)
            w.add(places[i], lost, out=places[i])
        kept = before
    if not step.covers:
        w.add(places[0], kept, out=places[0])
    elif not flags:
        w.copy(kept, out=places[0])
    return d_x


@kernel(AvgPool)
def avgpool(word: AvgPool, context: KernelContext) -> Written | None:
    """y = the sum of each window, along the width and then along the height, divided by the cells that count."""
    if not _planned(word, context):
        return None
    w = context.writer
    x, passes = _prepared(word, context, "0")
    share = _share(word, context)
    value = x
    for step in passes:
        taps = step.of(context, value)
        value, former = _result(context, step, last=step is passes[-1]), taps[0]
        if len(taps) == 1:
            w.copy(former, out=value)
        for tap in taps[1:]:
            w.add(former, tap, out=value)
            former = value
    w.multiply(value, share, out=value)

    def backward(d_y: Ref) -> list[Ref | None]:
        """Every place of a window gets an equal share, which is copied where windows do not overlap, else added."""
        if not context.needs_gradient[0]:
            return [None]
        d_mean = context.gradient(d_y)
        w.multiply(d_y, share, out=d_mean)
        shapes = [x.shape, *(step.shape for step in passes)]
        for axis in reversed(range(len(passes))):
            d_x = w.buffer(f"d_{context.node.name}_in", shapes[axis], 0)
            if not passes[axis].covers:
                w.fill(d_x, 0)
            for i, tap in enumerate(passes[axis].taps):
                place = w.view(f"{d_x}_{i}", d_x[tap], contiguous=False)
                if passes[axis].covers:
                    w.copy(d_mean, out=place)
                else:
                    w.add(place, d_mean, out=place)
            d_mean = d_x
        return [_without_frame(word, context, d_mean)]

    return value, backward


@kernel(GlobalAvgPool)
def globalavgpool(word: GlobalAvgPool, context: KernelContext) -> Written | None:
    """y = the mean of each channel of an image; every pixel gets an equal share of d_y."""
    if len(context.x.shape) != 4:
        return None
    w, x = context.writer, context.x
    share = w.scalar(f"{context.node.name}_share", 1 / (x.shape[1] * x.shape[2]))
    y = context.output()
    w.sum(x, axis=(1, 2), out=y)
    w.multiply(y, share, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        d_x = w.buffer(f"d_{context.node.name}_in", x.shape)
        spread = w.view(f"{d_y}_spread", d_y[:, None, None])  # (channels, 1, 1, samples)
        w.multiply(spread, share, out=d_x)
        return [d_x]

    return y, backward


def _result(context: KernelContext, step: _Pass, last: bool) -> Ref:
    """Return a new array for what a pass leaves."""
    return context.output() if last else context.writer.buffer(f"{context.node.name}_rows", step.shape)


def _planned(word: Pool, context: KernelContext) -> bool:
    """Return whether the samples are laid out as images, or as sequences without padding."""
    if word.along_time(context.node.input_shapes[0]) is None:
        return len(context.x.shape) > 3
    return len(context.x.shape) == 3 and not reads_symbols(context.schedule.nodes)


def _share(word: AvgPool, context: KernelContext) -> Operand:
    """Return 1 / the cells that count in each window: one number, or one for each place."""
    w, name = context.writer, f"{context.node.name}_share"
    rows, columns = word.counted(context.node.input_shapes[0])
    if len({*rows}) == len({*columns}) == 1:
        return w.scalar(name, 1 / (rows[0] * columns[0]))
    steps = word.along_time(context.node.input_shapes[0]) is not None
    shape = (len(rows), 1, 1) if steps else (1, len(rows), len(columns), 1)
    shares = f"(1 / np.multiply.outer({rows}, {columns})).reshape{shape}.astype(np.{w.dtype})"
    return w.once(name, shares, shape)


def _prepared(word: Pool, context: KernelContext, border: str) -> tuple[Ref, tuple[_Pass, ...]]:
    """Return the samples in their frame, and the passes: along width and height, or along time."""
    every = slice(None)
    if context.node.phases > 1:
        k, _, *image = context.x.shape  # phases along the height, and along the width
        return context.x, (
            _Pass(tuple((every, j) for j in range(k)), True, (k, *image)),
            _Pass(tuple((i,) for i in range(k)), True, (*image,)),
        )
    shape = context.node.input_shapes[0]
    (height, rows), (width, columns) = _axes(word, shape)
    if word.along_time(shape) is not None:
        x = padded(context, context.x, (rows,), border, first=0)
        time, samples, features = x.shape
        steps = tuple((tap,) for tap in _taps(word, 0, height, rows))
        return x, (_Pass(steps, _covers(word, 0, rows, height, time), (rows.places, samples, features)),)
    x = padded(context, context.x, (rows, columns), border)
    channels, tall, wide, samples = x.shape
    across = tuple((every, every, tap) for tap in _taps(word, 1, width, columns))
    down = tuple((every, tap) for tap in _taps(word, 0, height, rows))
    return x, (
        _Pass(across, _covers(word, 1, columns, width, wide), (channels, tall, columns.places, samples)),
        _Pass(down, _covers(word, 0, rows, height, tall), (channels, rows.places, columns.places, samples)),
    )


def _axes(word: Pool, shape: Shape) -> tuple[tuple[int, Extent], tuple[int, Extent]]:
    """Return the cells of a window and its places along both axes, without cells that are in the padding everywhere."""
    (*lengths, _), windows = word.plane(shape)
    down, across = (
        _clipped(word, axis, window, extent, length)
        for axis, window, extent, length in zip((0, 1), windows, word.extents(shape), lengths, strict=True)
    )
    return down, across


def _clipped(word: Pool, axis: int, window: int, extent: Extent, length: int) -> tuple[int, Extent]:
    step = word.strides()[axis]
    start = max(0, extent.before - (extent.places - 1) * step)
    end = min(window, extent.before + length)
    if word.dilations()[axis] > 1 or (start, end) == (0, window):
        return window, extent
    before = extent.before - start
    after = (extent.places - 1) * step + end - start - length - before
    return end - start, Extent(extent.places, before, max(min(extent.after, after), 0))


def _taps(word: Pool, axis: int, window: int, extent: Extent) -> list[slice]:
    """Return, for each cell of a window along an axis, where it is in all windows."""
    s, d = word.strides()[axis], word.dilations()[axis]
    return [slice(u * d, u * d + s * (extent.places - 1) + 1, s) for u in range(window)]


def _covers(word: Pool, axis: int, extent: Extent, window: int, length: int) -> bool:
    """Return whether each place along an axis belongs to exactly one window."""
    return word.dilations()[axis] == 1 and word.strides()[axis] == window and extent.places * window == length


def _without_frame(word: Pool, context: KernelContext, d_x: Ref) -> Ref:
    """Return the gradient of the samples alone."""
    if context.node.phases > 1:
        return d_x
    shape = context.node.input_shapes[0]
    (_, rows), (_, columns) = _axes(word, shape)
    if word.along_time(shape) is None:
        return unpadded(context, d_x, context.x, (rows, columns))
    return unpadded(context, d_x, context.x, (rows,), first=0)
