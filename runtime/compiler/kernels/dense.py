"""The fully connected layer: z = Wᵀ · x over (features, samples), the bias a row of W where it is folded."""

from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels._products import accumulate_by_rows, matmul_by_columns, sum_of_rows
from nnspec.runtime.compiler.kernels.reshape import flattened, step_rows, unflattened, unrolled
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.dense import Dense


@kernel(Dense)
def dense(word: Dense, context: KernelContext) -> Written | None:
    """z = Wᵀ · x + b; d_W = x · d_zᵀ, the folded bias its last row; d_x = W · d_z."""
    if context.node.input_shapes[0].sequence:
        return _each_step(word, context) if len(context.x.shape) == 3 else None
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
