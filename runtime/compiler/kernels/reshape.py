"""Other shapes of the same numbers, in the order of a sample: height, width, channels."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.program.layout import as_laid, as_samples, is_steps, laid_out
from nnspec.runtime.compiler.program.operands import Operand, Ref
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.shape import Shape

_SAMPLE_ORDER = (1, 2, 0, 3)  # (channels, height, width, samples) → (height, width, channels, samples)
_STEP_ORDER = (0, 2, 1)  # (time, samples, features) → (time, features, samples)


@kernel(Flatten, Reshape)
def reshape(word: Flatten | Reshape, context: KernelContext) -> Written:
    """A copy in the order of the sample; rows stay as they are."""
    w, name = context.writer, context.node.name
    y = y_row = flattened(context, context.x)
    shape = context.node.output_shape
    if len(shape) != 1:
        y = context.output()
        inside = in_sample_order(context, y, shape)
        w.copy(w.reshaped(f"{name}_row", y_row, inside.shape), out=inside)

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        if len(shape) != 1:
            d_row = w.buffer(f"d_{name}_row", y_row.shape)
            inside = in_sample_order(context, d_y, shape)
            w.copy(inside, out=w.reshaped(f"{d_row}_apart", d_row, inside.shape))
            d_y = d_row
        return [unflattened(context, d_y)]

    return y, backward


@kernel(Permute)
def permute(word: Permute, context: KernelContext) -> Written:
    """A copy in the new order, made of one view of the samples in another."""
    w, name, node = context.writer, context.node.name, context.node
    y = context.output()
    given = as_samples(context.x, node.input_shapes[0]).transpose(0, *word.order)
    w.copy(w.view(f"{name}_turned", as_laid(given, node.output_shape), contiguous=False), out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        back = (word.order.index(axis) + 1 for axis in range(1, len(word.order) + 1))
        d_samples = as_samples(d_y, node.output_shape).transpose(0, *back)
        laid = w.view(f"d_{name}_turned", as_laid(d_samples, node.input_shapes[0]), contiguous=False)
        d_x = w.buffer(f"d_{name}_in", context.x.shape)
        w.copy(laid, out=d_x)
        return [d_x]

    return y, backward


def in_sample_order(context: KernelContext, ref: Ref, shape: Shape) -> Ref:
    """Return samples with their axes in the order of the sample, a view."""
    if is_steps(shape):
        axes: tuple[int, ...] = _STEP_ORDER
    elif len(shape) != 3 or shape[2] == 1 or shape[0] * shape[1] == 1:
        return ref
    else:
        axes = _SAMPLE_ORDER
    return context.writer.view(f"{ref}_hwc", ref.transpose(*axes), contiguous=False)


def flattened(context: KernelContext, x: Ref) -> Ref:
    """Return the numbers of each sample as rows, (features, samples), followed in memory by a row of ones."""
    if len(x.shape) == 2:
        return x
    w = context.writer
    row = w.rows(f"{context.node.name}_flat", x.size // w.samples)
    source = in_sample_order(context, x, context.node.input_shapes[0])
    w.copy(source, out=w.reshaped(f"{row}_hwc", row, source.shape))
    return row


def unflattened(context: KernelContext, d_row: Ref) -> Ref:
    """Return the gradient of rows in the layout of the samples, a view."""
    w, shape = context.writer, context.node.input_shapes[0]
    if len(context.x.shape) == 2:
        return d_row
    laid = laid_out(shape, w.samples)
    if is_steps(shape):
        steps = d_row.reshape(shape[0], shape[1], laid[1]).transpose(*_STEP_ORDER)
        return w.view(f"{d_row}_steps", steps, contiguous=False)
    if len(shape) != 3 or shape[2] == 1:
        return w.reshaped(f"{d_row}_image", d_row, context.x.shape)
    image = d_row.reshape(*shape, laid[-1]).transpose(2, 0, 1, 3)
    return w.view(f"{d_row}_image", image, contiguous=False)


def step_rows(context: KernelContext, x: Ref) -> Ref:
    """Return the steps of all samples as rows of one matrix, (time * samples, features)."""
    steps = context.node.input_shapes[0].as_steps()
    assert steps is not None
    w, (time, features) = context.writer, steps
    shape = (time * w.samples, features)
    if len(x.shape) == 3 and x.contiguous:
        return replace(w.reshaped(f"{x}_rows", x, shape), symbols=x.symbols)
    rows = w.buffer(f"{context.node.name}_rows", shape)
    apart = w.reshaped(f"{rows}_apart", rows, (time, w.samples, features))
    source: Operand = x if len(x.shape) == 3 else x[0].transpose(*_STEP_ORDER)
    w.copy(source, out=apart)
    return rows


def unrolled(context: KernelContext, d_rows: Ref) -> Ref:
    """Return the gradient of `step_rows` in the layout of the samples, a view."""
    w, (time, features) = context.writer, context.node.input_shapes[0]
    apart = w.reshaped(f"{d_rows}_apart", d_rows, (time, w.samples, features))
    if len(context.x.shape) == 3:
        return apart
    return w.view(f"{d_rows}_image", apart.transpose(*_STEP_ORDER)[None], contiguous=False)
