"""What PyTorch's modules keep, and how it becomes ours."""

import numpy as np

from nnspec.exchange.weights.order import Order
from nnspec.exchange.weights.recipes import Filled, Given, Make, Recipe, Slot, ordered
from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.check.spec import Node
from nnspec.spec_lang.vocabulary.layers.activation import Prelu
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions
from nnspec.spec_lang.vocabulary.layers.conv import Convolution, Separable
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns
from nnspec.spec_lang.vocabulary.layers.normalization import BatchNorm, InstanceNorm, Normalization
from nnspec.spec_lang.vocabulary.layers.recurrent import Gru, Recurrent
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed

TORCH: Registry[Make] = Registry(__name__)


def _shapes(node: Node) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of our arrays by its name in the layer, tied ones too."""
    shape = node.input_shape
    return {name: p.shape for name, p in {**node.layer.parameters(shape), **node.layer.buffers(shape)}.items()}


def _in(order: Order, how: str, columns: bool = False) -> str:
    """Return how an array came, with the order of its rows or columns where it changes."""
    if (order.columns if columns else order.rows) is None:
        return how
    axis, ours = ("columns", "columns") if columns else ("rows", "rows")
    said = order.said
    back = {"channels, rows, columns": "rows, columns, channels", "channels, steps": "steps, channels"}.get(said, ours)
    reordered = f"{axis} from {said} to {back}"
    return reordered if how == "as it is" else f"{how}, {reordered}"


@TORCH.implements(Dense)
def dense(node: Node, order: Order) -> Recipe:
    """Weight (out, in), bias (out,)."""
    inputs, units = _shapes(node)["weight"]
    bias = (Slot("bias", (units,)),) if node.layer.bias else ()  # type: ignore[attr-defined]

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        weight = ordered(ordered(theirs["weight"].T, order.rows), order.columns, axis=1)
        how = _in(order, _in(order, "transposed"), columns=True)
        filled = [Filled("weight", ("weight",), weight, how)]
        if bias:
            filled.append(
                Filled("bias", ("bias",), ordered(theirs["bias"], order.columns), _in(order, "as it is", columns=True))
            )
        return filled

    return Recipe(((Slot("weight", (units, inputs)), *bias),), fill)


def _letters(axes: int) -> str:
    return {4: "kernel OIHW → HWIO", 3: "kernel OIK → KIO"}[axes]


@TORCH.implements(Convolution)
def convolution(node: Node, order: Order) -> Recipe:
    """Weight (out, in / groups, height, width), or (out, in / groups, steps), bias (out,)."""
    shapes = _shapes(node)
    *window, inputs, filters = shapes["weight"]
    slots = [Slot("weight", (filters, inputs, *window))]
    slots += [Slot("bias", shapes["bias"])] if "bias" in shapes else []

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        weight = _windows_first(theirs["weight"], out_first=True)
        filled = [Filled("weight", ("weight",), weight, _letters(weight.ndim))]
        return filled + ([Filled("bias", ("bias",), theirs["bias"])] if "bias" in shapes else [])

    return Recipe((tuple(slots),), fill)


def _windows_first(weight: Array, out_first: bool) -> Array:
    """Return (window, in, out) of (out, in, window), or of (in, out, window)."""
    axes = (*range(2, weight.ndim), 1, 0) if out_first else (*range(2, weight.ndim), 0, 1)
    return weight.transpose(axes)


@TORCH.implements(Transposed)
def transposed_convolution(node: Node, order: Order) -> Recipe:
    """Weight (in, out / groups, height, width), or (in, out / groups, steps), bias (out,)."""
    shapes = _shapes(node)
    *window, inputs, filters = shapes["weight"]
    slots = [Slot("weight", (inputs, filters, *window))]
    slots += [Slot("bias", shapes["bias"])] if "bias" in shapes else []

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        weight = _windows_first(theirs["weight"], out_first=False)
        how = {4: "kernel IOHW → HWIO", 3: "kernel IOK → KIO"}[weight.ndim]
        filled = [Filled("weight", ("weight",), weight, how)]
        return filled + ([Filled("bias", ("bias",), theirs["bias"])] if "bias" in shapes else [])

    return Recipe((tuple(slots),), fill)


@TORCH.implements(Separable)
def separable(node: Node, order: Order) -> Recipe:
    """Two convolutions: of each channel by itself, and of one pixel; a bias of the first becomes part of the second."""
    shapes = _shapes(node)
    *window, _, middle = shapes["depthwise_weight"]
    filters = shapes["pointwise_weight"][1]
    first = (Slot("weight", (middle, 1, *window)), *((Slot("bias", (middle,), True),) if "bias" in shapes else ()))
    second = [Slot("weight", (filters, middle, *(1 for _ in window)))]
    second += [Slot("bias", (filters,))] if "bias" in shapes else []

    def fill(given: Given) -> list[Filled]:
        depthwise, pointwise = given
        each = _windows_first(depthwise["weight"], out_first=True)
        matrix = pointwise["weight"].reshape(filters, middle).T
        filled = [
            Filled("depthwise_weight", ("weight",), each, _letters(each.ndim)),
            Filled("pointwise_weight", ("weight",), matrix, "transposed", module=1),
        ]
        if "bias" in shapes:
            bias, how = pointwise["bias"], "as it is"
            more: tuple[tuple[int, str], ...] = ()
            if "bias" in depthwise:
                bias, how = bias + depthwise["bias"] @ matrix, "plus the first bias times the second weight"
                more = ((0, "bias"),)
            filled.append(Filled("bias", ("bias",), bias, how, 1, more))
        return filled

    return Recipe((first, tuple(second)), fill)


@TORCH.implements(Normalization, InstanceNorm)
def normalization(node: Node, order: Order) -> Recipe:
    """Weight, bias, and the running averages of a batchnorm, (channels,) each; without weights ones and zeros."""
    shapes = _shapes(node)
    averages = isinstance(node.layer, BatchNorm)
    slots = tuple(Slot(name, shape, optional=not name.startswith("running_")) for name, shape in shapes.items())

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        filled = []
        for name, shape in shapes.items():
            if name in theirs:
                filled.append(Filled(name, (name,), ordered(theirs[name], order.rows), _in(order, "as it is")))
            else:
                value, how = (np.ones, "ones: affine=False there") if name == "weight" else (
                    np.zeros, "zeros: affine=False there"
                )  # fmt: skip
                filled.append(Filled(name, (), value(shape), how))
        return filled

    return Recipe((slots,), fill) if slots and (averages or shapes) else Recipe((), lambda given: [])


@TORCH.implements(Prelu)
def prelu(node: Node, order: Order) -> Recipe:
    """Weight (1,) or (channels,)."""
    shape = _shapes(node)["weight"]
    places = order.rows if shape != (1,) else None

    def fill(given: Given) -> list[Filled]:
        how = _in(order, "as it is") if places is not None else "as it is"
        return [Filled("weight", ("weight",), ordered(given[0]["weight"], places), how)]

    return Recipe(((Slot("weight", shape),),), fill)


@TORCH.implements(Embed, Positions)
def embedding(node: Node, order: Order) -> Recipe:
    """Weight (symbols, units), or (time, features)."""
    shapes = _shapes(node)
    if not shapes:
        return Recipe((), lambda given: [])
    return Recipe(
        ((Slot("weight", shapes["weight"]),),), lambda given: [Filled("weight", ("weight",), given[0]["weight"])]
    )


@TORCH.implements(EmbedColumns)
def embed_columns(node: Node, order: Order) -> Recipe:
    """An embedding for each column: weight (categories, units)."""
    shapes = _shapes(node)
    return Recipe(
        tuple((Slot("weight", shape),) for shape in shapes.values()),
        lambda given: [
            Filled(name, ("weight",), theirs["weight"], module=place)
            for place, (name, theirs) in enumerate(zip(shapes, given, strict=True))
        ],
    )


@TORCH.implements(Recurrent)
def recurrent(node: Node, order: Order) -> Recipe:
    """For each layer and direction weight_ih (gates · units, in), weight_hh, and two biases, in our gate order."""
    word = node.layer
    assert isinstance(word, Recurrent)
    columns, passes = word.gates * word.units, word.passes(node.input_shape)
    modules: list[list[Slot]] = [[] for _ in range(word.layers)]
    for one in passes:
        end = "_reverse" if one.direction else ""
        biases = [Slot(f"{name}{end}", (columns,)) for name in ("bias_ih", "bias_hh")] if word.bias else []
        modules[one.layer] += [
            Slot(f"weight_ih{end}", (columns, one.features)), Slot(f"weight_hh{end}", (columns, word.units)), *biases
        ]  # fmt: skip

    def fill(given: Given) -> list[Filled]:
        filled = []
        for one in passes:
            theirs, end = given[one.layer], "_reverse" if one.direction else ""
            for ours, role in (("input_weight", "weight_ih"), ("hidden_weight", "weight_hh")):
                role += end
                filled.append(Filled(f"{one.prefix}{ours}", (role,), theirs[role].T, "transposed", one.layer))
            if word.bias:
                filled += _biases(word, one.prefix, theirs[f"bias_ih{end}"], theirs[f"bias_hh{end}"], end, one.layer)
        return filled

    return Recipe(tuple(map(tuple, modules)), fill)


def _biases(word: Recurrent, prefix: str, first: Array, second: Array, end: str, module: int) -> list[Filled]:
    """Return the sum of both biases; of a gru's n the second stays apart, for the reset gate multiplies it."""
    both = (f"bias_ih{end}", f"bias_hh{end}")
    if not isinstance(word, Gru):
        return [Filled(f"{prefix}bias", both, first + second, "bias_ih + bias_hh added", module)]
    gates = 2 * word.units
    bias = np.concatenate([first[:gates] + second[:gates], first[gates:]])
    return [
        Filled(f"{prefix}bias", both, bias, "bias_ih + bias_hh added for r and z, bias_ih for n", module),
        Filled(f"{prefix}hidden_bias", both[1:], second[gates:], "bias_hh of n", module),
    ]


@TORCH.implements(Attention)
def attention(node: Node, order: Order) -> Recipe:
    """in_proj_weight (3 · features, features), in_proj_bias, out_proj.weight, out_proj.bias of MultiheadAttention."""
    shapes = _shapes(node)
    names = {
        "input_weight": "in_proj_weight", "input_bias": "in_proj_bias",
        "output_weight": "out_proj.weight", "output_bias": "out_proj.bias",
    }  # fmt: skip
    slots = tuple(Slot(names[name], shape[::-1]) for name, shape in shapes.items())

    def fill(given: Given) -> list[Filled]:
        return [
            Filled(name, (names[name],), given[0][names[name]].T, "transposed" if len(shape) > 1 else "as it is")
            for name, shape in shapes.items()
        ]

    return Recipe((slots,), fill)
