"""Layers of transformers. Attention is products of stacks of small matrices, all of them views of a few buffers.

Sequences are (time, samples, features); q, k and v of all heads are columns of one buffer, (time, samples, 3, heads,
size of a head), which the products read in place: their last axis is contiguous.
"""

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, contiguous, kernel
from nnspec.runtime.compiler.kernels._direction import PaddingMask
from nnspec.runtime.compiler.kernels._products import sum_of_rows
from nnspec.runtime.compiler.kernels.dropout import drop_factor
from nnspec.runtime.compiler.kernels.reshape import step_rows, unrolled
from nnspec.runtime.compiler.program.operands import Operand, Ref, View, formula
from nnspec.runtime.layers.attention import UNSEEN
from nnspec.spec_lang.vocabulary.layers.attention import PERIOD, Attention, Positions

_BY_SAMPLE_AND_HEAD = (1, 2, 0, 3)  # (time, samples, heads, size) → (samples, heads, time, size)


@kernel(Positions)
def positions(word: Positions, context: KernelContext) -> Written | None:
    """y = x + P; the gradient of a learned P is that of y, summed over the samples."""
    if len(context.x.shape) != 3:
        return None
    w, name = context.writer, context.node.name
    time, _, features = context.x.shape
    if word.vectors == "learned":
        table = w.view(f"{name}_table", context.parameter("weight")[0][:, None])
    else:
        table = _sinusoids(context, time, features)
    y = context.output()
    w.add(context.x, table, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        if word.vectors == "learned":
            w.sum(d_y, axis=1, out=w.view(f"d_{name}_weight", context.parameter("weight")[1]))
        return [d_y if context.needs_gradient[0] else None]

    return y, backward


def _sinusoids(context: KernelContext, time: int, features: int) -> Ref:
    """Return the table of `sinusoids` (time, 1, features), made once by the setup."""
    w, name = context.writer, context.node.name
    angles = w.once(
        f"{name}_angles", f"np.arange({time})[:, None] / {PERIOD} ** (np.arange(0, {features}, 2) / {features})"
    )
    waves = formula("np.stack([np.sin({}), np.cos({})], axis=-1)", angles, angles)
    cut = f"{{}}.reshape({time}, 1, -1)[..., :{features}].astype(np.{w.dtype})"
    table = w.once(f"{name}_waves", formula(cut, waves))
    return Ref(table.name, (time, 1, features))


@kernel(Attention)
def attention(word: Attention, context: KernelContext) -> Written:
    """softmax(q·kᵀ/√d)·v of all heads, times output_weight."""
    return _Heads(word, context).write()


class _Heads:
    """One layer of attention in a program. `weights` are (samples, heads, time, time), those of a step in a row."""

    def __init__(self, word: Attention, context: KernelContext):
        self.word, self.context, self.writer = word, context, context.writer
        self.name = context.node.name
        shape = context.node.input_shapes[0]
        self.width = word.width(shape)
        self.time, self.samples, self.size = shape[0], context.writer.samples, self.width // word.heads
        self.rows = step_rows(context, context.x)  # (time * samples, features)
        self.thirds = self._buffer("thirds", (self.time * self.samples, 3 * self.width))
        self.joined = self._buffer("joined", (self.time * self.samples, self.width))
        self.weights = self._buffer("weights", (self.samples, word.heads, self.time, self.time))
        self.sums = self._buffer("sums", (self.samples, word.heads, self.time, 1))
        self.scale = self.writer.scalar(f"{self.name}_scale", self.size**-0.5)
        self.factor: Ref | None = None

    def write(self) -> Written:
        """Write the forward pass; return its output and what writes the backward pass."""
        w, word = self.writer, self.word
        w.dot(self.rows, self._parameter("input_weight"), out=self.thirds)
        if word.bias:
            w.add(self.thirds, self._parameter("input_bias"), out=self.thirds)
        queries = self.thirds[:, : self.width]
        w.multiply(queries, self.scale, out=queries)
        self.q, self.k, self.v = (self._third(self.thirds, place) for place in range(3))
        w.matmul(self.q, self._turned(self.k), out=self.weights)
        self._hide()
        self._softmax()
        self.kept = self._dropped(self.weights)
        w.matmul(self.kept, self.v, out=self._by_head(self.joined))
        y = self.context.output()
        y_rows = w.reshaped(f"{y}_rows", y, (self.rows.shape[0], y.shape[-1]))
        w.dot(self.joined, self._parameter("output_weight"), out=y_rows)
        if word.bias:
            w.add(y_rows, self._parameter("output_bias"), out=y_rows)
        return y, self._backward

    def _hide(self) -> None:
        """Lower the scores of steps that are not to be seen."""
        w = self.writer
        if self.word.causal:
            later = w.constant(
                f"{self.name}_later",
                f"np.triu(np.full(({self.time}, {self.time}), {UNSEEN!r}, np.{w.dtype}), 1)",
                (self.time, self.time),
            )
            w.add(self.weights, later, out=self.weights)
        if reads_symbols(self.context.schedule.nodes):
            mask, unseen = PaddingMask(self.context), w.scalar("unseen", UNSEEN)
            with w.when(mask.padded):
                w.multiply(mask.gone, unseen, out=mask.gone)
                hidden = mask.gone[..., 0].T[:, None, None]  # (samples, 1, 1, time)
                w.add(self.weights, hidden, out=self.weights)

    def _softmax(self) -> None:
        """weights ← softmax of each row."""
        w = self.writer
        w.max(self.weights, axis=-1, keepdims=True, out=self.sums)
        w.subtract(self.weights, self.sums, out=self.weights)
        w.exp(self.weights, out=self.weights)
        w.sum(self.weights, axis=-1, keepdims=True, out=self.sums)
        w.divide(self.weights, self.sums, out=self.weights)

    def _dropped(self, weights: Ref) -> Ref:
        if not self.context.training or self.word.dropout == 0:
            return weights
        draws = Ref(f"draws[{self.name!r}]", weights.shape)
        self.factor = drop_factor(self.context, self.name, draws, self.word.dropout)
        kept = self._buffer("kept_weights", weights.shape)
        self.writer.multiply(weights, self.factor, out=kept)
        return kept

    def _backward(self, d_y: Ref) -> list[Ref | None]:
        w, context = self.writer, self.context
        d_y = contiguous(context, d_y)
        d_rows = w.reshaped(f"{d_y}_rows", d_y, (self.rows.shape[0], d_y.shape[-1]))
        w.dot(self.joined.T, d_rows, out=self._gradient("output_weight"))
        if self.word.bias:
            sum_of_rows(context, d_rows, "output_bias")
        d_joined = self._buffer("d_joined", self.joined.shape)
        w.dot(d_rows, self._parameter("output_weight").T, out=d_joined)
        d_heads = self._by_head(d_joined)
        d_thirds = self._buffer("d_thirds", self.thirds.shape)
        d_q, d_k, d_v = (self._third(d_thirds, place) for place in range(3))
        d_weights = self._buffer("d_weights", self.weights.shape)
        w.matmul(self._turned(self.kept), d_heads, out=d_v)
        w.matmul(d_heads, self._turned(self.v), out=d_weights)
        if self.factor is not None:
            w.multiply(d_weights, self.factor, out=d_weights)
        w.einsum("shij,shij->shi", d_weights, self.weights, out=self.sums[..., 0])
        w.subtract(d_weights, self.sums, out=d_weights)
        w.multiply(d_weights, self.weights, out=d_weights)
        w.matmul(d_weights, self.k, out=d_q)
        w.matmul(self._turned(d_weights), self.q, out=d_k)
        d_queries = d_thirds[:, : self.width]
        w.multiply(d_queries, self.scale, out=d_queries)
        w.dot(self.rows.T, d_thirds, out=self._gradient("input_weight"))
        if self.word.bias:
            sum_of_rows(context, d_thirds, "input_bias")
        if not context.needs_gradient[0]:
            return [None]
        d_x = self._buffer("d_in", self.rows.shape)
        w.dot(d_thirds, self._parameter("input_weight").T, out=d_x)
        return [unrolled(context, d_x)]

    def _third(self, columns: Ref, place: int) -> Ref:
        """Return q, k or v, (samples, heads, time, size), as a view of all of them."""
        apart = columns.reshape(self.time, self.samples, 3, self.word.heads, self.size)[:, :, place]
        view = apart.transpose(*_BY_SAMPLE_AND_HEAD)
        return self.writer.view(f"{columns}_{'qkv'[place]}", view, contiguous=False)

    def _by_head(self, columns: Ref) -> Ref:
        """Return the columns of all heads as (samples, heads, time, size), a view."""
        apart = columns.reshape(self.time, self.samples, self.word.heads, self.size)
        return self.writer.view(f"{columns}_heads", apart.transpose(*_BY_SAMPLE_AND_HEAD), contiguous=False)

    def _turned(self, stack: Operand) -> View:
        return stack.transpose(0, 1, 3, 2)

    def _buffer(self, wish: str, shape: tuple[int, ...]) -> Ref:
        return self.writer.buffer(f"{self.name}_{wish}", shape)

    def _parameter(self, name: str) -> Ref:
        return self.writer.view(f"{self.name}_{name}", self.context.parameter(name)[0])

    def _gradient(self, name: str) -> Ref:
        return self.writer.view(f"d_{self.name}_{name}", self.context.parameter(name)[1])
