"""Layers that read symbols: the row of a weight that a symbol selects is looked up, not multiplied out."""

from dataclasses import replace

from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.program.operands import Operand, Ref, SymbolIndices, formula
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, OneHot


@kernel(OneHot)
def onehot(word: OneHot, context: KernelContext) -> Written:
    """Rows of one 1 each, and with them the symbols, for readers that look up instead of multiplying."""
    symbols = _symbol_indices(context, word.vocabulary(context.node.input_shapes[0]))
    y = context.output()
    _write_one_hot(context, symbols, y)
    return replace(y, symbols=symbols).kept(), lambda d_y: [_zero_gradient(context)]


@kernel(Embed)
def embed(word: Embed, context: KernelContext) -> Written:
    """y = weight[symbol], zeros where there is no symbol; d_weight = one_hotᵀ · d_y."""
    w, name = context.writer, context.node.name
    count = word.vocabulary(context.node.input_shapes[0])
    symbols = _symbol_indices(context, count)
    value, gradient = context.parameter("weight")
    weight = w.view(f"{name}_weight", value)  # (count, units)
    y = context.output()
    rows = w.reshaped(f"{y}_rows", y, (y.size // word.units, word.units))
    look_up(context, symbols, weight, out=rows)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_weight = w.view(f"d_{name}_weight", gradient)
        one_hot = w.buffer(f"{name}_places", (*y.shape[:2], count))
        _write_one_hot(context, symbols, one_hot)
        d_rows = contiguous(context, d_y)
        flat = w.reshaped(f"{one_hot}_rows", one_hot, (rows.shape[0], count))
        d_flat = w.reshaped(f"{d_rows}_rows", d_rows, rows.shape)
        w.dot(flat.T, d_flat, out=d_weight)
        return [_zero_gradient(context)]

    return y, backward


def look_up(context: KernelContext, symbols: SymbolIndices, weight: Operand, out: Operand) -> None:
    """out ← the weight's row of each symbol, (time * samples, units); zeros where there is no symbol."""
    w = context.writer
    w.take(weight, symbols.numbers.reshape(-1), axis=0, out=out)
    with w.when(formula("not {}", symbols.all_known)):
        w.multiply(out, symbols.known.reshape(-1, 1), out=out)


def _symbol_indices(context: KernelContext, count: int) -> SymbolIndices:
    """Round the samples to whole numbers; those below zero and from `count` on are not symbols."""
    w, x, name = context.writer, context.x, context.node.name
    rounded = w.buffer(f"{name}_rounded", x.shape)
    numbers = w.buffer(f"{name}_symbols", x.shape, dtype="intp")
    known, all_known = w.buffer(f"{name}_known", x.shape, dtype="bool"), w.local(f"{name}_all_known")
    limit = w.once(f"{name}_limit", f"np.asarray({count}, np.uintp)")
    w.rint(x, out=rounded)
    w.copy(rounded, out=numbers, casting="unsafe")
    unsigned = formula("{}.view(np.uintp)", numbers)
    w.less(unsigned, limit, out=known, comment="a number below zero is a large one here")
    w.assign(all_known, formula("{}.all()", known))
    return SymbolIndices(numbers, known, all_known)


def _write_one_hot(context: KernelContext, symbols: SymbolIndices, out: Ref) -> None:
    """out ← 1 at each symbol and 0 elsewhere, (time, samples, count)."""
    w = context.writer
    alphabet = w.once(f"{context.node.name}_alphabet", f"np.arange({out.shape[-1]})")
    w.equal(symbols.numbers[..., None], alphabet, out=out)


def _zero_gradient(context: KernelContext) -> Ref | None:
    """Return the gradient of the samples where a layer before needs one: symbols have none."""
    if not context.needs_gradient[0]:
        return None
    return context.writer.buffer(f"d_{context.node.name}_in", context.x.shape, 0).kept()
