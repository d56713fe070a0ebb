"""The fully connected layer: z = Wᵀ·x over (features, samples), the bias a row of W where it is folded."""

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel, unbroken
from nnspec.runtime.compiler.kernels._products import across, down
from nnspec.runtime.compiler.kernels.reshape import flattened, step_rows, unflattened, unrolled
from nnspec.runtime.compiler.writer import Ref
from nnspec.spec_lang.vocabulary.layers.dense import Dense


@kernel(Dense)
def dense(word: Dense, site: KernelContext) -> Written | None:
    """Three matrix products: one forward, one for the weights, one for what came in."""
    if site.node.input_shapes[0].sequence:
        return _each_step(word, site) if len(site.x.shape) == 3 else None
    w = site.writer
    inputs = word.reads(site.node.input_shapes[0])
    x = flattened(site, site.x)
    m = site.matrix(inputs, word.units, site.schedule.fold_bias and x.with_one is not None)
    seen = Ref(x.with_one, (inputs + 1, w.samples)) if m.folded and x.with_one is not None else x
    z = site.output()
    across(site, f"{m.weight}.T", seen, z)
    if m.bias is not None:
        w.do(f"np.add({z.name}, {m.bias}, out={z.name})")

    def backward(d_z: Ref) -> list[Ref | None]:
        """d_W = x·d_zᵀ, the folded bias its last row, and d_x = W·d_z."""
        d_z = unbroken(site, d_z)
        down(site, x, seen, d_z, m.d_weight)
        if m.d_bias is not None:
            w.do(f"np.add.reduce({d_z.name}, axis=1, out={m.d_bias})")
        if not site.wanted[0]:
            return [None]
        d_x = w.buffer(f"d_{site.node.name}_in", (inputs, w.samples))
        across(site, m.top, d_z, d_x)
        return [unflattened(site, d_x)]

    return z, backward


def _each_step(word: Dense, site: KernelContext) -> Written:
    """The same products over the steps of all samples, a row each: z = x·W + b."""
    w, name = site.writer, site.node.name
    x = step_rows(site, site.x)
    rows, inputs = x.shape
    value, gradient = site.parameter("weight")
    weight = w.view(f"{name}_weight", value, (inputs, word.units)).name
    z = site.output()
    z_rows = w.reshaped(f"{z.name}_rows", z, (rows, word.units)).name
    w.do(f"np.dot({x.name}, {weight}, out={z_rows})")
    if word.bias:
        bias = w.view(f"{name}_bias", site.parameter("bias")[0], (word.units,)).name
        w.do(f"np.add({z_rows}, {bias}, out={z_rows})")

    def backward(d_z: Ref) -> list[Ref | None]:
        d_z = unbroken(site, d_z)
        d_rows = w.reshaped(f"{d_z.name}_rows", d_z, (rows, word.units)).name
        d_weight = w.view(f"d_{name}_weight", gradient, (inputs, word.units)).name
        w.do(f"np.dot({x.name}.T, {d_rows}, out={d_weight})")
        if word.bias:
            sum_of_rows(site, d_rows, rows, "bias", word.units)
        if not site.wanted[0]:
            return [None]
        d_x = w.buffer(f"d_{name}_in", x.shape)
        w.do(f"np.dot({d_rows}, {weight}.T, out={d_x.name})")
        return [unrolled(site, d_x)]

    return z, backward


def sum_of_rows(site: KernelContext, d_rows: str, rows: int, parameter: str, units: int) -> None:
    """The gradient of what is added to every row: a product with ones, for BLAS does not add one by one."""
    d_bias = site.writer.view(f"d_{site.node.name}_{parameter}", site.parameter(parameter)[1], (units,)).name
    site.writer.do(f"np.dot({site.writer.buffer('ones', (rows,), 1).name}, {d_rows}, out={d_bias})")
