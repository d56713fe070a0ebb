"""Normalizations: whole passes over (channels, places), places being rows, columns and samples."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from nnspec.runtime.compiler.kernels import KernelContext, WriteBackward, Written, adds_up_lanes, contiguous, kernel
from nnspec.runtime.compiler.program.operands import Local, Operand, Ref, formula
from nnspec.runtime.compiler.schedule import ScheduledNode
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, LayerNorm

_BY_CHANNEL = "ij,ij->i"  # Σ over the places of each channel
_BY_PLACE = "ij,ij->j"  # Σ over the channels of each place


@dataclass(frozen=True)
class _Channels:
    """One number for each channel: as (channels,), and as a column for arrays (channels, places)."""

    row: Ref
    column: Ref

    @classmethod
    def of(cls, context: KernelContext, wish: str, row: Ref) -> "_Channels":
        """Those of an array that exists."""
        return cls(row, context.writer.view(f"{wish}_column", row[:, None]))

    @classmethod
    def new(cls, context: KernelContext, what: str) -> "_Channels":
        """New ones of this node."""
        wish = f"{context.node.name}_{what}"
        return cls.of(context, wish, context.writer.buffer(wish, (context.x.shape[0],)))

    @classmethod
    def learnt(cls, context: KernelContext, what: str) -> "_Channels":
        """A parameter of this node."""
        wish = f"{context.node.name}_{what}"
        return cls.of(context, wish, context.writer.view(wish, context.parameter(what)[0]))


@kernel(BatchNorm)
def batchnorm(word: BatchNorm, context: KernelContext) -> Written | None:
    """y = (x − mean) / √(variance + eps) · weight + bias = x · factor + shift, both by channel.

    Inference takes the running mean and variance, and so does a frozen layer. Training takes those of the batch, and
    moves the running ones.
    """
    w, name, training = context.writer, context.node.name, context.training and not context.node.settled
    one_place = context.x.size * w.batch == context.x.shape[0] * w.samples
    if not context.node.channels_in_front or (training and one_place):
        return None
    x = contiguous(context, context.x)
    seen, y = _places(context, x), context.output()
    weight, bias = (_Channels.learnt(context, part) for part in ("weight", "bias"))
    running = [w.view(f"{name}_{part}", context.kept(part)) for part in ("running_mean", "running_var")]
    factor, shift = (_Channels.new(context, part) for part in ("factor", "shift"))
    batch = _measured(word, context, seen, running) if training else None
    if batch is not None:
        w.multiply(batch.inverse, weight.row, out=factor.row)
        w.multiply(batch.apart, factor.row, out=shift.row)
        w.add(bias.row, shift.row, out=shift.row)
        seen = batch.centred
    else:
        w.add(running[1], w.scalar("eps", word.eps), out=factor.row)
        w.sqrt(factor.row, out=factor.row)
        w.divide(weight.row, factor.row, out=factor.row)
        w.multiply(running[0], factor.row, out=shift.row)
        w.subtract(bias.row, shift.row, out=shift.row)
    flat = _places(context, y)
    w.multiply(seen, factor.column, out=flat)
    w.add(flat, shift.column, out=flat)
    return y, (
        _back_through_the_batch(context, batch, factor) if batch is not None else _back_as_constant(context, factor)
    )


def _back_as_constant(context: KernelContext, factor: _Channels) -> WriteBackward:
    """d_x = factor · d_y: mean and variance do not depend on x."""

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        d_y = contiguous(context, d_y)
        d_x = context.gradient(d_y)
        context.writer.multiply(_places(context, d_y), factor.column, out=_places(context, d_x))
        return [d_x]

    return backward


@adds_up_lanes(BatchNorm)
def _has_places(node: ScheduledNode) -> bool:
    """The kernel computes rows and images; the plain form of anything else sees its own lane alone."""
    return node.channels_in_front


@dataclass(frozen=True)
class _Batch:
    """What a lane knows of a batch, by channel."""

    centred: Ref  # the lane's numbers minus their own mean, (channels, places)
    apart: Ref  # that mean minus the mean of all lanes
    inverse: Ref  # 1 / √(variance of all lanes + eps)
    count: int  # numbers of a channel in all lanes


def _measured(word: BatchNorm, context: KernelContext, seen: Ref, running: Sequence[Ref]) -> _Batch:
    """Compute the mean and the variance of the batch, and move the running ones.

    Every lane gives the sum of its numbers, and of their squares about its own mean; the mean is Σ sums / n, and
    n · variance = Σ (squares + n_lane · (mean_lane − mean)²) (Chan, Golub & LeVeque 1979). That takes one barrier, and
    nothing cancels. After it each lane computes the same, and the first one moves the running averages.
    """
    w, name = context.writer, context.node.name
    channels, places = seen.shape
    lanes = [places // w.samples * samples for samples in w.lanes]
    count = sum(lanes)
    sums, own_sum = w.together(f"{name}_sums", (channels,))
    squares, own_squares = w.together(f"{name}_squares", (channels,))
    counts = w.constant(f"{name}_counts", f"np.array({[[lane] for lane in lanes]}, np.{w.dtype})", (len(lanes), 1))
    own_mean = _Channels.new(context, "own_mean")
    centred = _over(context, seen, "centred")
    w.sum(seen, axis=1, out=own_sum)
    w.divide(own_sum, counts[Local("number")], out=own_mean.row)
    w.subtract(seen, own_mean.column, out=centred)
    w.einsum(_BY_CHANNEL, centred, centred, out=own_squares)
    w.barrier()
    apart, spread = (w.buffer(f"{name}_{part}", (len(lanes), channels)) for part in ("apart", "spread"))
    mean, variance = (w.buffer(f"{name}_{part}", (channels,)) for part in ("mean", "variance"))
    n = w.scalar(f"{name}_count", count)
    w.sum(sums, axis=0, out=mean)
    w.divide(mean, n, out=mean)
    w.divide(sums, counts, out=apart)
    w.subtract(apart, mean, out=apart)
    w.multiply(apart, apart, out=spread)
    w.multiply(spread, counts, out=spread)
    w.add(spread, squares, out=spread)
    w.sum(spread, axis=0, out=variance)  # n · variance
    _move(word, context, running, (mean, variance), count)
    w.divide(variance, n, out=variance)
    w.add(variance, w.scalar("eps", word.eps), out=variance)
    w.sqrt(variance, out=variance)
    w.divide(w.scalar("one", 1.0), variance, out=variance)
    return _Batch(centred, w.view(f"{name}_own_apart", apart[Local("number")]), variance, count)


def _move(word: BatchNorm, context: KernelContext, running: Sequence[Ref], batch: tuple[Ref, Ref], count: int) -> None:
    """running ← running + momentum · (batch − running), in the first lane alone; the variance is that of n − 1."""
    w = context.writer
    free, momentum = w.scalar("free", 1 / (count - 1)), w.scalar("momentum", word.momentum)
    step = w.buffer(f"{context.node.name}_step", (context.x.shape[0],))
    mean, squares = batch
    with w.when(formula("number == 0")) if len(w.lanes) > 1 else nullcontext():
        for former, now in zip(running, (mean, step), strict=True):
            if now is step:
                w.multiply(squares, free, out=step)
            w.subtract(now, former, out=step)
            w.multiply(step, momentum, out=step)
            w.add(former, step, out=former)


def _back_through_the_batch(context: KernelContext, batch: _Batch, factor: _Channels) -> WriteBackward:
    """d_x = factor · (d_y − mean(d_y) − normal · mean(d_y · normal)), normal = (centred + apart) · inverse.

    By channel that is d_y · factor + centred · slope + shift. The two means are those of the gradients of bias and
    weight over all lanes, which takes one barrier.
    """
    w, name, channels = context.writer, context.node.name, context.x.shape[0]
    centred = batch.centred

    def backward(d_y: Ref) -> list[Ref | None]:
        """The gradients of weight and bias are this lane's share; that of x depends on all lanes."""
        d_y = contiguous(context, d_y)
        d_flat = _places(context, d_y)
        d_weight, d_bias = (w.view(f"d_{name}_{part}", context.parameter(part)[1]) for part in ("weight", "bias"))
        along, slope, shift = (_Channels.new(context, part) for part in ("along", "slope", "d_shift"))
        w.sum(d_flat, axis=1, out=d_bias)
        w.einsum(_BY_CHANNEL, d_flat, centred, out=d_weight)
        w.multiply(d_bias, batch.apart, out=along.row)
        w.add(d_weight, along.row, out=d_weight)
        w.multiply(d_weight, batch.inverse, out=d_weight)
        if not context.needs_gradient[0]:
            return [None]
        totals, own = w.together(f"{name}_d_sums", (2, channels))
        w.assign(own[0], d_bias)
        w.assign(own[1], d_weight)
        w.barrier()
        means = w.buffer(f"{name}_d_means", (2, channels))
        w.sum(totals, axis=0, out=means)
        w.divide(means, w.scalar("back_count", batch.count), out=means)
        w.negative(factor.row, out=slope.row)
        w.multiply(slope.row, means[0], out=shift.row)
        w.multiply(slope.row, means[1], out=slope.row)
        w.multiply(slope.row, batch.inverse, out=slope.row)
        w.multiply(slope.row, batch.apart, out=along.row)
        w.add(shift.row, along.row, out=shift.row)
        w.multiply(centred, slope.column, out=centred)
        w.add(centred, shift.column, out=centred)
        d_x = context.gradient(d_y)
        d_x_flat = _places(context, d_x)
        w.multiply(d_flat, factor.column, out=d_x_flat)
        w.add(d_x_flat, centred, out=d_x_flat)
        return [d_x]

    return backward


@kernel(LayerNorm)
def layernorm(word: LayerNorm, context: KernelContext) -> Written | None:
    """y = (x − mean) / √(variance + eps) · weight + bias, mean and variance over the channels of each place."""
    if not context.node.channels_in_front:
        return None
    w, x = context.writer, contiguous(context, context.x)
    weight, bias = (_Channels.learnt(context, part).column for part in ("weight", "bias"))
    seen, y = _places(context, x), context.output()
    channels, places = seen.shape
    flat = _places(context, y)
    mean, inverse = (w.buffer(f"{context.node.name}_{part}", (places,)) for part in ("mean", "inverse"))
    share, eps, one = w.scalar("share", 1 / channels), w.scalar("eps", word.eps), w.scalar("one", 1.0)
    normal = _over(context, seen, "normal")
    w.sum(seen, axis=0, out=mean)
    w.multiply(mean, share, out=mean)
    w.subtract(seen, mean, out=normal)
    w.einsum(_BY_PLACE, normal, normal, out=inverse)
    w.multiply(inverse, share, out=inverse)
    w.add(inverse, eps, out=inverse)
    w.sqrt(inverse, out=inverse)
    w.divide(one, inverse, out=inverse)
    w.multiply(normal, inverse, out=normal)
    w.multiply(normal, weight, out=flat)
    w.add(flat, bias, out=flat)
    return y, _back_through_places(context, normal, inverse, weight)


def _back_through_places(context: KernelContext, normal: Ref, inverse: Operand, weight: Operand) -> WriteBackward:
    """d_x = inverse · (g − mean(g) − normal · mean(g · normal)), g = d_y · weight, means over a place's channels."""
    w, name = context.writer, context.node.name
    channels, places = normal.shape

    def backward(d_y: Ref) -> list[Ref | None]:
        """The gradients of weight and bias are sums over places; `normal` is overwritten."""
        d_y = contiguous(context, d_y)
        d_flat = _places(context, d_y)
        w.einsum(_BY_CHANNEL, d_flat, normal, out=w.view(f"d_{name}_weight", context.parameter("weight")[1]))
        w.sum(d_flat, axis=1, out=w.view(f"d_{name}_bias", context.parameter("bias")[1]))
        if not context.needs_gradient[0]:
            return [None]
        along, across = (w.buffer(f"{name}_{part}", (places,)) for part in ("along", "across"))
        share = w.scalar("share", 1 / channels)
        d_x = w.buffer(f"d_{name}_in", normal.shape)
        w.multiply(d_flat, weight, out=d_x)
        w.sum(d_x, axis=0, out=across)
        w.einsum(_BY_PLACE, d_x, normal, out=along)
        w.multiply(along, share, out=along)  # mean(g · normal)
        w.multiply(across, share, out=across)  # mean(g)
        w.multiply(normal, along, out=normal)
        w.subtract(d_x, normal, out=d_x)
        w.subtract(d_x, across, out=d_x)
        w.multiply(d_x, inverse, out=d_x)
        return [w.reshaped(f"{d_x}_apart", d_x, context.x.shape)]

    return backward


def _over(context: KernelContext, seen: Ref, what: str) -> Ref:
    """Return where to keep what is made of `seen`: over it where that is allowed, or a new array."""
    return seen if seen.overwritable else context.writer.buffer(f"{context.node.name}_{what}", seen.shape)


def _places(context: KernelContext, ref: Ref) -> Ref:
    """Return an array as (channels, places)."""
    return context.writer.reshaped(f"{ref}_places", ref, (ref.shape[0], ref.size // ref.shape[0]))
