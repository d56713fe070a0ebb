"""The convolution over the steps of sequences: one matrix product over the rows that hold what each window sees."""

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous
from nnspec.runtime.compiler.kernels._frames import padded, unpadded
from nnspec.runtime.compiler.kernels._products import sum_of_rows
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.conv import Conv

_STEP_ORDER = (0, 2, 1)  # (time, features, samples) → (time, samples, features), and back


def over_time(word: Conv, context: KernelContext) -> Written | None:
    """y = rows · W + b, with rows (time' · samples, window · features); d_W = rowsᵀ · d_y.

    The gradient of the rows reuses their memory, and each window's share of it is added at its steps. Groups, and
    sequences that may be padded, take the plain form.
    """
    if word.groups > 1 or reads_symbols(context.schedule.nodes):
        return None
    w, name = context.writer, context.node.name
    x = _as_steps(context)  # (time, samples, features)
    extent, _ = word.extents(context.node.input_shapes[0])
    frame = padded(context, x, (extent,), first=0)
    places, window, (_, samples, features) = extent.places, word.window[0], x.shape
    s, d = word.strides()[0], word.dilations()[0]
    taps = [slice(u * d, u * d + s * (places - 1) + 1, s) for u in range(window)]
    rows = w.buffer(f"{name}_rows", (places * samples, window * features))
    apart = w.reshaped(f"{rows}_apart", rows, (places, samples, window, features))
    seen = [w.view(f"{frame}_{u}", frame[tap], contiguous=False) for u, tap in enumerate(taps)]
    parts = [w.view(f"{rows}_{u}", apart[:, :, u], contiguous=False) for u in range(window)]
    for place, part in zip(seen, parts, strict=True):
        w.copy(place, out=part)
    value, gradient = context.parameter("weight")
    weight = w.view(f"{name}_weight", value.reshape(window * features, word.filters))
    y = context.output()  # (time', samples, filters)
    y_rows = w.reshaped(f"{y}_rows", y, (places * samples, word.filters))
    w.dot(rows, weight, out=y_rows)
    if word.bias:
        w.add(y_rows, w.view(f"{name}_bias", context.parameter("bias")[0]), out=y_rows)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_y = contiguous(context, d_y)
        d_rows = w.reshaped(f"{d_y}_rows", d_y, y_rows.shape)
        d_weight = w.view(f"d_{name}_weight", gradient.reshape(window * features, word.filters))
        w.dot(rows.T, d_rows, out=d_weight)
        if word.bias:
            sum_of_rows(context, d_rows, "bias")
        if not context.needs_gradient[0]:
            return [None]
        w.dot(d_rows, weight.T, out=rows)
        d_frame = w.buffer(f"d_{name}_in", frame.shape)
        w.fill(d_frame, 0)
        for u, tap in enumerate(taps):
            place = w.view(f"{d_frame}_{u}", d_frame[tap], contiguous=False)
            w.add(place, parts[u], out=place)
        d_x = unpadded(context, d_frame, x, (extent,), first=0)
        if len(context.x.shape) == 3:
            return [d_x]
        return [w.view(f"{d_x}_image", d_x.transpose(*_STEP_ORDER)[None], contiguous=False)]

    return y, backward


def _as_steps(context: KernelContext) -> Ref:
    """Return the samples as (time, samples, features); two axes that nothing says to be a sequence lie as an image."""
    if len(context.x.shape) == 3:
        return context.x
    steps = context.x[0].transpose(*_STEP_ORDER)
    return context.writer.view(f"{context.x}_steps", steps, contiguous=False)
