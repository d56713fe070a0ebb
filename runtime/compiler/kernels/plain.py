"""Layers without a kernel: their plain form, called by the program."""

from nnspec.runtime.compiler.kernels import KernelContext, WriteBackward, Written
from nnspec.runtime.compiler.padding import behind_strides
from nnspec.runtime.compiler.program.instructions import Assign
from nnspec.runtime.compiler.program.layout import as_laid, as_samples
from nnspec.runtime.compiler.program.operands import Local, Operand, Ref, formula
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.layers.activation import Activation, Softmax


def write_plain(context: KernelContext) -> Written:
    """Call the plain forward between two copies, to its own order of axes and back; activations need neither."""
    w, node = context.writer, context.node
    layer = w.local(f"{node.name}_layer")
    shape = node.input_shapes[0]
    w.set_up(layer, _plain_layer(context))
    any_layout = isinstance(node.layer, Activation) and not isinstance(node.layer, Softmax)
    back = w.local(f"{node.name}_back")
    result = Local(w.name(f"{node.name}_result"), (w.samples, *node.output_shape))
    mode = Local("mode")
    if node.layer.carries(shape) or node.name in behind_strides(context.schedule.nodes):
        mode = w.once(f"{node.name}_mode", f"mode.of({node.name!r})")
    x: Operand = context.x if any_layout else as_samples(context.x, shape)
    y = context.output()
    w.emit(Assign((result, back), formula("{}({}, {})", layer, x, mode)))
    w.copy(result if any_layout else as_laid(result, node.output_shape), out=y)
    return y.kept(), _backward(context, back, any_layout)


def _backward(context: KernelContext, back: Local, any_layout: bool) -> WriteBackward:
    w, node = context.writer, context.node
    shape = node.input_shapes[0]

    def backward(d_y: Ref) -> list[Ref | None]:
        """Call the plain backward; copy the gradients of the parameters, and that of the input where it is needed."""
        d_x = Local(w.name(f"d_{node.name}_result"), (w.samples, *shape))
        gradients = w.local(f"{node.name}_gradients")
        given: Operand = d_y if any_layout else as_samples(d_y, node.output_shape)
        w.emit(Assign((d_x, gradients), formula("{}({})", back, given)))
        for name in node.layer.parameters(shape):
            d_parameter = w.view(f"d_{node.name}_{name}", context.parameter(name)[1])
            w.copy(formula(f"{{}}[{name!r}]", gradients), out=d_parameter)
        if not context.needs_gradient[0]:
            return [None]
        out = w.buffer(f"d_{node.name}_in", context.x.shape)
        w.copy(d_x if any_layout else as_laid(d_x, shape), out=out)
        return [out]

    return backward


def _plain_layer(context: KernelContext) -> Operand:
    """Return the expression that makes the plain forward, over the layer's parts of the arenas."""
    node, shape = context.node, context.node.input_shapes[0]
    arrays = {name: context.parameter(name)[0] for name in node.layer.parameters(shape)}
    arrays |= {name: context.kept(name) for name in node.layer.buffers(shape)}
    places = ", ".join(f"{name!r}: {{}}" for name in arrays)
    sequence = ", sequence=True" if shape.sequence else ""
    template = f"plain_layer({{}}, {tuple(shape)}, {{{{{places}}}}}{sequence})"
    return formula(template, written(node.layer), *arrays.values())
