"""Recurrent layers: one or two directions side by side, and layers stacked on each other."""

from collections.abc import Sequence

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.kernels._cells import CELL_KERNELS
from nnspec.runtime.compiler.kernels._direction import Direction, PaddingMask, drawn_numbers
from nnspec.runtime.compiler.kernels.dropout import drop_factor
from nnspec.runtime.compiler.kernels.reshape import step_rows, unrolled
from nnspec.runtime.compiler.program.operands import Ref
from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent


@kernel(*CELL_KERNELS)
def recurrent(word: Recurrent, context: KernelContext) -> Written:
    """The states of one or two directions, side by side; of stacked layers each reads those of the one before."""
    rows = step_rows(context, context.x)
    mask = PaddingMask(context) if reads_symbols(context.schedule.nodes) else None
    passes = word.passes(context.node.input_shapes[0])
    levels: list[_Level] = []
    for layer in range(word.layers):
        level = [Direction(context, word, rows, one, mask) for one in passes if one.layer == layer]
        levels.append(_Level(context, word, layer, level))
        levels[-1].forward()
        if layer + 1 < word.layers:
            rows = levels[-1].rows_for_next()

    def backward(d_y: Ref) -> list[Ref | None]:
        gradient: Ref | None = d_y
        for level in reversed(levels):
            gradient = level.backward(gradient) if gradient is not None else None
        return [unrolled(context, gradient) if gradient is not None else None]

    return levels[-1].output().kept(), backward


class _Level:
    """One of the stacked layers: its directions, and what lies between it and the next one."""

    def __init__(self, context: KernelContext, word: Recurrent, layer: int, directions: Sequence[Direction]):
        self.context, self.word, self.layer, self.directions = context, word, layer, directions
        self.is_last = layer + 1 == word.layers
        self.every = not self.is_last or word.return_ == "sequence"
        self.columns = [slice(i * word.units, (i + 1) * word.units) for i in range(len(directions))]
        self.factor: Ref | None = None

    @property
    def _name(self) -> str:
        return self.context.node.name if self.is_last else f"{self.context.node.name}_{self.layer + 1}"

    def forward(self) -> None:
        """Compute the states."""
        for one in self.directions:
            one.forward()

    def output(self) -> Ref:
        """Return the states after every step, (time, samples, columns), or the last ones, (columns, samples)."""
        w = self.context.writer
        if self.every and len(self.directions) == 1:
            return w.view(self._name, self.directions[0].states_after)
        y = self.context.output() if self.is_last else w.buffer(self._name, self._shape())
        for one, part in zip(self.directions, self.columns, strict=True):
            if self.every:
                w.copy(one.states_after, out=y[..., part])
            else:
                w.copy(one.states[one.last].T, out=y[part])
        return y

    def rows_for_next(self) -> Ref:
        """Return what the next layer reads, a row for each step of each sample, some numbers dropped."""
        w, states = self.context.writer, self.output()
        masks = self.word.masks(self.context.node.input_shapes[0])
        if self.context.training and masks.between:
            columns = slice(self.layer * masks.between, (self.layer + 1) * masks.between)
            drawn = drawn_numbers(self.context, self.word)[:, masks.rows :, columns].transpose(1, 0, 2)
            self.factor = drop_factor(self.context, f"{self._name}_between", drawn, self.word.dropout)
            kept = w.buffer(f"{self._name}_left", states.shape)
            w.multiply(states, self.factor, out=kept)
            states = kept
        return w.reshaped(f"{states}_rows", states, (states.shape[0] * states.shape[1], states.shape[2]))

    def backward(self, gradient: Ref) -> Ref | None:
        """Map the gradient of the output, or of the rows that the next layer reads, to that of the layer's own rows."""
        w = self.context.writer
        if not self.is_last:
            gradient = w.reshaped(f"{gradient}_apart", gradient, self._shape())
            if self.factor is not None:
                w.multiply(gradient, self.factor, out=gradient)
        total: Ref | None = None
        for one, part in zip(self.directions, self.columns, strict=True):
            d_x = one.backward(gradient[..., part] if self.every else gradient[part].T, self.every)
            if total is not None and d_x is not None:
                w.add(d_x, total, out=d_x)
            total = d_x
        return total

    def _shape(self) -> tuple[int, ...]:
        time, samples, units = self.directions[0].states_after.shape
        return time, samples, units * len(self.directions)
