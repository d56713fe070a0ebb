"""Layers that read symbols: what a row of a single one selects is looked up, never multiplied out."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel, unbroken
from nnspec.runtime.compiler.writer import INDENT, Chosen, Ref
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, OneHot


@kernel(OneHot)
def onehot(word: OneHot, site: KernelContext) -> Written:
    """The rows as they are, for whoever wants them, and with them the symbols that they stand for."""
    chosen = _chosen(site, word.vocabulary(site.node.input_shapes[0]))
    y = site.output()
    _write_rows(site, chosen, y)
    return replace(y, symbols=chosen).kept(), lambda d_y: [_nothing(site)]


@kernel(Embed)
def embed(word: Embed, site: KernelContext) -> Written:
    """Rows of the weight, and zeros for what is no symbol; the gradient is a product with rows as onehot makes them."""
    w = site.writer
    count = word.vocabulary(site.node.input_shapes[0])
    chosen = _chosen(site, count)
    value, gradient = site.parameter("weight")
    weight = w.view(f"{site.node.name}_weight", value, (count, word.units)).name
    y = site.output()
    rows = w.reshaped(f"{y.name}_rows", y, (y.size // word.units, word.units))
    look_up(site, chosen, weight, rows.name)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_weight = w.view(f"d_{site.node.name}_weight", gradient, (count, word.units)).name
        places = w.buffer(f"{site.node.name}_places", (*y.shape[:2], count))
        _write_rows(site, chosen, places)
        d_rows = unbroken(site, d_y)
        flat = w.reshaped(f"{places.name}_rows", places, (rows.shape[0], count))
        d_flat = w.reshaped(f"{d_rows.name}_rows", d_rows, rows.shape)
        w.do(f"np.dot({flat.name}.T, {d_flat.name}, out={d_weight})")
        return [_nothing(site)]

    return y, backward


def look_up(site: KernelContext, chosen: Chosen, weight: str, rows: str) -> None:
    """Write the weight's row of each symbol into the rows (time * samples, units); zeros for what is no symbol."""
    w = site.writer
    w.do(f"np.take({weight}, {chosen.numbers}.reshape(-1), axis=0, out={rows}, mode='clip')")
    w.do(f"if not {chosen.all_known}:")
    w.do(f"{INDENT}np.multiply({rows}, {chosen.known}.reshape(-1, 1), out={rows})")


def _chosen(site: KernelContext, count: int) -> Chosen:
    """The samples' symbols as whole numbers; those below zero and from `count` on are none."""
    w, name = site.writer, site.node.name
    rounded = w.buffer(f"{name}_rounded", site.x.shape).name
    numbers = w.buffer(f"{name}_symbols", site.x.shape, dtype="intp").name
    known, all_known = w.buffer(f"{name}_known", site.x.shape, dtype="bool").name, w.name(f"{name}_all_known")
    limit = w.name(f"{name}_limit")
    w.setup.append(f"{limit} = np.asarray({count}, np.uintp)")
    w.do(f"np.rint({site.x.name}, out={rounded})")
    w.do(f"np.copyto({numbers}, {rounded}, casting='unsafe')")
    w.do(f"np.less({numbers}.view(np.uintp), {limit}, out={known})  # one below zero is a large number so")
    w.do(f"{all_known} = {known}.all()")
    return Chosen(numbers, known, all_known)


def _write_rows(site: KernelContext, chosen: Chosen, rows: Ref) -> None:
    """Write 1 in the place of each symbol and 0 elsewhere, (time, samples, count)."""
    alphabet = site.writer.name(f"{site.node.name}_alphabet")
    site.writer.setup.append(f"{alphabet} = np.arange({rows.shape[-1]})")
    site.writer.do(f"np.equal({chosen.numbers}[..., None], {alphabet}, out={rows.name})")


def _nothing(site: KernelContext) -> Ref | None:
    """The gradient of the samples, where a layer before wants one: a symbol has none."""
    return site.writer.buffer(f"d_{site.node.name}_in", site.x.shape, 0).kept() if site.wanted[0] else None
