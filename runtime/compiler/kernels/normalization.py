"""Normalizations: whole passes over (channels, places), places being rows, columns and samples."""

from runtime.compiler.kernels import Backward, Site, Written, kernel, unbroken
from runtime.compiler.writer import Ref
from spec_lang.layers.normalization import BatchNorm, LayerNorm

_BY_CHANNEL = "ij,ij->i"  # Σ over the places of each channel
_RUNNING = ("running_mean", "running_var")
_BY_PLACE = "ij,ij->j"  # Σ over the channels of each place


@kernel(BatchNorm)
def batchnorm(word: BatchNorm, site: Site) -> Written | None:
    """(x − mean) / √(variance + eps) · weight + bias; the running averages move as the definition says."""
    w, x = site.writer, site.x
    places = x.size // x.shape[0]
    if not x.solid or len(site.node.input_shapes[0]) not in (1, 3) or (site.training and places == 1):
        return None
    weight, bias = _scale_and_shift(site)
    running = [w.view(f"{site.node.name}_{name}", site.kept(name), (x.shape[0],)).name for name in _RUNNING]
    seen = w.reshaped(f"{x.name}_places", x, (x.shape[0], places))
    y = site.output()
    flat = w.reshaped(f"{y.name}_places", y, seen.shape)
    eps, one = w.scalar("eps", word.eps), w.scalar("one", 1.0)
    if not site.training:
        factor = w.buffer(f"{site.node.name}_factor", (x.shape[0],)).name
        shift = w.buffer(f"{site.node.name}_shift", (x.shape[0],)).name
        w.do(f"np.add({running[1]}, {eps}, out={factor})")
        w.do(f"np.sqrt({factor}, out={factor})")
        w.do(f"np.divide({weight}[:, 0], {factor}, out={factor})")
        w.do(f"np.multiply({running[0]}, {factor}, out={shift})")
        w.do(f"np.subtract({bias}[:, 0], {shift}, out={shift})")
        w.do(f"np.multiply({seen.name}, {factor}[:, None], out={flat.name})")
        w.do(f"np.add({flat.name}, {shift}[:, None], out={flat.name})")
        return y, lambda d_y: [None]
    mean, variance, free = (
        w.buffer(f"{site.node.name}_{name}", (x.shape[0],)).name for name in ("mean", "variance", "free")
    )
    share, momentum = w.scalar("share", 1 / places), w.scalar("momentum", word.momentum)
    unbiased = w.scalar("unbiased", places / (places - 1))
    normal = w.buffer(f"{site.node.name}_normal", seen.shape)
    w.do(f"np.add.reduce({seen.name}, axis=1, out={mean})")
    w.do(f"np.multiply({mean}, {share}, out={mean})")
    w.do(f"np.subtract({seen.name}, {mean}[:, None], out={normal.name})")
    w.do(f"np.einsum({_BY_CHANNEL!r}, {normal.name}, {normal.name}, out={variance})")
    w.do(f"np.multiply({variance}, {share}, out={variance})")
    w.do(f"np.multiply({variance}, {unbiased}, out={free})")
    for former, now in zip(running, (mean, free), strict=True):
        w.do(f"np.subtract({now}, {former}, out={now})")
        w.do(f"np.multiply({now}, {momentum}, out={now})")
        w.do(f"np.add({former}, {now}, out={former})")
    w.do(f"np.add({variance}, {eps}, out={variance})")
    w.do(f"np.sqrt({variance}, out={variance})")
    w.do(f"np.divide({one}, {variance}, out={variance})")
    inverse = w.view(f"{site.node.name}_inverse", f"{variance}[:, None]", (x.shape[0], 1)).name
    _scaled(site, normal.name, inverse, weight, bias, flat.name)
    return y, _backward(site, normal, inverse, weight, y, (_BY_CHANNEL, 1, places))


@kernel(LayerNorm)
def layernorm(word: LayerNorm, site: Site) -> Written | None:
    """The same over the channels of each place, in training and at inference."""
    w, x = site.writer, site.x
    if not x.solid or len(site.node.input_shapes[0]) not in (1, 3):
        return None
    channels, places = x.shape[0], x.size // x.shape[0]
    weight, bias = _scale_and_shift(site)
    seen = w.reshaped(f"{x.name}_places", x, (channels, places))
    y = site.output()
    flat = w.reshaped(f"{y.name}_places", y, seen.shape)
    mean, inverse = (w.buffer(f"{site.node.name}_{name}", (places,)).name for name in ("mean", "inverse"))
    share, eps, one = w.scalar("share", 1 / channels), w.scalar("eps", word.eps), w.scalar("one", 1.0)
    normal = w.buffer(f"{site.node.name}_normal", seen.shape)
    w.do(f"np.add.reduce({seen.name}, axis=0, out={mean})")
    w.do(f"np.multiply({mean}, {share}, out={mean})")
    w.do(f"np.subtract({seen.name}, {mean}, out={normal.name})")
    w.do(f"np.einsum({_BY_PLACE!r}, {normal.name}, {normal.name}, out={inverse})")
    w.do(f"np.multiply({inverse}, {share}, out={inverse})")
    w.do(f"np.add({inverse}, {eps}, out={inverse})")
    w.do(f"np.sqrt({inverse}, out={inverse})")
    w.do(f"np.divide({one}, {inverse}, out={inverse})")
    _scaled(site, normal.name, inverse, weight, bias, flat.name)
    return y, _backward(site, normal, inverse, weight, y, (_BY_PLACE, 0, channels))


def _scale_and_shift(site: Site) -> tuple[str, str]:
    """Views of weight and bias as columns, (channels, 1)."""
    names = []
    for name in ("weight", "bias"):
        value, _ = site.parameter(name)
        names.append(site.writer.view(f"{site.node.name}_{name}", f"{value}[:, None]", (site.x.shape[0], 1)).name)
    return names[0], names[1]


def _scaled(site: Site, normal: str, inverse: str, weight: str, bias: str, y: str) -> None:
    site.writer.do(f"np.multiply({normal}, {inverse}, out={normal})")
    site.writer.do(f"np.multiply({normal}, {weight}, out={y})")
    site.writer.do(f"np.add({y}, {bias}, out={y})")


def _backward(site: Site, normal: Ref, inverse: str, weight: str, y: Ref, over: tuple[str, int, int]) -> Backward:
    """d_x = inverse · (g − mean(g) − normal · mean(g · normal)), g = d_y · weight, means over what was normalized
    together."""
    w = site.writer
    subscripts, axis, count = over

    def backward(d_y: Ref) -> list[Ref | None]:
        d_y = unbroken(site, d_y)
        d_flat = w.reshaped(f"{d_y.name}_places", d_y, normal.shape)
        for name, line in (
            ("weight", f"np.einsum({_BY_CHANNEL!r}, {d_flat.name}, {normal.name}, out={{}})"),
            ("bias", f"np.add.reduce({d_flat.name}, axis=1, out={{}})"),
        ):
            _, gradient = site.parameter(name)
            w.do(line.format(w.view(f"d_{site.node.name}_{name}", gradient, (normal.shape[0],)).name))
        if not site.wanted[0]:
            return [None]
        together = (normal.shape[0], 1) if axis == 1 else (1, normal.shape[1])
        size = together[0] * together[1]
        along, across = (w.buffer(f"{site.node.name}_{part}", (size,)).name for part in ("along", "across"))
        share = w.scalar("share", 1 / count)
        d_x = w.buffer(f"d_{site.node.name}_in", normal.shape)
        w.do(f"np.multiply({d_flat.name}, {weight}, out={d_x.name})")
        w.do(f"np.add.reduce({d_x.name}, axis={axis}, out={across})")
        w.do(f"np.einsum({subscripts!r}, {d_x.name}, {normal.name}, out={along})")
        for mean in (along, across):
            w.do(f"np.multiply({mean}, {share}, out={mean})")
        w.do(f"np.multiply({normal.name}, {along}.reshape{together}, out={normal.name})")
        w.do(f"np.subtract({d_x.name}, {normal.name}, out={d_x.name})")
        w.do(f"np.subtract({d_x.name}, {across}.reshape{together}, out={d_x.name})")
        w.do(f"np.multiply({d_x.name}, {inverse}, out={d_x.name})")
        return [w.reshaped(f"{d_x.name}_apart", d_x, site.x.shape)]

    return backward
