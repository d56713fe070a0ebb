"""Layers without a kernel: their plain form, called by the program."""

from nnspec.runtime.compiler.kernels import KernelContext, WriteBackward, Written
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.compiler.program.instructions import Assign
from nnspec.runtime.compiler.program.layout import as_laid, as_samples
from nnspec.runtime.compiler.program.operands import Local, Operand, Ref, formula
from nnspec.spec_lang.check.canonical_text import written


def write_plain(context: KernelContext) -> Written:
    """Call the plain forward between two copies, to its own order of axes and back; elementwise layers need neither."""
    w, node, shapes = context.writer, context.node, context.node.input_shapes
    layer, back = w.local(f"{node.name}_layer"), w.local(f"{node.name}_back")
    w.set_up(layer, _plain_form(context))
    any_layout = node.layer.elementwise and len(shapes) == 1
    result = Local(w.name(f"{node.name}_result"), (w.samples, *node.output_shape))
    mode = Local("mode")
    own = node.layer.carries(shapes[0]) or node.layer.draws(shapes[0]) is not None
    if own or node.name in padding_after_strides(context.schedule.nodes):
        mode = w.once(f"{node.name}_mode", f"mode.of({node.name!r})")
    xs: list[Operand] = [
        x if any_layout else as_samples(x, shape) for x, shape in zip(context.inputs, shapes, strict=True)
    ]
    if node.settled:
        mode = w.once(f"{node.name}_mode", f"mode.of({node.name!r}).at_inference()")
    given = xs[0] if len(xs) == 1 else formula(f"[{', '.join(['{}'] * len(xs))}]", *xs)
    y = context.output()
    w.emit(Assign((result, back), formula("{}({}, {})", layer, given, mode)))
    w.copy(result if any_layout else as_laid(result, node.output_shape), out=y)
    return y.kept(), _backward(context, back, any_layout)


def _backward(context: KernelContext, back: Local, any_layout: bool) -> WriteBackward:
    w, node, shapes = context.writer, context.node, context.node.input_shapes

    def backward(d_y: Ref) -> list[Ref | None]:
        """Call the plain backward; copy the gradients of the parameters, and those of the inputs that are needed."""
        d_x = Local(w.name(f"d_{node.name}_result"), (w.samples, *shapes[0]))
        gradients = w.local(f"{node.name}_gradients")
        given: Operand = d_y if any_layout else as_samples(d_y, node.output_shape)
        w.emit(Assign((d_x, gradients), formula("{}({})", back, given)))
        for name in node.layer.parameters(shapes[0]) if context.learns else ():
            d_parameter = w.view(f"d_{node.name}_{name}", context.parameter(name)[1])
            w.copy(formula(f"{{}}[{name!r}]", gradients), out=d_parameter)
        found: list[Ref | None] = []
        for i, (x, shape) in enumerate(zip(context.inputs, shapes, strict=True)):
            if not context.needs_gradient[i]:
                found.append(None)
                continue
            own = d_x if len(shapes) == 1 else Local(f"{d_x}[{i}]", (w.samples, *shape))
            out = w.buffer(f"d_{node.name}_in", x.shape)
            w.copy(own if any_layout else as_laid(own, shape), out=out)
            found.append(out)
        return found

    return backward


def _plain_form(context: KernelContext) -> Operand:
    """Return the expression that makes the plain forward, over the layer's parts of the arenas."""
    node, shape = context.node, context.node.input_shapes[0]
    arrays = {name: context.parameter(name)[0] for name in node.layer.parameters(shape)}
    arrays |= {name: context.kept(name) for name in node.layer.buffers(shape)}
    places = "{{" + ", ".join(f"{name!r}: {{}}" for name in arrays) + "}}"
    if len(node.inputs) > 1:
        shapes = [(tuple(shape), shape.sequence) for shape in node.input_shapes]
        return formula(f"plain_merge({node.layer.word!r}, {shapes}, {places})", *arrays.values())
    sequence = ", sequence=True" if shape.sequence else ""
    template = f"plain_layer({{}}, {tuple(shape)}, {places}{sequence})"
    return formula(template, written(node.layer), *arrays.values())
