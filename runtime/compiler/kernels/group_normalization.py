"""Normalizations of each sample over all positions, by groups of channels: passes over (groups, numbers, samples)."""

from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.normalization import GroupNorm, InstanceNorm

_BY_GROUP = "gis,gis->gs"  # Σ over the numbers of each group of each sample


@kernel(GroupNorm)
def groupnorm(word: GroupNorm, context: KernelContext) -> Written | None:
    """y = (x − mean) / √(variance + eps) · weight + bias, mean and variance of each group of each sample."""
    return _normalized(context, word.groups, word.eps, learned=True)


@kernel(InstanceNorm)
def instancenorm(word: InstanceNorm, context: KernelContext) -> Written | None:
    """The same with a group for each channel."""
    return _normalized(context, context.node.input_shapes[0][-1], word.eps, word.learned)


def _normalized(context: KernelContext, groups: int, eps: float, learned: bool) -> Written | None:
    """Write a normalization of rows or images; sequences take the plain form."""
    if not context.node.channels_in_front:
        return None
    w, name = context.writer, context.node.name
    x = contiguous(context, context.x)
    channels, samples = x.shape[0], x.shape[-1]
    apart = (groups, x.size // (groups * samples), samples)
    places = (channels, x.size // (channels * samples), samples)
    y = context.output()
    seen, flat = (w.reshaped(f"{ref}_groups", ref, apart) for ref in (x, y))
    row = (groups, 1, samples)
    mean, inverse = (w.buffer(f"{name}_{part}", row) for part in ("mean", "inverse"))
    share, one = w.scalar("share", 1 / apart[1]), w.scalar("one", 1.0)
    normal = w.buffer(f"{name}_normal", apart) if learned else flat
    w.sum(seen, axis=1, keepdims=True, out=mean)
    w.multiply(mean, share, out=mean)
    w.subtract(seen, mean, out=normal)
    w.einsum(_BY_GROUP, normal, normal, out=w.view(f"{inverse}_row", inverse[:, 0]))
    w.multiply(inverse, share, out=inverse)
    w.add(inverse, w.scalar("eps", eps), out=inverse)
    w.sqrt(inverse, out=inverse)
    w.divide(one, inverse, out=inverse)
    w.multiply(normal, inverse, out=normal)
    weight = None
    if learned:
        weight, bias = (w.view(f"{name}_{n}", context.parameter(n)[0][:, None, None]) for n in ("weight", "bias"))
        by_channel = w.reshaped(f"{y}_channels", y, places)
        w.multiply(w.reshaped(f"{normal}_channels", normal, places), weight, out=by_channel)
        w.add(by_channel, bias, out=by_channel)

    def backward(d_y: Ref) -> list[Ref | None]:
        """d_x = inverse · (g − mean(g) − normal · mean(g · normal)), g = d_y · weight, means over a group."""
        d_y = contiguous(context, d_y)
        d_places = w.reshaped(f"{d_y}_channels", d_y, places)
        if weight is not None:
            d_weight, d_bias = (w.view(f"d_{name}_{n}", context.parameter(n)[1]) for n in ("weight", "bias"))
            w.einsum("cis,cis->c", d_places, w.reshaped(f"{normal}_places", normal, places), out=d_weight)
            w.sum(d_places, axis=(1, 2), out=d_bias)
        if not context.needs_gradient[0]:
            return [None]
        d_x = w.buffer(f"d_{name}_in", x.shape)
        d = w.reshaped(f"{d_x}_groups", d_x, apart)
        if weight is not None:
            w.multiply(d_places, weight, out=w.reshaped(f"{d_x}_channels", d_x, places))
        else:
            w.copy(w.reshaped(f"{d_y}_groups", d_y, apart), out=d)
        along, across = (w.buffer(f"{name}_{part}", row) for part in ("along", "across"))
        product = w.buffer(f"{name}_product", apart)
        w.sum(d, axis=1, keepdims=True, out=across)
        w.einsum(_BY_GROUP, d, normal, out=w.view(f"{along}_row", along[:, 0]))
        w.multiply(along, share, out=along)
        w.multiply(across, share, out=across)
        w.multiply(normal, along, out=product)
        w.subtract(d, product, out=d)
        w.subtract(d, across, out=d)
        w.multiply(d, inverse, out=d)
        return [d_x]

    return y if learned else y.kept(), backward
