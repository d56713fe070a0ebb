"""The fully connected layer: z = Wᵀ · x over (features, samples), the bias a row of W where it is folded."""

from nnspec.runtime.compiler.kernels import SUMMED, KernelContext, Written, contiguous, gradient_part, kernel
from nnspec.runtime.compiler.kernels._products import accumulate_by_rows, matmul_by_columns, sum_of_rows
from nnspec.runtime.compiler.kernels.reshape import flattened, step_rows, unflattened, unrolled
from nnspec.runtime.compiler.program.operands import NUMBER, Ref
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.layers.dense import Dense


@kernel(Dense)
def dense(word: Dense, context: KernelContext) -> Written | None:
    """z = Wᵀ · x + b; d_W = x · d_zᵀ, the folded bias its last row; d_x = W · d_z."""
    if context.node.input_shapes[0].sequence:
        return _each_step(word, context) if len(context.x.shape) == 3 else None
    if context.node.split:
        return _split(word, context)
    w = context.writer
    inputs = word.reads(context.node.input_shapes[0])
    x = flattened(context, context.x)  # (inputs, samples)
    m = context.matrix(inputs, word.units, context.schedule.fold_bias and x.with_one is not None)
    x_with_one = x.with_one if m.folded and x.with_one is not None else x
    z = context.output()  # (units, samples)
    matmul_by_columns(w, m.weight.T, x_with_one, out=z)
    if m.bias is not None:
        w.add(z, m.bias, out=z)

    def backward(d_z: Ref) -> list[Ref | None]:
        d_z = contiguous(context, d_z)
        if context.learns:
            accumulate_by_rows(w, x, x_with_one, d_z, out=m.d_weight)
        if context.learns and m.bias is not None:
            w.sum(d_z, axis=1, out=m.d_bias)
        if not context.needs_gradient[0]:
            return [None]
        d_x = w.buffer(f"d_{context.node.name}_in", (inputs, w.samples))
        matmul_by_columns(w, m.top, d_z, out=d_x)
        return [unflattened(context, d_x)]

    return z, backward


def _split(word: Dense, context: KernelContext) -> Written:
    """z = Σ Wₙᵀ · xₙ + b over the lanes n, each of which has some inputs xₙ of all samples; d_Wₙ = xₙ · d_zᵀ.

    A lane adds up the sums for its own samples, and gives their d_z to the others. It is given such inputs of the
    samples of the data; of those of another layer the lanes exchange what they need, and so the gradients.
    """
    w, node, units = context.writer, context.node, word.units
    first, batch = INPUT in node.inputs, w.batch
    x = context.x if first else _inputs_of_all(context, flattened(context, context.x))  # (inputs / lanes, batch)
    lanes, inputs = len(w.lanes), x.shape[0]
    weight, d_weight = (
        w.view(wish, part.reshape(lanes, inputs, units)[NUMBER])
        for wish, part in (
            (f"{node.name}_weight", context.parameter("weight")[0]),
            (f"d_{node.name}_weight", gradient_part(context.schedule, f"{node.name}/weight", SUMMED)),
        )
    )
    sums, own_sums = w.together(f"{node.name}_sums", (units, batch))
    slopes, own_slopes = w.together(f"{node.name}_slopes", (w.samples, units))
    every_slope = w.reshaped(f"{slopes}_all", slopes, (batch, units))
    bias = w.view(f"{node.name}_bias", context.parameter("bias")[0][:, None]) if word.bias else None
    w.dot(weight.T, x, out=own_sums)
    w.barrier()
    z = context.output()  # (units, samples)
    for lane in range(lanes):
        part = w.view(f"{sums}_of", sums[lane].reshape(units, lanes, w.samples)[:, NUMBER], contiguous=False)
        other = z if lane else bias
        if other is None:
            w.copy(part, out=z)
        else:
            w.add(part, other, out=z)

    def backward(d_z: Ref) -> list[Ref | None]:
        """d_Wₙ of all samples; d_xₙ of all samples, of which each lane takes its own."""
        w.copy(d_z.T, out=own_slopes)
        w.barrier()
        w.dot(x, every_slope, out=d_weight)
        if word.bias:
            sum_of_rows(context, own_slopes, "bias")
        if not context.needs_gradient[0]:
            return [None]
        found, own = w.together(f"d_{node.name}_in", (inputs, batch))
        w.dot(weight, every_slope.T, out=own)
        w.barrier()
        d_x = w.buffer(f"d_{node.name}_in", (lanes * inputs, w.samples))
        apart = found.reshape(lanes, inputs, lanes, w.samples)[:, :, NUMBER]
        w.copy(apart, out=w.reshaped(f"{d_x}_parts", d_x, (lanes, inputs, w.samples)))
        return [unflattened(context, d_x)]

    return z, backward


def _inputs_of_all(context: KernelContext, x: Ref) -> Ref:
    """Return some inputs of all samples, (inputs / lanes, batch), of x with those of this lane, (inputs, samples)."""
    w, lanes, (inputs, samples) = context.writer, len(context.writer.lanes), x.shape
    every, own = w.together(f"{context.node.name}_in", (inputs, samples))
    w.copy(x, out=own)
    w.barrier()
    found = w.buffer(f"{context.node.name}_inputs", (inputs // lanes, w.batch))
    ours = every.reshape(lanes, lanes, inputs // lanes, samples)[:, NUMBER].transpose(1, 0, 2)
    w.copy(ours, out=w.reshaped(f"{found}_parts", found, ours.shape))
    return found


def _each_step(word: Dense, context: KernelContext) -> Written:
    """z = x · W + b over the steps of all samples, a row each."""
    w, name = context.writer, context.node.name
    x = step_rows(context, context.x)  # (time * samples, inputs)
    rows = x.shape[0]
    value, gradient = context.parameter("weight")
    weight = w.view(f"{name}_weight", value)  # (inputs, units)
    z = context.output()
    z_rows = w.reshaped(f"{z}_rows", z, (rows, word.units))
    w.dot(x, weight, out=z_rows)
    if word.bias:
        w.add(z_rows, w.view(f"{name}_bias", context.parameter("bias")[0]), out=z_rows)

    def backward(d_z: Ref) -> list[Ref | None]:
        d_z = contiguous(context, d_z)
        d_rows = w.reshaped(f"{d_z}_rows", d_z, (rows, word.units))
        if context.learns:
            w.dot(x.T, d_rows, out=w.view(f"d_{name}_weight", gradient))
        if context.learns and word.bias:
            sum_of_rows(context, d_rows, "bias")
        if not context.needs_gradient[0]:
            return [None]
        d_x = w.buffer(f"d_{name}_in", x.shape)
        w.dot(d_rows, weight.T, out=d_x)
        return [unrolled(context, d_x)]

    return z, backward
