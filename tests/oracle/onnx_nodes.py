"""ONNX's own node tests, said in the language: for each operator the layer, its samples and its arrays.

An operator is a function of a case. It returns what this language calls it, or raises CannotSay with the reason. ONNX
has channels before positions and the language has them last; sequences are (time, batch, features) there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

Array = NDArray[Any]


class CannotSay(Exception):
    """Raised with the reason why the language cannot say a case."""


@dataclass(frozen=True)
class Case:
    """A case of one operator: its attributes, inputs and outputs."""

    name: str
    operator: str
    attributes: dict[str, Any]
    inputs: list[Array]
    outputs: list[Array]
    rtol: float
    atol: float

    @classmethod
    def of(cls, test: Any) -> "Case":
        """The case of a test with one node and one set of tensors. Raises CannotSay for another."""
        nodes = test.model.graph.node
        if len(nodes) != 1 or len(test.data_sets) != 1:
            raise CannotSay("several nodes")
        inputs, outputs = ([_array(tensor) for tensor in tensors] for tensors in test.data_sets[0])
        given = iter(inputs)
        placed = [next(given) if name else np.zeros(0) for name in nodes[0].input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in nodes[0].attribute}
        return cls(test.name, nodes[0].op_type, attributes, placed, outputs, test.rtol, test.atol)

    @property
    def x(self) -> Array:
        return self.inputs[0]

    def needs(self, **values: Any) -> None:
        """Raise CannotSay unless these attributes are absent or have these values."""
        for name, value in values.items():
            if self.attributes.get(name, value) != value:
                raise CannotSay(f"{name}={self.attributes[name]}")


def _array(tensor: Any) -> Array:
    if isinstance(tensor, onnx.TensorProto):
        tensor = onnx.numpy_helper.to_array(tensor)
    if not isinstance(tensor, np.ndarray | np.generic):
        raise CannotSay("no tensor")
    return np.asarray(tensor)


@dataclass(frozen=True)
class Said:
    """A network of one layer, or a merge of several inputs, and what it must give for these samples.

    `text` is the spec after its input line, `axes` what is written after the shape there. `shown` is the part of the
    answers that is compared.
    """

    text: str
    samples: Array
    expected: Array
    arrays: dict[str, Array] = field(default_factory=dict)
    axes: str = ""
    training: bool = False
    targets: Array | None = None
    shown: tuple[slice, ...] = ()

    @property
    def spec(self) -> str:
        shape = "x".join(map(str, self.samples.shape[1:]))
        return f"input {shape or 1}{self.axes}\n{self.text}"


OPERATORS: dict[str, Callable[[Case], Said]] = {}


def says(*names: str) -> Callable[[Callable[[Case], Said]], Callable[[Case], Said]]:
    """Register what says these operators."""

    def register(function: Callable[[Case], Said]) -> Callable[[Case], Said]:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register


def channels_last(x: Array) -> Array:
    return np.moveaxis(x, 1, -1)


def _as_batch(x: Array) -> Array:
    """A tensor of any rank as samples: one number is a sample of its own."""
    return x if x.ndim > 1 else x.reshape(-1, 1)


ACTIVATIONS = {
    "Mish": "mish",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Identity": "linear",
}


@says(*ACTIVATIONS)
def activation(case: Case) -> Said:
    return Said(ACTIVATIONS[case.operator], _as_batch(case.x), _as_batch(case.outputs[0]))


@says("LeakyRelu", "Elu", "Gelu", "Swish", "Dropout")
def activation_with_options(case: Case) -> Said:
    alpha = float(case.attributes.get("alpha", {"LeakyRelu": 0.01}.get(case.operator, 1.0)))
    if case.operator in ("Gelu", "Swish"):
        case.needs(approximate=b"none")
        if alpha != 1:
            raise CannotSay(f"alpha={alpha}")
    if case.operator == "Dropout" and len(case.inputs) > 2:
        raise CannotSay("training with a generator of its own")
    text = {"LeakyRelu": f"leaky_relu slope={alpha!r}", "Elu": f"elu alpha={alpha!r}", "Gelu": "gelu", "Swish": "silu"}
    return Said(text.get(case.operator, "dropout 0.5"), _as_batch(case.x), _as_batch(case.outputs[0]))


@says("Softmax")
def softmax(case: Case) -> Said:
    axis = case.attributes.get("axis", -1)
    x, y = (np.moveaxis(array, axis, -1) for array in (case.x, case.outputs[0]))
    return Said("softmax", x, y)


@says("Gemm")
def gemm(case: Case) -> Said:
    a, b = case.inputs[:2]
    x = a.T if case.attributes.get("transA") else a
    weight = (b.T if case.attributes.get("transB") else b) * np.float32(case.attributes.get("alpha", 1))
    arrays = {"weight": weight}
    if len(case.inputs) > 2:
        bias = case.inputs[2] * np.float32(case.attributes.get("beta", 1))
        if bias.ndim == 2 and bias.shape[0] > 1:
            raise CannotSay("a bias for each sample")
        arrays["bias"] = np.broadcast_to(bias.reshape(-1), weight.shape[1:])
    text = f"dense {weight.shape[1]}" + ("" if "bias" in arrays else " bias=no")
    return Said(text, x, case.outputs[0], arrays)


@says("MatMul")
def matmul(case: Case) -> Said:
    a, b = case.inputs
    if b.ndim != 2 or a.ndim != 2:
        raise CannotSay("a weight for each sample")
    return Said(f"dense {b.shape[1]} bias=no", a, case.outputs[0], {"weight": b})


@says("Attention")
def attention(case: Case) -> Said:
    """The three tensors side by side are the steps, and the weights are an identity that hands them on."""
    case.needs(softcap=0.0, left_window_size=-1, right_window_size=-1)
    if len(case.inputs) > 3:
        raise CannotSay("a mask or a cache given as a tensor")
    if case.x.dtype != np.float32:
        raise CannotSay("half precision")
    counts = [case.attributes.get(name) for name in ("q_num_heads", "kv_num_heads", "kv_num_heads")]
    q, k, v = (_by_head(x, count) for x, count in zip(case.inputs, counts, strict=True))
    heads, size = q.shape[2:]
    if v.shape[3] != size:
        raise CannotSay("values of another size")
    if q.shape[1] > k.shape[1]:
        raise CannotSay("more queries than keys")
    k, v = (np.repeat(x, heads // x.shape[2], axis=2) for x in (k, v))
    width, queries, time = heads * size, q.shape[1], k.shape[1]
    q = np.pad(
        q * np.float32(case.attributes.get("scale", size**-0.5) * size**0.5),
        ((0, 0), (0, time - queries)) + ((0, 0),) * 2,
    )
    samples = np.concatenate([x.reshape(len(x), time, width) for x in (q, k, v)], axis=-1)
    arrays = {"input_weight": np.eye(3 * width), "output_weight": np.eye(width, 3 * width)}
    causal = " causal" if case.attributes.get("is_causal") else ""
    expected = _by_head(case.outputs[0], heads).reshape(len(q), queries, width)
    shown = (slice(None), slice(queries), slice(width))
    return Said(f"attention {heads} dim={width} bias=no{causal}", samples, expected, arrays, " sequence", shown=shown)


def _by_head(x: Array, heads: int | None) -> Array:
    """A tensor (batch, heads, time, size), or (batch, time, heads · size), as (batch, time, heads, size)."""
    return x.transpose(0, 2, 1, 3) if x.ndim == 4 else x.reshape(*x.shape[:2], heads or 1, -1)


def _windows(case: Case, kernel: tuple[int, ...]) -> str:
    """stride, pad, dilation and the window of a convolution or pool."""
    axes = len(kernel)
    if axes > 2:
        raise CannotSay("three axes")
    strides, dilations = (case.attributes.get(name, (1,) * axes) for name in ("strides", "dilations"))
    automatic = case.attributes.get("auto_pad", b"NOTSET").decode()
    pads = case.attributes.get("pads", (0,) * 2 * axes)
    if automatic.startswith("SAME"):
        sizes = case.x.shape[2:]
        totals = [
            max((-(-n // stride) - 1) * stride + dilation * (k - 1) + 1 - n, 0)
            for n, k, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
        ]
        pads = [total // 2 for total in totals] + [total - total // 2 for total in totals]
        if automatic == "SAME_LOWER":
            pads = pads[axes:] + pads[:axes]
    pad = "same" if automatic == "SAME_UPPER" else "x".join(str(pads[i + j]) for i in range(axes) for j in (0, axes))
    size, stride, dilation = ("x".join(map(str, numbers)) for numbers in (kernel, strides, dilations))
    return f"{size} stride={stride} dilation={dilation} pad={pad}"


def _placed(case: Case, text: str, arrays: dict[str, Array] | None = None) -> Said:
    axes = " sequence" if case.x.ndim == 3 else ""
    return Said(text, channels_last(case.x), channels_last(case.outputs[0]), arrays or {}, axes)


@says("Conv")
def conv(case: Case) -> Said:
    weight = case.inputs[1]
    window = _windows(case, weight.shape[2:])
    arrays = {"weight": np.moveaxis(weight, (0, 1), (-1, -2))}
    if len(case.inputs) > 2:
        arrays["bias"] = case.inputs[2]
    size, options = window.split(" ", 1)
    groups = case.attributes.get("group", 1)
    bias = "yes" if "bias" in arrays else "no"
    return _placed(case, f"conv {size} x{len(weight)} {options} groups={groups} bias={bias}", arrays)


@says("MaxPool", "AveragePool")
def pool(case: Case) -> Said:
    case.needs(storage_order=0)
    if case.x.dtype.kind != "f":
        raise CannotSay("numbers of another type")
    ceil_mode = "yes" if case.attributes.get("ceil_mode") else "no"
    text = f"{_windows(case, tuple(case.attributes['kernel_shape']))} ceil_mode={ceil_mode}"
    if case.operator == "MaxPool":
        return _placed(case, f"maxpool {text}")
    counts = "yes" if case.attributes.get("count_include_pad") else "no"
    return _placed(case, f"avgpool {text} count_include_pad={counts}")


@says("GlobalAveragePool", "GlobalMaxPool")
def global_pool(case: Case) -> Said:
    word = "globalavgpool" if case.operator == "GlobalAveragePool" else "globalmaxpool"
    return Said(word, channels_last(case.x), case.outputs[0].reshape(case.outputs[0].shape[:2]))


@says("BatchNormalization")
def batchnorm(case: Case) -> Said:
    _, scale, bias, mean, var = case.inputs
    training = bool(case.attributes.get("training_mode"))
    momentum = 1 - float(case.attributes.get("momentum", 0.9)) if training else 0.1
    text = f"batchnorm momentum={momentum!r} eps={float(case.attributes.get('epsilon', 1e-5))!r}"
    arrays = {"weight": scale, "bias": bias, "running_mean": mean, "running_var": var}
    return Said(text, channels_last(case.x), channels_last(case.outputs[0]), arrays, training=training)


@says("LayerNormalization")
def layernorm(case: Case) -> Said:
    axis = case.attributes.get("axis", -1) % case.x.ndim
    shape = case.x.shape
    x = case.x.reshape(int(np.prod(shape[:axis])), -1)
    arrays = {"weight": case.inputs[1].reshape(-1)}
    arrays["bias"] = case.inputs[2].reshape(-1) if len(case.inputs) > 2 else np.zeros_like(arrays["weight"])
    text = f"layernorm eps={float(case.attributes.get('epsilon', 1e-5))!r}"
    return Said(text, x, case.outputs[0].reshape(x.shape), arrays)


@says("GroupNormalization")
def groupnorm(case: Case) -> Said:
    weight, bias = case.inputs[1:]
    eps = float(case.attributes.get("epsilon", 1e-5))
    return _placed(case, f"groupnorm {case.attributes['num_groups']} eps={eps!r}", {"weight": weight, "bias": bias})


@says("InstanceNormalization")
def instancenorm(case: Case) -> Said:
    weight, bias = case.inputs[1:]
    text = f"instancenorm learned=yes eps={float(case.attributes.get('epsilon', 1e-5))!r}"
    return _placed(case, text, {"weight": weight, "bias": bias})


@says("PRelu")
def prelu(case: Case) -> Said:
    x, slope = case.inputs
    if slope.shape != x.shape[-1:]:
        raise CannotSay("a slope for each number of a sample")
    return Said("prelu shared=no", x, case.outputs[0], {"weight": slope})


@says("Selu")
def selu(case: Case) -> Said:
    for name, paper in (("alpha", 1.6732632), ("gamma", 1.0507009)):
        if abs(case.attributes.get(name, paper) - paper) > 1e-6:
            raise CannotSay(f"{name}={case.attributes[name]}")
    return Said("selu", _as_batch(case.x), _as_batch(case.outputs[0]))


@says("ConvTranspose")
def transposed(case: Case) -> Said:
    weight = case.inputs[1]  # (in, out / groups, *window)
    axes = weight.ndim - 2
    if axes > 2:
        raise CannotSay("three axes")
    if "output_shape" in case.attributes:
        raise CannotSay("output_shape")
    groups = case.attributes.get("group", 1)
    filters = weight.shape[1] * groups
    given = {
        name: "x".join(map(str, case.attributes.get(f"{name}s", case.attributes.get(name, (default,) * axes))))
        for name, default in (("stride", 1), ("dilation", 1), ("output_padding", 0))
    }
    pads = case.attributes.get("pads", (0,) * 2 * axes)
    pad = "x".join(str(pads[i + j]) for i in range(axes) for j in (0, axes))
    automatic = case.attributes.get("auto_pad", b"NOTSET").decode()
    if automatic == "SAME_UPPER":
        pad = "same"
    arrays = {"weight": np.moveaxis(weight, (0, 1), (-2, -1))}
    if len(case.inputs) > 2:
        arrays["bias"] = case.inputs[2]
    text = f"transposed {'x'.join(map(str, weight.shape[2:]))} x{filters} stride={given['stride']} pad={pad}"
    text += f" dilation={given['dilation']} output_pad={given['output_padding']} groups={groups}"
    return _placed(case, f"{text} bias={'yes' if 'bias' in arrays else 'no'}", arrays)


@says("Upsample", "Resize")
def upsample(case: Case) -> Said:
    how = case.attributes.get("coordinate_transformation_mode", b"half_pixel").decode()
    mode = case.attributes.get("mode", b"nearest").decode()
    if mode == "cubic" or case.attributes.get("antialias"):
        raise CannotSay(f"mode={mode}, antialias={case.attributes.get('antialias', 0)}")
    case.needs(nearest_mode=b"round_prefer_floor", exclude_outside=0)
    if how not in ("half_pixel", "align_corners") or (how == "align_corners" and mode == "nearest"):
        raise CannotSay(f"{how} of {mode}")
    factors = [y / x for x, y in zip(case.x.shape, case.outputs[0].shape, strict=True)]
    if case.x.ndim != 4 or factors[:2] != [1, 1] or any(factor != int(factor) for factor in factors):
        raise CannotSay("an image that is not a whole number of times as large")
    named = "nearest" if mode == "nearest" else "bilinear"
    corners = " align_corners=yes" if how == "align_corners" else ""
    return _placed(case, f"upsample {int(factors[2])}x{int(factors[3])} mode={named}{corners}")


@says("Pad")
def pad(case: Case) -> Said:
    mode = case.attributes.get("mode", b"constant").decode()
    if mode not in ("constant", "edge", "reflect"):
        raise CannotSay(f"mode={mode}")
    if mode == "constant" and len(case.inputs) > 2 and case.inputs[2].size and case.inputs[2] != 0:
        raise CannotSay("a constant other than 0")
    pads = np.zeros((2, case.x.ndim), int)
    axes = case.inputs[3] if len(case.inputs) > 3 else range(case.x.ndim)
    pads[:, [axis % case.x.ndim for axis in axes]] = case.inputs[1].reshape(2, -1)
    if case.x.ndim != 4 or pads[:, :2].any() or pads.min() < 0:
        raise CannotSay("padding of the batch or of the channels, or negative padding")
    sides = "x".join(map(str, pads[:, 2:].T.ravel()))
    x, y = (channels_last(array).astype(np.float32) for array in (case.x, case.outputs[0]))
    return Said(f"pad {sides} mode={'zeros' if mode == 'constant' else mode}", x, y)


@says("Transpose")
def transpose(case: Case) -> Said:
    axes = case.attributes.get("perm", range(case.x.ndim)[::-1])
    order = " ".join(str(axis + 1) for axis in axes)
    return Said(f"permute {order}", case.x[None], case.outputs[0][None])


@says("Flatten")
def flatten(case: Case) -> Said:
    if case.attributes.get("axis", 1) % case.x.ndim != 1:
        raise CannotSay("the batch is flattened too")
    return Said("flatten", case.x, case.outputs[0])


@says("Reshape")
def reshape(case: Case) -> Said:
    if not case.x.size:
        raise CannotSay("an axis of no length")
    return Said(f"reshape {'x'.join(map(str, case.outputs[0].shape))}", case.x[None], case.outputs[0][None])


@says("Gather")
def gather(case: Case) -> Said:
    table, symbols = case.inputs
    if case.attributes.get("axis", 0) != 0 or symbols.ndim != 1 or symbols.min() < 0:
        raise CannotSay("another axis, or symbols counted from the end")
    rows = table.reshape(len(table), -1)
    expected = case.outputs[0].reshape(1, len(symbols), -1)
    return Said(f"embed {rows.shape[1]} vocab={len(table)}", symbols[None], expected, {"weight": rows})


def _recurrent(case: Case, word: str, order: tuple[int, ...], options: str = "") -> Said:
    """A recurrent layer whose gates are ONNX's blocks in this order, (direction, gates · units, …) there."""
    x, weight, hidden, *rest = case.inputs
    bias = rest[0] if rest else np.zeros(0)
    if any(array.size for array in rest[1:]) or {"activations", "clip"} & set(case.attributes):
        raise CannotSay("an initial state, peepholes, lengths, or activations of its own")
    batch_first = case.attributes.get("layout", 0)
    x = x if batch_first else x.swapaxes(0, 1)
    units, direction = case.attributes["hidden_size"], case.attributes.get("direction", b"forward").decode()

    def columns(array: Array) -> Array:
        blocks = array.reshape(-1, units, *array.shape[1:])
        return np.concatenate([blocks[i] for i in order]).T

    arrays = {}
    for at, prefix in enumerate(("", "reverse_")[: len(weight)]):
        arrays[f"{prefix}input_weight"] = columns(weight[at])
        arrays[f"{prefix}hidden_weight"] = columns(hidden[at])
        own, carried = np.split(bias[at], 2) if bias.size else (np.zeros(len(order) * units),) * 2
        if word == "gru":
            arrays[f"{prefix}hidden_bias"] = columns(carried)[2 * units :]
            carried = np.concatenate([carried[: 2 * units], np.zeros(units)])
        arrays[f"{prefix}bias"] = columns(own) + columns(carried)
    if case.outputs[0].ndim == 4:  # every state: (time, directions, batch, units), or the batch first
        every = case.outputs[0] if batch_first else case.outputs[0].transpose(2, 0, 1, 3)
        expected, returned = every.reshape(*every.shape[:2], -1), "sequence"
    else:  # the last: (directions, batch, units)
        last = case.outputs[0] if batch_first else case.outputs[0].swapaxes(0, 1)
        expected, returned = last.reshape(len(last), -1), "last"
    if direction == "bidirectional":
        options += " bidirectional=yes"
    if direction == "reverse":
        options += " reverse=yes"
    return Said(f"{word} {units} return={returned}{options}", x, expected, arrays)


@says("RNN")
def rnn(case: Case) -> Said:
    return _recurrent(case, "rnn", (0,))


@says("LSTM")
def lstm(case: Case) -> Said:
    case.needs(input_forget=0)
    return _recurrent(case, "lstm", (0, 2, 3, 1))  # i o f c there, i f g o here


@says("GRU")
def gru(case: Case) -> Said:
    steps = case.x.shape[1 if case.attributes.get("layout") else 0]
    if not case.attributes.get("linear_before_reset") and steps > 1:
        raise CannotSay("its reset gate multiplies h before the product, here as in PyTorch after it")
    return _recurrent(case, "gru", (1, 0, 2))  # z r h there, r z n here


@says("Concat")
def concat(case: Case) -> Said:
    axis, rank = case.attributes["axis"] % case.x.ndim, case.x.ndim
    if rank > 3:
        raise CannotSay("four axes")
    samples = [np.moveaxis(np.atleast_2d(array), -1 if rank == 1 else axis, -1) for array in case.inputs]
    expected = np.moveaxis(np.atleast_2d(case.outputs[0]), -1 if rank == 1 else axis, -1)
    return _merged("|", samples, expected)


@says("Add", "Mul")
def arithmetic(case: Case) -> Said:
    a, b = case.inputs
    if a.dtype != np.float32:
        raise CannotSay("numbers of another type")
    sign = "+" if case.operator == "Add" else "*"
    if a.shape != b.shape:
        if sign == "+":
            raise CannotSay("a row that is added to each position")
        b = np.broadcast_to(b, (len(a), *b.shape))
    return _merged(sign, [_as_batch(a), _as_batch(b)], _as_batch(case.outputs[0]))


def _merged(sign: str, branches: list[Array], expected: Array) -> Said:
    """Two branches over one sample: each a dense layer that picks its own part of the row."""
    batch = len(branches[0])
    rows = [branch.reshape(batch, -1) for branch in branches]
    samples, parts, first = np.concatenate(rows, axis=1), [], 0
    arrays = {}
    for at, (row, branch) in enumerate(zip(rows, branches, strict=True), 1):
        picks = np.zeros((samples.shape[1], row.shape[1]), row.dtype)
        picks[np.arange(first, first + row.shape[1]), np.arange(row.shape[1])] = 1
        arrays[f"dense{at}/weight"] = picks
        shape = branch.shape[1:]
        one = f" -> reshape {'x'.join(map(str, shape))} sequence" if len(shape) == 2 else ""
        if len(shape) > 2:
            one = f" -> reshape {'x'.join(map(str, shape))}"
        parts.append(f"dense {row.shape[1]} bias=no{one}")
        first += row.shape[1]
    return Said(f"({f' {sign} '.join(parts)})", samples, expected, arrays)


@says("SoftmaxCrossEntropyLoss")
def cross_entropy(case: Case) -> Said:
    case.needs(reduction=b"mean")
    if len(case.inputs) > 2:
        raise CannotSay("weights of classes")
    logits, classes = channels_last(case.x), case.inputs[1].astype(np.int64)
    ignored = case.attributes.get("ignore_index")
    logits = logits.reshape(1, -1, logits.shape[-1])
    classes = classes.reshape(1, -1)
    if ignored is not None:
        classes = np.where(classes == ignored, -1, classes)
    return Said("softmax", logits, case.outputs[0], axes=" sequence", targets=classes)
