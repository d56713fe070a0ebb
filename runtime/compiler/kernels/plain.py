"""Layers without a kernel: the plain form, called from within the program."""

from nnspec.runtime.compiler.kernels import Backward, KernelContext, Written
from nnspec.runtime.compiler.padding import behind_strides
from nnspec.runtime.compiler.writer import Ref, as_laid, as_samples, as_text
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.vocabulary.layers.activation import Activation, Softmax


def write_plain(site: KernelContext) -> Written:
    """The plain forward between two copies, to its own order of axes and back; an activation needs none of the two."""
    w, node = site.writer, site.node
    layer = w.name(f"{node.name}_layer")
    shape = node.input_shapes[0]
    arrays = ", ".join(f"{name!r}: {place}" for name, place in _arrays(site).items())
    sequence = ", sequence=True" if shape.sequence else ""
    w.setup.append(f"{layer} = plain_layer({written(node.layer)!r}, {as_text(tuple(shape))}, {{{arrays}}}{sequence})")
    in_place = isinstance(node.layer, Activation) and not isinstance(node.layer, Softmax)
    back = w.name(f"{node.name}_back")
    result = w.name(f"{node.name}_result")
    mode = "mode"
    if node.layer.carries(shape) or node.name in behind_strides(site.schedule.nodes):
        mode = w.name(f"{node.name}_mode")
        w.setup.append(f"{mode} = mode.of({node.name!r})")
    x = site.x.name if in_place else as_samples(site.x.name, shape)
    y = site.output()
    w.do(f"{result}, {back} = {layer}({x}, {mode})")
    w.do(f"np.copyto({y.name}, {result if in_place else as_laid(result, node.output_shape)})")
    return y.kept(), _backward(site, back, in_place)


def _backward(site: KernelContext, back: str, in_place: bool) -> Backward:
    w, node = site.writer, site.node

    def backward(d_y: Ref) -> list[Ref | None]:
        """What the plain backward gives, copied to the places of this program: the parameters' gradients always, that
        of the input where it is wanted."""
        d_x, own = w.name(f"d_{node.name}_result"), w.name(f"{node.name}_gradients")
        given = d_y.name if in_place else as_samples(d_y.name, node.output_shape)
        w.do(f"{d_x}, {own} = {back}({given})")
        for name in node.layer.parameters(node.input_shapes[0]):
            _, gradient = site.parameter(name)
            target = w.view(f"d_{node.name}_{name}", gradient, ())
            w.do(f"np.copyto({target.name}, {own}[{name!r}])")
        if not site.wanted[0]:
            return [None]
        out = w.buffer(f"d_{node.name}_in", site.x.shape)
        w.do(f"np.copyto({out.name}, {d_x if in_place else as_laid(d_x, node.input_shapes[0])})")
        return [out]

    return backward


def _arrays(site: KernelContext) -> dict[str, str]:
    """The layer's parameters and buffers, as parts of their arenas."""
    node, shape = site.node, site.node.input_shapes[0]
    found = {name: site.parameter(name)[0] for name in node.layer.parameters(shape)}
    return found | {name: site.kept(name) for name in node.layer.buffers(shape)}
