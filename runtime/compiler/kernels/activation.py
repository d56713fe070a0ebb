"""Activations: functions of each number, in any layout, over their input where no other layer reads it."""

from collections.abc import Callable

from nnspec.runtime.compiler.kernels import KernelContext, WriteBackward, Written, kernel
from nnspec.runtime.compiler.kernels._single import softmax_of_one
from nnspec.runtime.compiler.program.layout import is_steps
from nnspec.runtime.compiler.program.operands import Ref, formula
from nnspec.runtime.compiler.schedule import FEW_CLASSES
from nnspec.spec_lang.vocabulary.layers.activation import LeakyRelu, Linear, Prelu, Relu, Sigmoid, Softmax, Tanh


@kernel(Linear)
def linear(word: Linear, context: KernelContext) -> Written:
    """y = x"""
    return context.x, lambda d_y: [d_y if context.needs_gradient[0] else None]


@kernel(Relu)
def relu(word: Relu, context: KernelContext) -> Written:
    """y = max(x, 0); d_x = d_y · (y > 0), for NumPy multiplies by a mask faster than it selects."""
    w, y = context.writer, context.elementwise()
    w.maximum(context.x, w.zero_like(y), out=y)

    def write_factor() -> Ref:
        positive = w.buffer(f"{context.node.name}_mask", y.shape, dtype="bool")
        w.greater(y, w.zero_like(y), out=positive)
        return positive

    return y.kept(), _times(context, write_factor)


@kernel(LeakyRelu)
def leaky_relu(word: LeakyRelu, context: KernelContext) -> Written | None:
    """y = max(x, slope · x) for a slope of at most 1; d_x = d_y · ((1 − slope) · (x > 0) + slope)."""
    if word.slope > 1:
        return None
    w, x = context.writer, context.x
    y = context.output()
    slope = w.scalar(f"{context.node.name}_slope", word.slope)
    w.multiply(x, slope, out=y)
    w.maximum(x, y, out=y)

    def write_factor() -> Ref:
        positive = w.buffer(f"{context.node.name}_mask", y.shape, dtype="bool")
        rest = w.scalar(f"{context.node.name}_rest", 1 - word.slope)
        factor = w.buffer(f"{context.node.name}_factor", y.shape)
        w.greater(x, w.zero_like(y), out=positive)
        w.multiply(positive, rest, out=factor)
        w.add(factor, slope, out=factor)
        return factor

    return y.kept(), _times(context, write_factor)


@kernel(Tanh)
def tanh(word: Tanh, context: KernelContext) -> Written:
    """y = tanh(x); d_x = d_y · (1 − y²)."""
    w, y = context.writer, context.elementwise()
    w.tanh(context.x, out=y)

    def write_factor() -> Ref:
        factor, one = w.buffer(f"{context.node.name}_factor", y.shape), w.scalar("one", 1.0)
        w.multiply(y, y, out=factor)
        w.subtract(one, factor, out=factor)
        return factor

    return y.kept(), _times(context, write_factor)


@kernel(Sigmoid)
def sigmoid(word: Sigmoid, context: KernelContext) -> Written:
    """y = 1 / (1 + exp(−x)) = (1 + tanh(x / 2)) / 2, which no x overflows; d_x = d_y · y · (1 − y)."""
    w, y = context.writer, context.elementwise()
    half, one = w.scalar("half", 0.5), w.scalar("one", 1.0)
    w.multiply(context.x, half, out=y)
    w.tanh(y, out=y)
    w.add(y, one, out=y)
    w.multiply(y, half, out=y)

    def write_factor() -> Ref:
        factor, one = w.buffer(f"{context.node.name}_factor", y.shape), w.scalar("one", 1.0)
        w.subtract(one, y, out=factor)
        w.multiply(factor, y, out=factor)
        return factor

    return y.kept(), _times(context, write_factor)


@kernel(Prelu)
def prelu(word: Prelu, context: KernelContext) -> Written | None:
    """y = max(x, 0) + a · min(x, 0); d_x = d_y · ((1 − a) · (x > 0) + a); d_a = Σ d_y · min(x, 0)."""
    if not (word.shared or context.node.channels_in_front):
        return None
    w, x, name = context.writer, context.x, context.node.name
    value, gradient = context.parameter("weight")
    slope = w.view(f"{name}_slope", value if word.shared else value.reshape(-1, *[1] * (len(x.shape) - 1)))
    below, y = w.buffer(f"{name}_below", x.shape), context.output()
    w.minimum(x, w.zero_like(x), out=below)
    w.maximum(x, w.zero_like(x), out=y)
    steep = w.buffer(f"{name}_steep", x.shape)
    w.multiply(below, slope, out=steep)
    w.add(y, steep, out=y)

    def backward(d_y: Ref) -> list[Ref | None]:
        d_below = w.buffer(f"d_{name}_below", x.shape)
        w.multiply(d_y, below, out=d_below)
        d_slope = w.view(f"d_{name}_slope", gradient.reshape() if word.shared else gradient)
        w.sum(d_below, axis=tuple(range(not word.shared, len(x.shape))), out=d_slope)
        if not context.needs_gradient[0]:
            return [None]
        positive = w.buffer(f"{name}_mask", x.shape, dtype="bool")
        rest = w.buffer(f"{name}_rest", slope.shape)
        d_x = w.buffer(f"d_{name}_in", x.shape)
        w.subtract(w.scalar("one", 1.0), slope, out=rest)
        w.greater(x, w.zero_like(x), out=positive)
        w.multiply(positive, rest, out=d_x)
        w.add(d_x, slope, out=d_x)
        w.multiply(d_x, d_y, out=d_x)
        return [d_x]

    return y, backward


@kernel(Softmax)
def softmax(word: Softmax, context: KernelContext) -> Written | None:
    """y = exp(x) / Σ exp(x) over the features of each sample; only at inference, and only of rows and steps."""
    steps = is_steps(context.node.output_shape)
    if context.training or not (steps or len(context.x.shape) == 2):
        return None
    w, x, y = context.writer, context.x, context.elementwise()
    if not steps and w.samples == 1 and y.size <= FEW_CLASSES:
        x_row, y_row = (w.view(f"{ref}_row", ref.reshape(-1)) for ref in (x, y))
        one = softmax_of_one(w, x_row)
        w.assign(y_row[:], formula("[power / {} for power in {}]", one.total, one.powers))
        return y.kept(), lambda d_y: [None]
    shape = (*x.shape[:-1], 1) if steps else (1, x.shape[-1])
    row, features = w.buffer(f"{context.node.name}_row", shape), 2 if steps else 0
    w.max(x, axis=features, keepdims=True, out=row)
    w.subtract(x, row, out=y)
    w.exp(y, out=y)
    w.sum(y, axis=features, keepdims=True, out=row)
    w.divide(y, row, out=y)
    return y.kept(), lambda d_y: [None]


def _times(context: KernelContext, write_factor: Callable[[], Ref]) -> WriteBackward:
    """Return the backward pass d_x = d_y · factor."""

    def backward(d_y: Ref) -> list[Ref | None]:
        if not context.needs_gradient[0]:
            return [None]
        factor, d_x = write_factor(), context.gradient(d_y)
        context.writer.multiply(d_y, factor, out=d_x)
        return [d_x]

    return backward
