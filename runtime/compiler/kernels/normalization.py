"""Normalizations: whole passes over (channels, places), places being rows, columns and samples."""

from collections.abc import Sequence
from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import Backward, KernelContext, Written, kernel, unbroken
from nnspec.runtime.compiler.writer import INDENT, Ref
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, LayerNorm

_BY_CHANNEL = "ij,ij->i"  # Σ over the places of each channel
_BY_PLACE = "ij,ij->j"  # Σ over the channels of each place


@dataclass(frozen=True)
class _Channels:
    """One number for each channel: the array, and as a column beside (channels, places)."""

    row: str
    column: str

    @classmethod
    def of(cls, site: KernelContext, wish: str, row: str) -> "_Channels":
        """Those of an array that is there."""
        return cls(row, site.writer.view(f"{wish}_column", f"{row}[:, None]", (site.x.shape[0], 1)).name)

    @classmethod
    def new(cls, site: KernelContext, what: str) -> "_Channels":
        """New ones of this node."""
        wish = f"{site.node.name}_{what}"
        return cls.of(site, wish, site.writer.buffer(wish, (site.x.shape[0],)).name)

    @classmethod
    def learnt(cls, site: KernelContext, what: str) -> "_Channels":
        """A parameter of this node."""
        wish = f"{site.node.name}_{what}"
        return cls.of(site, wish, site.writer.view(wish, site.parameter(what)[0], (site.x.shape[0],)).name)


@kernel(BatchNorm)
def batchnorm(word: BatchNorm, site: KernelContext) -> Written | None:
    """(x − mean) / √(variance + eps) · weight + bias: a product and a sum for each channel, once those are known.

    At inference the running averages normalize. While training the batch's own do, and the running ones move as the
    definition says.
    """
    w = site.writer
    if not site.node.channels_in_front or (site.training and site.x.size * w.batch == site.x.shape[0] * w.samples):
        return None
    x = unbroken(site, site.x)
    seen, y = _places(site, x), site.output()
    weight, bias = (_Channels.learnt(site, name) for name in ("weight", "bias"))
    running = [
        w.view(f"{site.node.name}_{name}", site.kept(name), (x.shape[0],)).name
        for name in ("running_mean", "running_var")
    ]
    factor, shift = (_Channels.new(site, name) for name in ("factor", "shift"))
    if site.training:
        batch = _measured(word, site, seen, running)
        w.do(f"np.multiply({batch.inverse}, {weight.row}, out={factor.row})")
        w.do(f"np.multiply({batch.apart}, {factor.row}, out={shift.row})")
        w.do(f"np.add({bias.row}, {shift.row}, out={shift.row})")
        seen = batch.centred
    else:
        w.do(f"np.add({running[1]}, {w.scalar('eps', word.eps)}, out={factor.row})")
        w.do(f"np.sqrt({factor.row}, out={factor.row})")
        w.do(f"np.divide({weight.row}, {factor.row}, out={factor.row})")
        w.do(f"np.multiply({running[0]}, {factor.row}, out={shift.row})")
        w.do(f"np.subtract({bias.row}, {shift.row}, out={shift.row})")
    flat = _places(site, y)
    w.do(f"np.multiply({seen.name}, {factor.column}, out={flat.name})")
    w.do(f"np.add({flat.name}, {shift.column}, out={flat.name})")
    return y, _back_through_the_batch(site, batch, factor) if site.training else lambda d_y: [None]


@dataclass(frozen=True)
class _Batch:
    """What a lane knows of a batch, by channel.

    `centred` are its numbers without their own mean, `apart` that mean without the mean of all lanes, `inverse` is
    1 / √(variance of all lanes + eps), `count` how many numbers all lanes have.
    """

    centred: Ref
    apart: str
    inverse: str
    count: int


def _measured(word: BatchNorm, site: KernelContext, seen: Ref, running: Sequence[str]) -> _Batch:
    """Mean and variance of the batch, and the running ones moved.

    Every lane gives the sum of its numbers and of their squares about its own mean; then the mean is Σ sums / n, and
    n · variance = Σ (squares + n_lane · (mean_lane − mean)²) (Chan, Golub & LeVeque 1979): lanes meet but once, and
    nothing cancels. What follows each lane computes alike, and the first moves the running averages.
    """
    w, name = site.writer, site.node.name
    channels, places = seen.shape
    lanes = [places // w.samples * samples for samples in w.lanes]
    count = sum(lanes)
    sums, own_sum = w.together(f"{name}_sums", (channels,))
    squares, own_squares = w.together(f"{name}_squares", (channels,))
    counts = w.view(f"{name}_counts", f"np.array({[[lane] for lane in lanes]}, np.{w.dtype})", (len(lanes), 1)).name
    own_mean = _Channels.new(site, "own_mean")
    centred = _over(site, seen, "centred")
    w.do(f"np.add.reduce({seen.name}, axis=1, out={own_sum})")
    w.do(f"np.divide({own_sum}, {counts}[number], out={own_mean.row})")
    w.do(f"np.subtract({seen.name}, {own_mean.column}, out={centred.name})")
    w.do(f"np.einsum({_BY_CHANNEL!r}, {centred.name}, {centred.name}, out={own_squares})")
    w.meet()
    apart, spread = (w.buffer(f"{name}_{part}", (len(lanes), channels)).name for part in ("apart", "spread"))
    mean, variance = (w.buffer(f"{name}_{part}", (channels,)).name for part in ("mean", "variance"))
    n = w.scalar(f"{name}_count", count)
    w.do(f"np.add.reduce({sums}, axis=0, out={mean})")
    w.do(f"np.divide({mean}, {n}, out={mean})")
    w.do(f"np.divide({sums}, {counts}, out={apart})")
    w.do(f"np.subtract({apart}, {mean}, out={apart})")
    w.do(f"np.multiply({apart}, {apart}, out={spread})")
    w.do(f"np.multiply({spread}, {counts}, out={spread})")
    w.do(f"np.add({spread}, {squares}, out={spread})")
    w.do(f"np.add.reduce({spread}, axis=0, out={variance})")
    _move(word, site, running, (mean, variance), count)
    w.do(f"np.divide({variance}, {n}, out={variance})")
    w.do(f"np.add({variance}, {w.scalar('eps', word.eps)}, out={variance})")
    w.do(f"np.sqrt({variance}, out={variance})")
    w.do(f"np.divide({w.scalar('one', 1.0)}, {variance}, out={variance})")
    return _Batch(centred, w.view(f"{name}_own_apart", f"{apart}[number]", (channels,)).name, variance, count)


def _move(word: BatchNorm, site: KernelContext, running: Sequence[str], batch: Sequence[str], count: int) -> None:
    """Move the running averages towards the batch's mean and its squares / (count − 1), in the first lane alone."""
    w = site.writer
    free, momentum = w.scalar("free", 1 / (count - 1)), w.scalar("momentum", word.momentum)
    step = w.buffer(f"{site.node.name}_step", (site.x.shape[0],)).name
    first = INDENT if len(w.lanes) > 1 else ""
    if first:
        w.do("if number == 0:")
    for former, now, factor in zip(running, batch, (None, free), strict=True):
        if factor is not None:
            w.do(f"{first}np.multiply({now}, {factor}, out={step})")
            now = step
        w.do(f"{first}np.subtract({now}, {former}, out={step})")
        w.do(f"{first}np.multiply({step}, {momentum}, out={step})")
        w.do(f"{first}np.add({former}, {step}, out={former})")


def _back_through_the_batch(site: KernelContext, batch: _Batch, factor: _Channels) -> Backward:
    """d_x = factor · (d_y − mean(d_y) − normal · mean(d_y · normal)), normal = (centred + apart) · inverse.

    Written out it is a product of d_y, one of `centred`, and a sum, for each channel. Lanes meet to add up the two
    means, which are those of the gradients of bias and weight.
    """
    w, name, channels = site.writer, site.node.name, site.x.shape[0]
    centred = batch.centred

    def backward(d_y: Ref) -> list[Ref | None]:
        """The gradients of weight and bias are this lane's share; that of x needs what all lanes have seen."""
        d_y = unbroken(site, d_y)
        d_flat = _places(site, d_y)
        d_weight, d_bias = (
            w.view(f"d_{name}_{part}", site.parameter(part)[1], (channels,)).name for part in ("weight", "bias")
        )
        along, slope, shift = (_Channels.new(site, part) for part in ("along", "slope", "d_shift"))
        w.do(f"np.add.reduce({d_flat.name}, axis=1, out={d_bias})")
        w.do(f"np.einsum({_BY_CHANNEL!r}, {d_flat.name}, {centred.name}, out={d_weight})")
        w.do(f"np.multiply({d_bias}, {batch.apart}, out={along.row})")
        w.do(f"np.add({d_weight}, {along.row}, out={d_weight})")
        w.do(f"np.multiply({d_weight}, {batch.inverse}, out={d_weight})")
        if not site.wanted[0]:
            return [None]
        totals, own = w.together(f"{name}_d_sums", (2, channels))
        w.do(f"{own}[0] = {d_bias}")
        w.do(f"{own}[1] = {d_weight}")
        w.meet()
        means = w.buffer(f"{name}_d_means", (2, channels)).name
        w.do(f"np.add.reduce({totals}, axis=0, out={means})")
        w.do(f"np.divide({means}, {w.scalar('back_count', batch.count)}, out={means})")
        w.do(f"np.negative({factor.row}, out={slope.row})")
        w.do(f"np.multiply({slope.row}, {means}[0], out={shift.row})")
        w.do(f"np.multiply({slope.row}, {means}[1], out={slope.row})")
        w.do(f"np.multiply({slope.row}, {batch.inverse}, out={slope.row})")
        w.do(f"np.multiply({slope.row}, {batch.apart}, out={along.row})")
        w.do(f"np.add({shift.row}, {along.row}, out={shift.row})")
        w.do(f"np.multiply({centred.name}, {slope.column}, out={centred.name})")
        w.do(f"np.add({centred.name}, {shift.column}, out={centred.name})")
        d_x = site.gradient(d_y)
        d_x_flat = _places(site, d_x)
        w.do(f"np.multiply({d_flat.name}, {factor.column}, out={d_x_flat.name})")
        w.do(f"np.add({d_x_flat.name}, {centred.name}, out={d_x_flat.name})")
        return [d_x]

    return backward


@kernel(LayerNorm)
def layernorm(word: LayerNorm, site: KernelContext) -> Written | None:
    """(x − mean) / √(variance + eps) · weight + bias over the channels of each place, in training and at inference."""
    if not site.node.channels_in_front:
        return None
    w, x = site.writer, unbroken(site, site.x)
    weight, bias = (_Channels.learnt(site, name).column for name in ("weight", "bias"))
    seen, y = _places(site, x), site.output()
    channels, places = seen.shape
    flat = _places(site, y)
    mean, inverse = (w.buffer(f"{site.node.name}_{name}", (places,)).name for name in ("mean", "inverse"))
    share, eps, one = w.scalar("share", 1 / channels), w.scalar("eps", word.eps), w.scalar("one", 1.0)
    normal = _over(site, seen, "normal")
    w.do(f"np.add.reduce({seen.name}, axis=0, out={mean})")
    w.do(f"np.multiply({mean}, {share}, out={mean})")
    w.do(f"np.subtract({seen.name}, {mean}, out={normal.name})")
    w.do(f"np.einsum({_BY_PLACE!r}, {normal.name}, {normal.name}, out={inverse})")
    w.do(f"np.multiply({inverse}, {share}, out={inverse})")
    w.do(f"np.add({inverse}, {eps}, out={inverse})")
    w.do(f"np.sqrt({inverse}, out={inverse})")
    w.do(f"np.divide({one}, {inverse}, out={inverse})")
    w.do(f"np.multiply({normal.name}, {inverse}, out={normal.name})")
    w.do(f"np.multiply({normal.name}, {weight}, out={flat.name})")
    w.do(f"np.add({flat.name}, {bias}, out={flat.name})")
    return y, _back_through_places(site, normal, inverse, weight)


def _back_through_places(site: KernelContext, normal: Ref, inverse: str, weight: str) -> Backward:
    """d_x = inverse · (g − mean(g) − normal · mean(g · normal)), g = d_y · weight, means over a place's channels."""
    w, name = site.writer, site.node.name
    channels, places = normal.shape

    def backward(d_y: Ref) -> list[Ref | None]:
        """The gradients of weight and bias are sums over places; `normal` is used up."""
        d_y = unbroken(site, d_y)
        d_flat = _places(site, d_y)
        for part, line in (
            ("weight", f"np.einsum({_BY_CHANNEL!r}, {d_flat.name}, {normal.name}, out={{}})"),
            ("bias", f"np.add.reduce({d_flat.name}, axis=1, out={{}})"),
        ):
            w.do(line.format(w.view(f"d_{name}_{part}", site.parameter(part)[1], (channels,)).name))
        if not site.wanted[0]:
            return [None]
        along, across = (w.buffer(f"{name}_{part}", (places,)).name for part in ("along", "across"))
        share = w.scalar("share", 1 / channels)
        d_x = w.buffer(f"d_{name}_in", normal.shape)
        w.do(f"np.multiply({d_flat.name}, {weight}, out={d_x.name})")
        w.do(f"np.add.reduce({d_x.name}, axis=0, out={across})")
        w.do(f"np.einsum({_BY_PLACE!r}, {d_x.name}, {normal.name}, out={along})")
        for mean in (along, across):
            w.do(f"np.multiply({mean}, {share}, out={mean})")
        w.do(f"np.multiply({normal.name}, {along}, out={normal.name})")
        w.do(f"np.subtract({d_x.name}, {normal.name}, out={d_x.name})")
        w.do(f"np.subtract({d_x.name}, {across}, out={d_x.name})")
        w.do(f"np.multiply({d_x.name}, {inverse}, out={d_x.name})")
        return [w.reshaped(f"{d_x.name}_apart", d_x, site.x.shape)]

    return backward


def _over(site: KernelContext, seen: Ref, what: str) -> Ref:
    """Where to keep what is made of `seen`: in its own place if nobody else needs that, else in a new array."""
    return seen if seen.free else site.writer.buffer(f"{site.node.name}_{what}", seen.shape)


def _places(site: KernelContext, ref: Ref) -> Ref:
    """An array as (channels, places)."""
    return site.writer.reshaped(f"{ref.name}_places", ref, (ref.shape[0], ref.size // ref.shape[0]))
