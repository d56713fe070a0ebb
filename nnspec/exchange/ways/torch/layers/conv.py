"""Convolutions: modules of torch.nn with their frames and strides."""

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.layers._arrays import arrays_of, tied_bias
from nnspec.exchange.ways.torch.layers._windows import axes_of, enter, framed, leave, numbers, options_of
from nnspec.exchange.ways.torch.writing import Inputs, Turn, Value, Writer, goes, same
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed

NEVER_TOO_WIDE = (10**9, 10**9)


@goes(Conv, Depthwise)
def _conv(word: Conv | Depthwise, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape = node.input_shapes[0]
    (_, _, channels), size = word.plane(shape)
    groups, axes = word.groups if isinstance(word, Conv) else channels, axes_of(word, node)
    text, padding = framed(enter(axes, node, w, inputs[0]), word.extents(shape), axes, NEVER_TOO_WIDE)
    options = options_of(word, axes) + padding + (f", groups={groups}" if groups > 1 else "")
    if node.ties:
        weight = w.weight_of(node, "weight").removesuffix(".T")
        return leave(f"F.conv{axes}d({text}, {weight}, {tied_bias(node, w)}{options})", node)
    filters, bias = node.output_shape[-1], "" if word.bias else ", bias=False"
    module = f"nn.Conv{axes}d({channels}, {filters}, {numbers(size, axes)}{options}{bias})"
    return leave(f"{w.module(node, module, arrays_of(node, _kernel))}({text})", node)


@goes(Separable)
def _separable(word: Separable, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape, first = node.input_shapes[0], word.depthwise()
    (_, _, channels), size = first.plane(shape)
    axes, between, filters = axes_of(first, node), first.output_shape(shape)[-1], node.output_shape[-1]
    text, padding = framed(enter(axes, node, w, inputs[0]), first.extents(shape), axes, NEVER_TOO_WIDE)
    options, bias = options_of(first, axes) + padding, "" if word.bias else ", bias=False"
    module = f"nn.Conv{axes}d({channels}, {between}, {numbers(size, axes)}{options}, groups={channels}, bias=False)"
    depthwise = w.module(node, module, {"depthwise_weight": ("weight", _kernel)}, "_depthwise")
    arrays: dict[str, tuple[str, Turn]] = {"pointwise_weight": ("weight", _one_by_one if axes == 2 else _one_step)}
    if word.bias:
        arrays["bias"] = ("bias", same)
    pointwise = w.module(node, f"nn.Conv{axes}d({between}, {filters}, 1{bias})", arrays, "_pointwise")
    return leave(f"{pointwise}({depthwise}({text}))", node)


def _one_by_one(array: Array) -> Array:
    return array.T[:, :, None, None]


def _one_step(array: Array) -> Array:
    return array.T[:, :, None]


def _kernel(array: Array) -> Array:
    """(height, width, in, out) → (out, in, height, width), and (steps, in, out) → (out, in, steps)."""
    axes = (array.ndim - 1, array.ndim - 2, *range(array.ndim - 2))
    return array.transpose(axes)


def _transposed_kernel(array: Array) -> Array:
    """(height, width, in, out) → (in, out, height, width)."""
    axes = (array.ndim - 2, array.ndim - 1, *range(array.ndim - 2))
    return array.transpose(axes)


@goes(Transposed)
def _transposed(word: Transposed, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape = node.input_shapes[0]
    (height, width, channels), size = word.plane(shape)
    axes, extents = axes_of(word, node), word.extents(shape)
    lengths = [height, width][:axes]
    whole = [
        (length - 1) * stride + dilation * (cells - 1) + 1
        for length, stride, dilation, cells in zip(lengths, word.strides(), word.dilations(), size, strict=False)
    ]
    more = [extent.places - (all_ - 2 * extent.before) for extent, all_ in zip(extents, whole, strict=False)]
    steps = [max(pair) for pair in zip(word.strides(), word.dilations(), strict=True)]
    native = all(0 <= extra < step for extra, step in zip(more, steps, strict=False))
    options = options_of(word, axes) + (f", groups={word.groups}" if word.groups > 1 else "")
    if native:
        before = numbers((extents[0].before, extents[1].before), axes)
        extra = numbers((*more, 0), axes)
        options += (f", padding={before}" if before != "0" else "") + (
            f", output_padding={extra}" if extra != "0" else ""
        )
    bias = "" if word.bias else ", bias=False"
    module = f"nn.ConvTranspose{axes}d({channels}, {word.filters}, {numbers(size, axes)}{options}{bias})"
    text = f"{w.module(node, module, arrays_of(node, _transposed_kernel))}({enter(axes, node, w, inputs[0])})"
    if not native:
        slices = ", ".join(f"{extent.before}:{extent.before + extent.places}" for extent in extents[:axes])
        if any(extent.before + extent.places > all_ for extent, all_ in zip(extents, whole, strict=False)):
            raise ExchangeError(f"{node.name}: this output_pad has no counterpart in PyTorch")
        text = f"{text}[:, :, {slices}]"
    return leave(text, node)
