"""Activations: on each number, in any layout, in place where nobody else needs what they read."""

from nnspec.runtime.compiler.kernels import Backward, KernelContext, Written, kernel
from nnspec.runtime.compiler.schedule import FEW_CLASSES
from nnspec.runtime.compiler.writer import Ref, is_steps
from nnspec.spec_lang.vocabulary.layers.activation import LeakyRelu, Linear, Relu, Sigmoid, Softmax, Tanh


@kernel(Linear)
def linear(word: Linear, site: KernelContext) -> Written:
    """Nothing."""
    return site.x, lambda d_y: [d_y if site.wanted[0] else None]


@kernel(Relu)
def relu(word: Relu, site: KernelContext) -> Written:
    """max(x, 0); the gradient by multiplication with a mask, NumPy's fastest way to choose."""
    w, y = site.writer, site.elementwise()
    w.do(f"np.maximum({site.x.name}, {w.zero_like(y)}, out={y.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        mask = w.buffer(f"{site.node.name}_mask", y.shape, dtype="bool").name
        w.do(f"np.greater({y.name}, {w.zero_like(y)}, out={mask})")
        d_x = site.gradient(d_y)
        w.do(f"np.multiply({d_y.name}, {mask}, out={d_x.name})")
        return [d_x]

    return y.kept(), backward


@kernel(LeakyRelu)
def leaky_relu(word: LeakyRelu, site: KernelContext) -> Written | None:
    """max(x, slope·x) for a slope of at most 1."""
    if word.slope > 1:
        return None
    w = site.writer
    y = w.planes(site.node.name, site.node.output_shape)
    slope = w.scalar(f"{site.node.name}_slope", word.slope)
    w.do(f"np.multiply({site.x.name}, {slope}, out={y.name})")
    w.do(f"np.maximum({site.x.name}, {y.name}, out={y.name})")

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        mask = w.buffer(f"{site.node.name}_mask", y.shape, dtype="bool").name
        steep = w.scalar(f"{site.node.name}_rest", 1 - word.slope)
        factor = w.buffer(f"{site.node.name}_factor", y.shape).name
        w.do(f"np.greater({site.x.name}, {w.zero_like(y)}, out={mask})")
        w.do(f"np.multiply({mask}, {steep}, out={factor})")
        w.do(f"np.add({factor}, {slope}, out={factor})")
        d_x = site.gradient(d_y)
        w.do(f"np.multiply({d_y.name}, {factor}, out={d_x.name})")
        return [d_x]

    return y.kept(), backward


@kernel(Tanh)
def tanh(word: Tanh, site: KernelContext) -> Written:
    """tanh(x); the gradient is 1 − y²."""
    w, y = site.writer, site.elementwise()
    w.do(f"np.tanh({site.x.name}, out={y.name})")
    return y.kept(), _from_output(site, y, "np.multiply({y}, {y}, out={f})", "np.subtract({one}, {f}, out={f})")


@kernel(Sigmoid)
def sigmoid(word: Sigmoid, site: KernelContext) -> Written:
    """1 / (1 + exp(−x)) = (1 + tanh(x / 2)) / 2, which no x overflows; the gradient is y·(1 − y)."""
    w, y = site.writer, site.elementwise()
    half, one = w.scalar("half", 0.5), w.scalar("one", 1.0)
    w.do(f"np.multiply({site.x.name}, {half}, out={y.name})")
    w.do(f"np.tanh({y.name}, out={y.name})")
    w.do(f"np.add({y.name}, {one}, out={y.name})")
    w.do(f"np.multiply({y.name}, {half}, out={y.name})")
    return y.kept(), _from_output(site, y, "np.subtract({one}, {y}, out={f})", "np.multiply({f}, {y}, out={f})")


@kernel(Softmax)
def softmax(word: Softmax, site: KernelContext) -> Written | None:
    """exp(x) / Σ exp(x) over the features of each sample; inside a network, and while training, the plain form."""
    steps = is_steps(site.node.output_shape)
    if site.training or not (steps or len(site.x.shape) == 2):
        return None
    w, y = site.writer, site.elementwise()
    if not steps and w.samples == 1 and y.size <= FEW_CLASSES:
        return _softmax_of_one(site, y), lambda d_y: [None]
    shape = (*site.x.shape[:-1], 1) if steps else (1, site.x.shape[-1])  # features stand last in a step
    row, along = w.buffer(f"{site.node.name}_row", shape).name, f"axis={2 if steps else 0}, keepdims=True"
    w.do(f"np.maximum.reduce({site.x.name}, {along}, out={row})")
    w.do(f"np.subtract({site.x.name}, {row}, out={y.name})")
    w.do(f"np.exp({y.name}, out={y.name})")
    w.do(f"np.add.reduce({y.name}, {along}, out={row})")
    w.do(f"np.divide({y.name}, {row}, out={y.name})")
    return y.kept(), lambda d_y: [None]


def _softmax_of_one(site: KernelContext, y: Ref) -> Ref:
    """The same for one sample of a few classes, in Python's own numbers: cheaper than array operations on ten."""
    w = site.writer
    x_row, y_row = (w.view(f"{ref.name}_row", f"{ref.name}.reshape(-1)", (y.size,)).name for ref in (site.x, y))
    row, top, powers, total = map(w.name, ("row", "top", "powers", "total"))
    w.do(f"{row} = {x_row}.tolist()")
    w.do(f"{top} = max({row})")
    w.do(f"{powers} = [exp(value - {top}) for value in {row}]")
    w.do(f"{total} = sum({powers})")
    w.do(f"{y_row}[:] = [power / {total} for power in {powers}]")
    return y.kept()


def _from_output(site: KernelContext, y: Ref, *steps: str) -> Backward:
    """A backward pass whose factor follows from the output alone."""
    w = site.writer

    def backward(d_y: Ref) -> list[Ref | None]:
        if not site.wanted[0]:
            return [None]
        factor, one = w.buffer(f"{site.node.name}_factor", y.shape).name, w.scalar("one", 1.0)
        for step in steps:
            w.do(step.format(y=y.name, f=factor, one=one))
        d_x = site.gradient(d_y)
        w.do(f"np.multiply({d_y.name}, {factor}, out={d_x.name})")
        return [d_x]

    return backward
