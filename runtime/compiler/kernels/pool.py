"""Pools, one axis after the other: the largest of each row of a window, then the largest of those."""

from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel, unbroken
from nnspec.runtime.compiler.kernels.conv import padded, unpadded
from nnspec.runtime.compiler.writer import Ref
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.spatial import window_extent


@dataclass(frozen=True)
class _Pass:
    """One axis of a window: the cell's places along it as index expressions, whether each place is some window's
    own."""

    taps: tuple[str, ...]
    covers: bool
    shape: tuple[int, ...]


@kernel(MaxPool)
def maxpool(word: MaxPool, site: KernelContext) -> Written:
    """Maxima along the width, then along the height, and which of two was at least as large: the first winner, row
    by row."""
    w = site.writer
    x, passes = _prepared(word, site, "-np.inf")
    flags: list[list[str]] = []
    value = x
    for axis, step in enumerate(passes):
        taps = [
            w.view(f"{value.name}_{i}", f"{value.name}{tap}", step.shape, solid=False)
            for i, tap in enumerate(step.taps)
        ]
        last = axis == len(passes) - 1
        out = site.output() if last else w.buffer(f"{site.node.name}_rows", step.shape)
        flags.append([])
        former = taps[0]
        if len(taps) == 1:
            w.do(f"np.copyto({out.name}, {former.name})")
        for tap in taps[1:]:
            if site.training:
                flag = w.buffer(f"{out.name}_kept", step.shape, dtype="bool").name
                flags[-1].append(flag)
                w.do(f"np.greater_equal({former.name}, {tap.name}, out={flag})")
            w.do(f"np.maximum({former.name}, {tap.name}, out={out.name})")
            former = out
        value = out

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        d_y = unbroken(site, d_y)
        shapes = [x.shape, *(step.shape for step in passes)]
        for axis in reversed(range(len(passes))):
            d_y = _share(site, passes[axis], flags[axis], d_y, shapes[axis])
        return [_back(word, site, d_y)]

    return value, backward


def _share(site: KernelContext, step: _Pass, flags: list[str], d_y: Ref, shape: tuple[int, ...]) -> Ref:
    """The gradient along one axis: each number to its winner, from the last rival to the first."""
    w = site.writer
    d_x = w.buffer(f"d_{site.node.name}_in", shape, 0)
    places = [w.view(f"{d_x.name}_{i}", f"{d_x.name}{tap}", step.shape, solid=False) for i, tap in enumerate(step.taps)]
    if not step.covers:
        w.do(f"{d_x.name}.fill(0)")
    kept = d_y.name
    for i in range(len(flags), 0, -1):
        place = places[i].name
        before = places[0].name if i == 1 and step.covers else w.buffer(f"{d_x.name}_kept", step.shape).name
        w.do(f"np.multiply({kept}, {flags[i - 1]}, out={before})")
        if step.covers:
            w.do(f"np.subtract({kept}, {before}, out={place})")
        else:
            lost = w.buffer(f"{d_x.name}_lost", step.shape).name
            w.do(f"np.subtract({kept}, {before}, out={lost})")
            w.do(f"np.add({place}, {lost}, out={place})")
        kept = before
    if not step.covers:
        w.do(f"np.add({places[0].name}, {kept}, out={places[0].name})")
    elif not flags:
        w.do(f"np.copyto({places[0].name}, {kept})")
    return d_x


@kernel(AvgPool)
def avgpool(word: AvgPool, site: KernelContext) -> Written:
    """Sums along the width, then along the height, and one product."""
    w = site.writer
    x, passes = _prepared(word, site, "0")
    height, width = word.pair()
    share = w.scalar(f"{site.node.name}_share", 1 / (height * width))
    value = x
    for axis, step in enumerate(passes):
        taps = [
            w.view(f"{value.name}_{i}", f"{value.name}{tap}", step.shape, solid=False)
            for i, tap in enumerate(step.taps)
        ]
        out = site.output() if axis == len(passes) - 1 else w.buffer(f"{site.node.name}_rows", step.shape)
        if len(taps) == 1:
            w.do(f"np.copyto({out.name}, {taps[0].name})")
        former = taps[0]
        for tap in taps[1:]:
            w.do(f"np.add({former.name}, {tap.name}, out={out.name})")
            former = out
        value = out
    w.do(f"np.multiply({value.name}, {share}, out={value.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        """Every place of a window gets an equal share, first along the height, then along the width. Where each place
        belongs to one window alone the share is copied, else shares are added."""
        if not site.wanted[0]:
            return [None]
        d_mean = site.gradient(d_y)
        w.do(f"np.multiply({d_y.name}, {share}, out={d_mean.name})")
        shapes = [x.shape, *(step.shape for step in passes)]
        for axis in reversed(range(len(passes))):
            d_x = w.buffer(f"d_{site.node.name}_in", shapes[axis], 0)
            if not passes[axis].covers:
                w.do(f"{d_x.name}.fill(0)")
            for i, tap in enumerate(passes[axis].taps):
                place = w.view(f"{d_x.name}_{i}", f"{d_x.name}{tap}", passes[axis].shape, solid=False).name
                verb = (
                    f"np.copyto({place}, {d_mean.name})"
                    if passes[axis].covers
                    else f"np.add({place}, {d_mean.name}, out={place})"
                )
                w.do(verb)
            d_mean = d_x
        return [_back(word, site, d_mean)]

    return value, backward


@kernel(GlobalAvgPool)
def globalavgpool(word: GlobalAvgPool, site: KernelContext) -> Written | None:
    """One sum over both axes of each image."""
    if len(site.x.shape) != 4:
        return None
    w, x = site.writer, site.x
    share = w.scalar(f"{site.node.name}_share", 1 / (x.shape[1] * x.shape[2]))
    y = site.output()
    w.do(f"np.add.reduce({x.name}, axis=(1, 2), out={y.name})")
    w.do(f"np.multiply({y.name}, {share}, out={y.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        d_x = w.buffer(f"d_{site.node.name}_in", x.shape)
        spread = w.view(f"{d_y.name}_spread", f"{d_y.name}[:, None, None]", (y.shape[0], 1, 1, y.shape[1]))
        w.do(f"np.multiply({spread.name}, {share}, out={d_x.name})")
        return [d_x]

    return y, backward


def _prepared(word: Pool, site: KernelContext, border: str) -> tuple[Ref, list[_Pass]]:
    """The image in its frame, and the two passes over it."""
    height, width = word.pair()
    if site.node.phases > 1:
        channels, k, _, down_places, across_places, samples = site.x.shape
        across = tuple(f"[:, :, {j}]" for j in range(k))
        down = tuple(f"[:, {i}]" for i in range(k))
        return site.x, [
            _Pass(across, True, (channels, k, down_places, across_places, samples)),
            _Pass(down, True, (channels, down_places, across_places, samples)),
        ]
    s = word.steps()
    rows, columns = word.extents(site.node.input_shapes[0], word.pad)
    x = padded(site, site.x, rows, columns, border)
    channels, tall, wide, samples = x.shape
    across = tuple(f"[:, :, {v}:{v + s * (columns.places - 1) + 1}:{s}]" for v in range(width))
    down = tuple(f"[:, {u}:{u + s * (rows.places - 1) + 1}:{s}]" for u in range(height))
    return x, [
        _Pass(across, s == width and columns.places * s == wide, (channels, tall, columns.places, samples)),
        _Pass(down, s == height and rows.places * s == tall, (channels, rows.places, columns.places, samples)),
    ]


def _back(word: Pool, site: KernelContext, d_x: Ref) -> Ref:
    if site.node.phases > 1:
        return d_x
    image = site.node.input_shapes[0].as_image()
    assert image is not None
    height, width = word.pair()
    rows = window_extent(image[0], height, word.steps(), word.pad)
    columns = window_extent(image[1], width, word.steps(), word.pad)
    return unpadded(site, d_x, site.x, (rows, columns))
