"""The fully connected layer: z = Wᵀ·x over (features, samples), the bias a row of W where it is folded."""

from runtime.compiler.kernels import Site, Written, kernel, unbroken
from runtime.compiler.kernels.reshape import flattened, unflattened
from runtime.compiler.writer import Ref
from spec_lang.layers.dense import Dense


@kernel(Dense)
def dense(word: Dense, site: Site) -> Written | None:
    """Three matrix products: one forward, one for the weights, one for what came in. Sequences take the plain form."""
    if site.node.input_shapes[0].sequence:
        return None
    w = site.writer
    inputs = word.reads(site.node.input_shapes[0])
    x = flattened(site, site.x)
    m = site.matrix(inputs, word.units, site.draft.fold_bias and x.with_one is not None)
    seen = x.with_one if m.folded else x.name
    z = site.output()
    w.do(f"np.dot({m.weight}.T, {seen}, out={z.name})")
    if m.bias is not None:
        w.do(f"np.add({z.name}, {m.bias}, out={z.name})")

    def backward(d_z: Ref) -> list[Ref | None]:
        """d_W = x·d_zᵀ, the folded bias its last row, and d_x = W·d_z. One sample's d_W is an outer product, which
        multiplying with broadcasting makes faster than BLAS does."""
        d_z = unbroken(site, d_z)
        if w.samples == 1:
            w.do(f"np.multiply({seen}, {d_z.name}.T, out={m.d_weight})")
        else:
            w.do(f"np.dot({seen}, {d_z.name}.T, out={m.d_weight})")
        if m.d_bias is not None:
            w.do(f"np.add.reduce({d_z.name}, axis=1, out={m.d_bias})")
        if not site.wanted[0]:
            return [None]
        d_x = w.buffer(f"d_{site.node.name}_in", (inputs, w.samples))
        w.do(f"np.dot({m.top}, {d_z.name}, out={d_x.name})")
        return [unflattened(site, d_x)]

    return z, backward
