"""Pools, one axis after the other: the largest of each row of a window, then the largest of those."""

from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels.conv import padded, unpadded
from nnspec.runtime.compiler.program.operands import Index, Ref
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.spatial import window_extent


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
def maxpool(word: MaxPool, context: KernelContext) -> Written:
    """y = the largest of each window, and for each pair of rivals whether the first was at least as large."""
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
def avgpool(word: AvgPool, context: KernelContext) -> Written:
    """y = the sum of each window, along the width and then along the height, divided by its size."""
    w = context.writer
    x, passes = _prepared(word, context, "0")
    height, width = word.pair()
    share = w.scalar(f"{context.node.name}_share", 1 / (height * width))
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


def _prepared(word: Pool, context: KernelContext, border: str) -> tuple[Ref, tuple[_Pass, _Pass]]:
    """Return the image in its frame, and the passes along its width and its height."""
    every = slice(None)
    if context.node.phases > 1:
        channels, k, _, tall, wide, samples = context.x.shape
        return context.x, (
            _Pass(tuple((every, every, j) for j in range(k)), True, (channels, k, tall, wide, samples)),
            _Pass(tuple((every, i) for i in range(k)), True, (channels, tall, wide, samples)),
        )
    (height, width), s = word.pair(), word.steps()
    rows, columns = word.extents(context.node.input_shapes[0], word.pad)
    x = padded(context, context.x, (rows, columns), border)
    channels, tall, wide, samples = x.shape
    across = tuple((every, every, slice(v, v + s * (columns.places - 1) + 1, s)) for v in range(width))
    down = tuple((every, slice(u, u + s * (rows.places - 1) + 1, s)) for u in range(height))
    return x, (
        _Pass(across, s == width and columns.places * s == wide, (channels, tall, columns.places, samples)),
        _Pass(down, s == height and rows.places * s == tall, (channels, rows.places, columns.places, samples)),
    )


def _without_frame(word: Pool, context: KernelContext, d_x: Ref) -> Ref:
    """Return the gradient of the image alone."""
    if context.node.phases > 1:
        return d_x
    image = context.node.input_shapes[0].as_image()
    assert image is not None
    height, width = word.pair()
    rows = window_extent(image[0], height, word.steps(), word.pad)
    columns = window_extent(image[1], width, word.steps(), word.pad)
    return unpadded(context, d_x, (rows, columns))
