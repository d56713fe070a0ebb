"""Dropout: what is dropped is drawn for the whole batch before the lanes start, so that shards change nothing."""

from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.program.layout import as_laid
from nnspec.runtime.compiler.program.operands import Operand, Ref
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout


@kernel(Dropout)
def dropout(word: Dropout, context: KernelContext) -> Written:
    """y = x · kept / (1 − p), kept = draws ≥ p; y = x at inference."""
    if not context.training or word.probability == 0:
        return context.x, lambda d_y: [d_y if context.needs_gradient[0] else None]
    w, x, name, shape = context.writer, context.x, context.node.name, context.node.output_shape
    draws = as_laid(Ref(f"draws[{name!r}]", (w.samples, *shape)), shape)
    factor = drop_factor(context, name, draws, word.probability)
    y = context.output()
    w.multiply(x, factor, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        d_x = context.gradient(d_y)
        w.multiply(d_y, factor, out=d_x)
        return [d_x]

    return y.kept(), backward


def drop_factor(context: KernelContext, wish: str, draws: Operand, probability: float) -> Ref:
    """Return what a training step multiplies by: 1 / (1 − p) where the number drawn is at least p, else 0."""
    w = context.writer
    drawn = w.view(f"{wish}_draws", draws)
    kept = w.buffer(f"{wish}_kept", drawn.shape, dtype="bool")
    factor = w.buffer(f"{wish}_factor", drawn.shape)
    limit = w.once(f"{wish}_limit", f"np.asarray({probability!r}, np.float32)")
    scale = w.scalar(f"{wish}_scale", 1 / (1 - probability))
    w.greater_equal(drawn, limit, out=kept)
    w.multiply(kept, scale, out=factor)
    return factor
