"""How a layer without code of its own in the plan is called in a written program: a function, and its options."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.numpy import functions
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.compiler.program.instructions import Assign
from nnspec.runtime.compiler.program.layout import as_laid, as_samples
from nnspec.runtime.compiler.program.operands import Local, Operand, formula
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.vocabulary.layers.activation import Elu, Gelu, Mish, Prelu, Selu, Silu, Softmax, Softplus
from nnspec.spec_lang.vocabulary.layers.attention import PERIOD, Positions
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.embedding import EmbedColumns
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, GlobalPool, MaxPool
from nnspec.spec_lang.vocabulary.layers.reshape import Permute
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed, Upsample
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from nnspec.spec_lang.vocabulary.spatial import Windowed, image_or_steps


@dataclass(frozen=True)
class Call:
    """A function of `functions`, and its options besides the layer's arrays, which have their own names."""

    function: Callable[..., Array]
    options: dict[str, Any] = field(default_factory=dict)


CALLS: Registry[Callable[[Any, Shape], Call]] = Registry(__name__)
"""The call of each layer that the plan may compute plainly, by its class of word."""

calls = CALLS.implements


@calls(Elu)
def _elu(word: Elu, shape: Shape) -> Call:
    return Call(functions.elu, {"alpha": word.alpha})


@calls(Gelu, Mish, Prelu, Selu, Silu, Softmax, Softplus)
def _by_name(word: Any, shape: Shape) -> Call:
    return Call(getattr(functions, word.word))


@calls(BatchNorm, LayerNorm)
def _normalization(word: BatchNorm | LayerNorm, shape: Shape) -> Call:
    return Call(getattr(functions, word.word), {"eps": word.eps})


@calls(GroupNorm, InstanceNorm)
def _groupnorm(word: GroupNorm | InstanceNorm, shape: Shape) -> Call:
    groups = word.groups if isinstance(word, GroupNorm) else shape[-1]
    return Call(functions.groupnorm, {"groups": groups, "eps": word.eps})


@calls(Positions)
def _positions(word: Positions, shape: Shape) -> Call:
    if word.vectors == "sinusoidal":
        return Call(functions.sinusoids, {"period": PERIOD})
    return Call(functions.add_positions)


@calls(EmbedColumns)
def _embed_columns(word: EmbedColumns, shape: Shape) -> Call:
    return Call(functions.embed_columns, {"columns": word.columns_in(shape)})


@calls(GlobalAvgPool, GlobalMaxPool)
def _globalpool(word: GlobalPool, shape: Shape) -> Call:
    return Call(getattr(functions, word.word), {"channels": word.output_shape(shape)[0]})


@calls(Conv, Depthwise)
def _conv(word: Conv | Depthwise, shape: Shape) -> Call:
    groups = word.groups if isinstance(word, Conv) else word.plane(shape)[0][2]
    return Call(functions.conv, _windows(word, shape) | {"groups": groups})


@calls(Separable)
def _separable(word: Separable, shape: Shape) -> Call:
    return Call(functions.separable, _conv(word.depthwise(), shape).options)


@calls(Transposed)
def _transposed(word: Transposed, shape: Shape) -> Call:
    output = word.output_shape(shape)
    plane = (output[0], 1 if word.along_time(shape) is not None else output[1])
    return Call(functions.transposed, _windows(word, shape) | {"groups": word.groups, "plane": plane})


@calls(MaxPool)
def _maxpool(word: MaxPool, shape: Shape) -> Call:
    return Call(functions.maxpool, _windows(word, shape))


@calls(AvgPool)
def _avgpool(word: AvgPool, shape: Shape) -> Call:
    return Call(functions.avgpool, _windows(word, shape) | {"counts": word.counted(shape)})


@calls(PadLayer)
def _pad(word: PadLayer, shape: Shape) -> Call:
    options = {"image": image_or_steps(word.word, shape)[0], "sides": word.sides(shape)}
    mode = "constant" if word.mode == "zeros" else word.mode
    return Call(functions.pad, options | {"mode": mode, "output": tuple(word.output_shape(shape))})


@calls(Crop)
def _crop(word: Crop, shape: Shape) -> Call:
    options = {"image": image_or_steps(word.word, shape)[0], "sides": word.sides(shape)}
    return Call(functions.crop, options | {"output": tuple(word.output_shape(shape))})


@calls(Upsample)
def _upsample(word: Upsample, shape: Shape) -> Call:
    options = {"image": image_or_steps(word.word, shape)[0], "factors": word.factors(shape), "mode": word.mode}
    return Call(
        functions.upsample, options | {"align_corners": word.align_corners, "output": tuple(word.output_shape(shape))}
    )


@calls(Permute)
def _permute(word: Permute, shape: Shape) -> Call:
    return Call(functions.permute, {"order": word.order})


def _windows(word: Windowed, shape: Shape) -> dict[str, Any]:
    """Return the options of windows over samples of a shape."""
    image, size = word.plane(shape)
    rows, columns = (tuple(extent) for extent in word.extents(shape))
    return {
        "image": image,
        "size": size,
        "rows": rows,
        "columns": columns,
        "strides": word.strides(),
        "dilations": word.dilations(),
        "output": tuple(word.output_shape(shape)),
    }


def write_function(context: KernelContext) -> Written:
    """Write a layer that no kernel writes as the call of a function. Raises ExchangeError where there is none."""
    w, node, shape = context.writer, context.node, context.node.input_shapes[0]
    if len(node.inputs) > 1 or type(node.layer) not in CALLS:
        raise ExchangeError(f"{node.name}: {node.layer.word} has no NumPy code that stands alone")
    call = CALLS[type(node.layer)](node.layer, shape)
    any_layout = node.layer.elementwise
    x: Operand = context.x if any_layout else as_samples(context.x, shape)
    template, operands = _template(context, call)
    result = Local(w.name(f"{node.name}_result"), (w.samples, *node.output_shape))
    w.emit(Assign((result,), formula(template, x, *operands)))
    y = context.output()
    w.copy(result if any_layout else as_laid(result, node.output_shape), out=y)
    return y.kept(), lambda d_y: []


def _template(context: KernelContext, call: Call) -> tuple[str, list[Operand]]:
    """Return the text of a call with a `{}` for the input and for each array, and the arrays."""
    name, word, shape = call.function.__name__, context.node.layer, context.node.input_shapes[0]
    names, operands = _arrays(context)
    if not reads_symbols(context.schedule.nodes) or not shape.sequence or word.mixes_steps is False:
        return f"{name}({{}}{names}{_written(call.options)})", operands
    real = f"real_steps({_padding(context)}, {shape[0]})"
    if isinstance(word, GlobalPool):
        return f"{name}({{}}{names}{_written(call.options)}, real={real})", operands
    if word.skips_padding:
        return f"without_padding({name}, {{}}, {real}{names}{_written(call.options)})", operands
    by_length = {}
    for length in range(1, shape[0] + 1):
        try:
            by_length[length] = CALLS[type(word)](word, Shape((length, *shape[1:]), sequence=True)).options
        except Misfit:  # the sequence is shorter than what the layer looks at
            continue
    options = repr(by_length).replace("{", "{{").replace("}", "}}")
    return f"each_by_itself({name}, {{}}, {real}, {options}{names})", operands


def _arrays(context: KernelContext) -> tuple[str, list[Operand]]:
    """Return the arrays of a layer as keyword arguments, each `, name={}`, and the arrays."""
    w, node, shape = context.writer, context.node, context.node.input_shapes[0]
    operands: dict[str, Operand] = {}
    for name in node.layer.parameters(shape):
        operands[name] = w.view(f"{node.name}_{name}", context.parameter(name)[0])
    for name in node.layer.buffers(shape):
        operands[name] = w.view(f"{node.name}_{name}", context.kept(name))
    if isinstance(node.layer, EmbedColumns):
        return f", weights=[{', '.join(['{}'] * len(operands))}]", list(operands.values())
    return "".join(f", {name}={{}}" for name in operands), list(operands.values())


def _padding(context: KernelContext) -> str:
    """Return the padded steps of each sequence where the layer reads it."""
    name = context.node.name
    return f"mode.of({name!r}).behind" if name in padding_after_strides(context.schedule.nodes) else "mode.padding"


def _written(options: dict[str, Any]) -> str:
    return "".join(f", {name}={value!r}" for name, value in options.items())
