"""How each layer goes out to PyTorch: a module of `torch.nn` where there is one that means the same."""

from collections.abc import Callable
from functools import partial
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.writing import Turn, Value, Writer, goes, same
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode
from nnspec.spec_lang.vocabulary.layers.activation import (
    Elu,
    Gelu,
    LeakyRelu,
    Linear,
    Mish,
    Prelu,
    Relu,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from nnspec.spec_lang.vocabulary.layers.attention import PERIOD, Attention, Positions
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.dropout import Dropout
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns, OneHot
from nnspec.spec_lang.vocabulary.layers.framing import Crop, PadLayer
from nnspec.spec_lang.vocabulary.layers.merge import Add, Concatenate, Multiply
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent, Rnn
from nnspec.spec_lang.vocabulary.layers.reshape import Flatten, Permute, Reshape
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed, Upsample
from nnspec.spec_lang.vocabulary.spatial import Extent, Windowed, image_or_steps

Inputs = list[Value]


def _turned(array: Array) -> Array:
    """(in, out) → (out, in)."""
    return array.T


def _kernel(array: Array) -> Array:
    """(height, width, in, out) → (out, in, height, width), and (steps, in, out) → (out, in, steps)."""
    axes = (array.ndim - 1, array.ndim - 2, *range(array.ndim - 2))
    return array.transpose(axes)


def _transposed_kernel(array: Array) -> Array:
    """(height, width, in, out) → (in, out, height, width)."""
    axes = (array.ndim - 2, array.ndim - 1, *range(array.ndim - 2))
    return array.transpose(axes)


def _weight(node: GraphNode, turn: Turn) -> dict[str, tuple[str, Turn]]:
    """Return the arrays of a module with a weight, and a bias where the layer has one."""
    turns = {"weight": ("weight", turn), "bias": ("bias", same)}
    return {name: turns[name] for name in node.layer.parameters(node.input_shapes[0]) if name in turns}


@goes(Dense)
def _dense(word: Dense, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,), shape = inputs, node.input_shapes[0]
    text, features = x.last(), word.reads(shape)
    if not shape.sequence and len(shape) != 1:
        text = f"{text}.flatten(1)" if shape else f"{text}[:, None]"
    if node.ties:
        bias = _tied_bias(node, w)
        weight = f"{w.weight_of(node, 'weight')}.T".replace(".T.T", "")
        return Value(f"F.linear({text}, {weight}, {bias})", node.output_shape)
    bias = "" if word.bias else ", bias=False"
    module = w.module(node, f"nn.Linear({features}, {word.units}{bias})", _weight(node, _turned))
    return Value(f"{module}({text})", node.output_shape)


def _tied_bias(node: GraphNode, w: Writer) -> str:
    """Return the bias of a layer whose weight is another one's: its own, or the other one's too, or None."""
    if "bias" in node.ties:
        return w.weight_of(node, "bias")
    has = node.layer.parameters(node.input_shapes[0])
    return w.parameter(node, "bias", has["bias"].shape) if "bias" in has else "None"


def _refuse_texts(word: Any, node: GraphNode, w: Writer) -> None:
    """Raise ExchangeError for a layer that nnspec computes for each sequence of symbols without its padding."""
    if w.symbolic and node.input_shapes[0].sequence:
        raise ExchangeError(
            f"{node.name}: {word.word} over texts of different lengths has no counterpart in PyTorch, which has no "
            "padding of steps; globalavgpool, globalmaxpool, attention and recurrent layers go"
        )


def _enter(axes: int, node: GraphNode, w: Writer, x: Value) -> str:
    """Return the input with its channels first; convolutions over texts get zeros at padded steps."""
    real = w.real(node)
    if real is None:
        return x.first(axes)
    return f"({x.text} * {real}[..., None]).transpose(1, 2)"


def _leave(text: str, node: GraphNode) -> Value:
    """Return an output with its channels first."""
    shape = node.output_shape
    if len(shape) == 3:
        return Value(text, shape, planes=True)
    return Value(f"{text}.transpose(1, 2)", shape)


def _axes(word: Windowed, node: GraphNode) -> int:
    return 1 if word.along_time(node.input_shapes[0]) is not None else 2


def _numbers(values: tuple[int, ...], axes: int) -> str:
    """Return sizes as PyTorch takes them, for one or two axes."""
    return str(values[0]) if axes == 1 or values[0] == values[1] else str(tuple(values[:2]))


def _framed(
    text: str, extents: tuple[Extent, Extent], axes: int, most: tuple[int, int], fill: str = ""
) -> tuple[str, str]:
    """Return an input in the frame of its windows, and the option `padding` where the module can make it itself."""
    (_, top, bottom), (_, left, right) = extents
    if top == bottom <= most[0] and left == right <= most[1]:
        padding = _numbers((top, left), axes)
        return text, f", padding={padding}" if padding != "0" else ""
    sides = (top, bottom) if axes == 1 else (left, right, top, bottom)
    return f"F.pad({text}, {sides}{fill})", ""


def _options(word: Windowed, axes: int) -> str:
    stride, dilation = _numbers(word.strides(), axes), _numbers(word.dilations(), axes)
    text = f", stride={stride}" if stride != "1" else ""
    return text + (f", dilation={dilation}" if dilation != "1" else "")


NEVER_TOO_WIDE = (10**9, 10**9)


@goes(Conv, Depthwise)
def _conv(word: Conv | Depthwise, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape = node.input_shapes[0]
    (_, _, channels), size = word.plane(shape)
    groups, axes = word.groups if isinstance(word, Conv) else channels, _axes(word, node)
    text, padding = _framed(_enter(axes, node, w, inputs[0]), word.extents(shape), axes, NEVER_TOO_WIDE)
    options = _options(word, axes) + padding + (f", groups={groups}" if groups > 1 else "")
    if node.ties:
        weight = w.weight_of(node, "weight").removesuffix(".T")
        return _leave(f"F.conv{axes}d({text}, {weight}, {_tied_bias(node, w)}{options})", node)
    filters, bias = node.output_shape[-1], "" if word.bias else ", bias=False"
    module = f"nn.Conv{axes}d({channels}, {filters}, {_numbers(size, axes)}{options}{bias})"
    return _leave(f"{w.module(node, module, _weight(node, _kernel))}({text})", node)


@goes(Separable)
def _separable(word: Separable, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape, first = node.input_shapes[0], word.depthwise()
    (_, _, channels), size = first.plane(shape)
    axes, between, filters = _axes(first, node), first.output_shape(shape)[-1], node.output_shape[-1]
    text, padding = _framed(_enter(axes, node, w, inputs[0]), first.extents(shape), axes, NEVER_TOO_WIDE)
    options, bias = _options(first, axes) + padding, "" if word.bias else ", bias=False"
    module = f"nn.Conv{axes}d({channels}, {between}, {_numbers(size, axes)}{options}, groups={channels}, bias=False)"
    depthwise = w.module(node, module, {"depthwise_weight": ("weight", _kernel)}, "_depthwise")
    arrays: dict[str, tuple[str, Turn]] = {"pointwise_weight": ("weight", _one_by_one if axes == 2 else _one_step)}
    if word.bias:
        arrays["bias"] = ("bias", same)
    pointwise = w.module(node, f"nn.Conv{axes}d({between}, {filters}, 1{bias})", arrays, "_pointwise")
    return _leave(f"{pointwise}({depthwise}({text}))", node)


def _one_by_one(array: Array) -> Array:
    return array.T[:, :, None, None]


def _one_step(array: Array) -> Array:
    return array.T[:, :, None]


@goes(Transposed)
def _transposed(word: Transposed, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape = node.input_shapes[0]
    (height, width, channels), size = word.plane(shape)
    axes, extents = _axes(word, node), word.extents(shape)
    lengths = [height, width][:axes]
    whole = [
        (length - 1) * stride + dilation * (cells - 1) + 1
        for length, stride, dilation, cells in zip(lengths, word.strides(), word.dilations(), size, strict=False)
    ]
    more = [extent.places - (all_ - 2 * extent.before) for extent, all_ in zip(extents, whole, strict=False)]
    steps = [max(pair) for pair in zip(word.strides(), word.dilations(), strict=True)]
    native = all(0 <= extra < step for extra, step in zip(more, steps, strict=False))
    options = _options(word, axes) + (f", groups={word.groups}" if word.groups > 1 else "")
    if native:
        before = _numbers((extents[0].before, extents[1].before), axes)
        extra = _numbers((*more, 0), axes)
        options += (f", padding={before}" if before != "0" else "") + (
            f", output_padding={extra}" if extra != "0" else ""
        )
    bias = "" if word.bias else ", bias=False"
    module = f"nn.ConvTranspose{axes}d({channels}, {word.filters}, {_numbers(size, axes)}{options}{bias})"
    text = f"{w.module(node, module, _weight(node, _transposed_kernel))}({_enter(axes, node, w, inputs[0])})"
    if not native:
        slices = ", ".join(f"{extent.before}:{extent.before + extent.places}" for extent in extents[:axes])
        if any(extent.before + extent.places > all_ for extent, all_ in zip(extents, whole, strict=False)):
            raise ExchangeError(f"{node.name}: this output_pad has no counterpart in PyTorch")
        text = f"{text}[:, :, {slices}]"
    return _leave(text, node)


def _pooled(word: Pool, node: GraphNode, w: Writer, x: Value, fill: str) -> tuple[str, str, int]:
    """Return the framed input of a pool, its options, and its axes."""
    _refuse_texts(word, node, w)
    shape = node.input_shapes[0]
    _, size = word.plane(shape)
    axes = _axes(word, node)
    most = (size[0] // 2, size[1] // 2) if fill else (0, 0)
    text, padding = _framed(x.first(axes), word.extents(shape), axes, most, fill)
    stride = _numbers(word.strides(), axes)
    return text, f"{_numbers(size, axes)}, stride={stride}{padding}", axes


@goes(MaxPool)
def _maxpool(word: MaxPool, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    text, options, axes = _pooled(word, node, w, inputs[0], ", value=-torch.inf")
    dilation = _numbers(word.dilations(), axes)
    options += f", dilation={dilation}" if dilation != "1" else ""
    return _leave(f"F.max_pool{axes}d({text}, {options})", node)


@goes(AvgPool)
def _avgpool(word: AvgPool, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if max(word.dilations()) > 1:
        raise ExchangeError(f"{node.name}: avgpool with a dilation has no counterpart in PyTorch")
    text, options, axes = _pooled(word, node, w, inputs[0], "")
    size = word.plane(node.input_shapes[0])[1]
    rows, columns = word.counted(node.input_shapes[0])
    mean = f"F.avg_pool{axes}d({text}, {options})"
    if {*rows} != {size[0]} or {*columns} != {size[1]}:  # some windows count fewer cells
        cells = f"torch.tensor({rows})" if axes == 1 else f"torch.tensor({rows})[:, None] * torch.tensor({columns})"
        mean = f"({mean} * {size[0] * size[1]} / {w.constant(node, 'cells', cells)})"
    return _leave(mean, node)


def _global(function: str, masked: str, word: Any, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,), real, channels = inputs, w.real(node), node.output_shape[0]
    if real is not None:
        return Value(f"{w.helper(masked)}({x.text}, {real})", node.output_shape)
    if x.planes:
        return Value(f"{x.text}.{function}((2, 3))", node.output_shape)
    return Value(f"{x.text}.reshape(len({x.text}), -1, {channels}).{function}(1)", node.output_shape)


goes(GlobalAvgPool)(partial(_global, "mean", "mean_of_steps"))
goes(GlobalMaxPool)(partial(_global, "amax", "largest_of_steps"))


@goes(Flatten, Reshape)
def _reshape(word: Flatten | Reshape, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    sizes = ", ".join(map(str, node.output_shape))
    text = inputs[0].last()
    return Value(f"{text}.reshape(-1, {sizes})" if sizes else f"{text}.reshape(-1)", node.output_shape)


@goes(Permute)
def _permute(word: Permute, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.output_shape.sequence:
        _refuse_texts(word, node, w)
    return Value(f"{inputs[0].last()}.permute{(0, *word.order)}", node.output_shape)


@goes(Upsample)
def _upsample(word: Upsample, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    _refuse_texts(word, node, w)
    axes = 1 if image_or_steps(word.word, node.input_shapes[0])[1] else 2
    factors = tuple(float(factor) for factor in word.factors(node.input_shapes[0]))[:axes]
    mode = "nearest" if word.mode == "nearest" else "linear" if axes == 1 else "bilinear"
    corners = f", align_corners={word.align_corners}" if mode != "nearest" else ""
    return _leave(f'F.interpolate({inputs[0].first(axes)}, scale_factor={factors}, mode="{mode}"{corners})', node)


@goes(PadLayer)
def _pad(word: PadLayer, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    _refuse_texts(word, node, w)
    (top, bottom), (left, right) = word.sides(node.input_shapes[0])
    axes = 1 if image_or_steps(word.word, node.input_shapes[0])[1] else 2
    sides = (top, bottom) if axes == 1 else (left, right, top, bottom)
    mode = {"zeros": "constant", "reflect": "reflect", "edge": "replicate"}[word.mode]
    return _leave(f'F.pad({inputs[0].first(axes)}, {sides}, mode="{mode}")', node)


@goes(Crop)
def _crop(word: Crop, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    _refuse_texts(word, node, w)
    (height, width, _), steps = image_or_steps(word.word, node.input_shapes[0])
    (top, bottom), (left, right) = word.sides(node.input_shapes[0])
    inside = f"{top}:{height - bottom}" + ("" if steps else f", {left}:{width - right}")
    return _leave(f"{inputs[0].first(1 if steps else 2)}[:, :, {inside}]", node)


@goes(BatchNorm)
def _batchnorm(word: BatchNorm, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,), shape = inputs, node.input_shapes[0]
    names = ("weight", "bias", "running_mean", "running_var")
    arrays: dict[str, tuple[str, Turn]] = {name: (name, same) for name in names}
    kind = "2d" if x.planes else "1d"
    module = w.module(node, f"nn.BatchNorm{kind}({shape[-1]}, eps={word.eps}, momentum={word.momentum})", arrays)
    real = w.real(node)
    if node.settled:
        own = ", ".join(f"{module}.{name}" for name in ("running_mean", "running_var", "weight", "bias"))
        text = f"F.batch_norm({x.by_channel()}, {own}, eps={word.eps})"
        return Value(text if x.planes else f"{text}.movedim(1, -1)", shape, x.planes)
    if real is not None:
        return Value(f"{w.helper('on_real_steps')}({module}, {x.text}, {real})", shape)
    if x.planes or len(shape) == 1:
        return Value(f"{module}({x.text})", shape, x.planes)
    return Value(f"{module}({x.text}.reshape(-1, {shape[-1]})).reshape({x.text}.shape)", shape)


@goes(LayerNorm)
def _layernorm(word: LayerNorm, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    module = w.module(node, f"nn.LayerNorm({node.input_shapes[0][-1]}, eps={word.eps})", _weight(node, same))
    return Value(f"{module}({inputs[0].last()})", node.output_shape)


@goes(GroupNorm, InstanceNorm)
def _groupnorm(word: GroupNorm | InstanceNorm, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    _refuse_texts(word, node, w)
    (x,), channels = inputs, node.input_shapes[0][-1]
    learned = not isinstance(word, InstanceNorm) or word.learned
    groups = word.groups if isinstance(word, GroupNorm) else channels
    affine = "" if learned else ", affine=False"
    module = w.module(node, f"nn.GroupNorm({groups}, {channels}, eps={word.eps}{affine})", _weight(node, same))
    text = f"{module}({x.by_channel()}.contiguous())"  # PyTorch 2.13 crashes on the gradient of another layout
    return Value(text if x.planes or len(x.shape) == 1 else f"{text}.movedim(1, -1)", node.output_shape, x.planes)


@goes(Dropout)
def _dropout(word: Dropout, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,) = inputs
    return Value(f"{w.module(node, f'nn.Dropout({word.probability})', {})}({x.text})", x.shape, x.planes)


def _function(text: str) -> Callable[[Any, GraphNode, Writer, Inputs], Value]:
    """Return how an elementwise function goes out: its text with {x}, and with the fields of its word."""

    def function(word: Any, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
        (x,) = inputs
        return Value(text.format(x=x.text, **word.model_dump()), x.shape, x.planes)

    return function


for _word, _text in {
    Linear: "{x}",
    Relu: "F.relu({x})",
    LeakyRelu: "F.leaky_relu({x}, {slope})",
    Elu: "F.elu({x}, {alpha})",
    Gelu: "F.gelu({x})",
    Silu: "F.silu({x})",
    Selu: "F.selu({x})",
    Mish: "F.mish({x})",
    Sigmoid: "{x}.sigmoid()",
    Tanh: "{x}.tanh()",
    Softplus: "F.softplus({x})",
}.items():
    goes(_word)(_function(_text))


@goes(Softmax)
def _softmax(word: Softmax, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    (x,) = inputs
    return Value(f"{x.text}.softmax({1 if x.planes else -1})", x.shape, x.planes)


@goes(Prelu)
def _prelu(word: Prelu, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    text = inputs[0].last()
    slope = w.parameter(node, "weight", node.layer.parameters(node.input_shapes[0])["weight"].shape)
    return Value(f"{text}.clamp(min=0) + {slope} * {text}.clamp(max=0)", node.output_shape)


@goes(OneHot)
def _onehot(word: OneHot, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    count = word.vocabulary(node.input_shapes[0])
    return Value(f"{w.helper('one_hot')}({inputs[0].text}, {count})", node.output_shape)


@goes(Embed)
def _embed(word: Embed, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.ties:
        weight = w.weight_of(node, "weight")
    else:
        shape = node.layer.parameters(node.input_shapes[0])["weight"].shape
        weight = f"{w.module(node, f'nn.Embedding({shape[0]}, {shape[1]})', _weight(node, same))}.weight"
    return Value(f"{w.helper('embedded')}({inputs[0].text}, {weight})", node.output_shape)


@goes(EmbedColumns)
def _embed_columns(word: EmbedColumns, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    shape = node.input_shapes[0]
    arrays: dict[str, tuple[str, Turn]] = {name: (name, same) for name in word.parameters(shape)}
    columns = [tuple(column) for column in word.columns_in(shape)]
    module = w.module(node, f"{w.helper('EmbedColumns')}({columns}, {word.units})", arrays)
    return Value(f"{module}({inputs[0].text})", node.output_shape)


@goes(Positions)
def _positions(word: Positions, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    time, features = node.input_shapes[0]
    if word.vectors == "sinusoidal":
        table = w.constant(node, "table", f"{w.helper('sinusoids')}({time}, {features}, {PERIOD})")
        return Value(f"{inputs[0].text} + {table}.to({inputs[0].text}.dtype)", node.output_shape)
    return Value(f"{inputs[0].text} + {w.parameter(node, 'weight', (time, features))}", node.output_shape)


@goes(Attention)
def _attention(word: Attention, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.ties:
        raise ExchangeError(f"{node.name}: attention with the weights of another layer does not go to PyTorch")
    shape = node.input_shapes[0]
    options = ", causal=True" if word.causal else ""
    options += f", dropout={word.dropout}" if word.dropout else ""
    options += "" if word.bias else ", bias=False"
    turns: dict[str, tuple[str, Turn]] = {
        "input_weight": ("input.weight", _turned),
        "input_bias": ("input.bias", same),
        "output_weight": ("output.weight", _turned),
        "output_bias": ("output.bias", same),
    }
    arrays = {name: turns[name] for name in word.parameters(shape)}
    text = f"{w.helper('Attention')}({shape[1]}, {word.width(shape)}, {word.heads}{options})"
    return Value(f"{w.module(node, text, arrays)}({inputs[0].text}{_masked(node, w)})", node.output_shape)


def _masked(node: GraphNode, w: Writer) -> str:
    real = w.real(node)
    return "" if real is None else f", {real}"


@goes(Recurrent)
def _recurrent(word: Recurrent, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    if node.ties:
        raise ExchangeError(f"{node.name}: {word.word} with the weights of another layer does not go to PyTorch")
    shape = node.input_shapes[0]
    kind = "rnn_relu" if isinstance(word, Rnn) and word.activation == "relu" else word.word
    options = {
        "layers": (word.layers, 1),
        "bidirectional": (word.bidirectional, False),
        "reverse": (word.reverse, False),
        "sequence": (word.return_ == "sequence", False),
        "bias": (word.bias, True),
        "dropout": (word.dropout, 0),
        "input_dropout": (word.input_dropout, 0),
        "recurrent_dropout": (word.recurrent_dropout, 0),
    }
    more = "".join(f", {name}={value!r}" for name, (value, default) in options.items() if value != default)
    arrays: dict[str, tuple[str, Turn]] = {name: (name, same) for name in word.parameters(shape)}
    features = word.steps(shape)[1]
    module = w.module(node, f'{w.helper("Recurrent")}("{kind}", {features}, {word.units}{more})', arrays)
    return Value(f"{module}({inputs[0].text}{_masked(node, w)})", node.output_shape)


def _together(inputs: Inputs) -> tuple[list[str], bool]:
    """Return the texts of branches in one layout, and whether channels are first there."""
    if all(x.planes for x in inputs):
        return [x.text for x in inputs], True
    return [x.last() for x in inputs], False


@goes(Add)
def _add(word: Add, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    texts, planes = _together(inputs)
    return Value(" + ".join(texts), node.output_shape, planes)


@goes(Concatenate)
def _concatenate(word: Concatenate, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    texts, planes = _together(inputs)
    return Value(f"torch.cat([{', '.join(texts)}], {1 if planes else -1})", node.output_shape, planes)


@goes(Multiply)
def _multiply(word: Multiply, node: GraphNode, w: Writer, inputs: Inputs) -> Value:
    texts, planes = _together([x for x in inputs if len(x.shape) == len(node.output_shape)])
    full, parts = iter(texts), []
    for x in inputs:
        if len(x.shape) == len(node.output_shape):
            parts.append(next(full))
        else:  # a row of numbers for the channels
            after = ", None" * (len(node.output_shape) - len(x.shape))
            parts.append(f"{x.text}[:, :{after}]" if planes else f"{x.text}[:{after}]")
    return Value(" * ".join(parts), node.output_shape, planes)
