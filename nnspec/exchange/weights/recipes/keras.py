"""What Keras's layers keep, and how it becomes ours. Its images have the channels last, as ours."""

from collections.abc import Callable

import numpy as np

from nnspec.exchange.weights.modules import Module
from nnspec.exchange.weights.order import Order
from nnspec.exchange.weights.recipes import Filled, Given, Make, Recipe, Slot
from nnspec.runtime.arrays import Array
from nnspec.runtime.registry import Registry
from nnspec.spec_lang.check.spec import Node
from nnspec.spec_lang.vocabulary.layers.activation import Prelu
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions
from nnspec.spec_lang.vocabulary.layers.conv import Conv, Depthwise, Separable
from nnspec.spec_lang.vocabulary.layers.dense import Dense
from nnspec.spec_lang.vocabulary.layers.embedding import Embed, EmbedColumns
from nnspec.spec_lang.vocabulary.layers.normalization import InstanceNorm, Normalization
from nnspec.spec_lang.vocabulary.layers.recurrent import BACKWARDS, Gru, Lstm, Recurrent
from nnspec.spec_lang.vocabulary.layers.upsampling import Transposed

KERAS: Registry[Make] = Registry(__name__)

EPS = 1e-3
"""What Keras's normalizations add to a variance by default."""


def _shapes(node: Node) -> dict[str, tuple[int, ...]]:
    shape = node.input_shape
    return {name: p.shape for name, p in {**node.layer.parameters(shape), **node.layer.buffers(shape)}.items()}


def _as_they_are(roles: dict[str, str], shapes: dict[str, tuple[int, ...]], *kinds: str) -> Recipe:
    """Return the recipe of arrays that have another name there and are the same."""
    slots = tuple(Slot(roles[name], shape) for name, shape in shapes.items())
    return Recipe(
        (slots,) if slots else (),
        lambda given: [Filled(name, (roles[name],), given[0][roles[name]]) for name in shapes] if slots else [],
        kinds,
    )


def _axes(node: Node) -> str:
    return "1d" if len(_window(node)) == 1 else "2d"


def _window(node: Node) -> tuple[int, ...]:
    shapes = _shapes(node)
    return shapes.get("weight", shapes.get("depthwise_weight", ()))[:-2]


@KERAS.implements(Dense)
def dense(node: Node, order: Order) -> Recipe:
    """Kernel (in, out), bias (out,)."""
    return _as_they_are({"weight": "kernel", "bias": "bias"}, _shapes(node), "dense", "time_distributed")


@KERAS.implements(Conv)
def conv(node: Node, order: Order) -> Recipe:
    """Kernel (height, width, in / groups, out), or (steps, in / groups, out), bias (out,)."""
    return _as_they_are({"weight": "kernel", "bias": "bias"}, _shapes(node), f"conv{_axes(node)}")


@KERAS.implements(Depthwise)
def depthwise(node: Node, order: Order) -> Recipe:
    """Kernel (height, width, in, multiplier), or (steps, in, multiplier), bias (out,)."""
    shapes, kernel, how = _shapes(node), *_each_channel(node, "weight")
    slots = (Slot("kernel", kernel), *((Slot("bias", shapes["bias"]),) if "bias" in shapes else ()))

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        filled = [Filled("weight", ("kernel",), theirs["kernel"].reshape(shapes["weight"]), how)]
        return filled + ([Filled("bias", ("bias",), theirs["bias"])] if "bias" in shapes else [])

    return Recipe((slots,), fill, (f"depthwise_conv{_axes(node)}",))


def _each_channel(node: Node, name: str) -> tuple[tuple[int, ...], str]:
    """Return the shape of the kernel of each channel there, and how it becomes ours."""
    *window, _, filters = _shapes(node)[name]
    multiplier = int(node.layer.multiplier)  # type: ignore[attr-defined]
    letters = "HWIM → HW1(IM)" if len(window) == 2 else "KIM → K1(IM)"
    return (*window, filters // multiplier, multiplier), f"kernel {letters}"


@KERAS.implements(Separable)
def separable(node: Node, order: Order) -> Recipe:
    """depthwise_kernel (height, width, in, multiplier), pointwise_kernel (1, 1, middle, out), bias (out,)."""
    shapes, kernel, how = _shapes(node), *_each_channel(node, "depthwise_weight")
    ones = (1,) * len(_window(node))
    slots = [Slot("depthwise_kernel", kernel), Slot("pointwise_kernel", (*ones, *shapes["pointwise_weight"]))]
    slots += [Slot("bias", shapes["bias"])] if "bias" in shapes else []

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        first, second = theirs["depthwise_kernel"], theirs["pointwise_kernel"]
        filled = [
            Filled("depthwise_weight", ("depthwise_kernel",), first.reshape(shapes["depthwise_weight"]), how),
            Filled(
                "pointwise_weight", ("pointwise_kernel",), second.reshape(shapes["pointwise_weight"]), "as a matrix"
            ),
        ]
        return filled + ([Filled("bias", ("bias",), theirs["bias"])] if "bias" in shapes else [])

    return Recipe((tuple(slots),), fill, (f"separable_conv{_axes(node)}",))


@KERAS.implements(Transposed)
def transposed_convolution(node: Node, order: Order) -> Recipe:
    """Kernel (height, width, out, in), or (steps, out, in), bias (out,)."""
    shapes = _shapes(node)
    *window, inputs, filters = shapes["weight"]
    slots = (Slot("kernel", (*window, filters, inputs)), *((Slot("bias", shapes["bias"]),) if "bias" in shapes else ()))
    how = "kernel HWOI → HWIO" if len(window) == 2 else "kernel KOI → KIO"

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        filled = [Filled("weight", ("kernel",), theirs["kernel"].swapaxes(-1, -2), how)]
        return filled + ([Filled("bias", ("bias",), theirs["bias"])] if "bias" in shapes else [])

    return Recipe((slots,), fill, (f"conv{_axes(node)}_transpose",))


_NORMS = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_NORM_KINDS = {"batchnorm": "batch_normalization", "layernorm": "layer_normalization"}


@KERAS.implements(Normalization, InstanceNorm)
def normalization(node: Node, order: Order) -> Recipe:
    """Gamma, beta, and the moving averages of a batch normalization; without scale or center ones and zeros."""
    shapes = _shapes(node)
    slots = tuple(Slot(_NORMS[name], shape, optional=name in ("weight", "bias")) for name, shape in shapes.items())

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        filled = []
        for name, shape in shapes.items():
            if _NORMS[name] in theirs:
                how = "as it is" if name in ("weight", "bias") else _NORMS[name]
                filled.append(Filled(name, (_NORMS[name],), theirs[_NORMS[name]], how))
            elif name == "weight":
                filled.append(Filled(name, (), np.ones(shape), "ones: scale=False there"))
            else:
                filled.append(Filled(name, (), np.zeros(shape), "zeros: center=False there"))
        return filled

    if not slots:
        return Recipe((), lambda given: [])
    kind = _NORM_KINDS.get(node.layer.word, "group_normalization")
    return Recipe((slots,), fill, (kind,), remarks=_eps_differs(node))


def _eps_differs(node: Node) -> Callable[[Module], str | None]:
    """Return what says that the number added to a variance is another one there, or is by default."""
    ours = float(node.layer.eps)  # type: ignore[attr-defined]
    word = node.layer.word

    def remarks(module: Module) -> str | None:
        theirs = module.settings.get("epsilon")
        if isinstance(theirs, int | float):
            return None if theirs == ours else f"eps is {ours:g}, and there {theirs:g}: write {word} eps={theirs:g}"
        if ours == EPS:
            return None
        return f"eps is {ours:g}; Keras's default is {EPS:g}: write {word} eps={EPS:g} unless the model has another"

    return remarks


@KERAS.implements(Prelu)
def prelu(node: Node, order: Order) -> Recipe:
    """Alpha (channels,), with axes of length 1 before it where they are shared."""
    (count,) = _shapes(node)["weight"]
    shape = (*(1 for _ in node.input_shape[:-1]), count)

    def fill(given: Given) -> list[Filled]:
        how = "as it is" if len(shape) == 1 else "shared axes left out"
        return [Filled("weight", ("alpha",), given[0]["alpha"].reshape(count), how)]

    return Recipe(((Slot("alpha", shape),),), fill, ("p_re_lu",))


@KERAS.implements(Embed, Positions)
def embedding(node: Node, order: Order) -> Recipe:
    """Embeddings (symbols, units), or (time, features)."""
    return _as_they_are({"weight": "embeddings"}, _shapes(node), "embedding", "position_embedding")


@KERAS.implements(EmbedColumns)
def embed_columns(node: Node, order: Order) -> Recipe:
    """An embedding for each column: embeddings (categories, units)."""
    shapes = _shapes(node)
    return Recipe(
        tuple((Slot("embeddings", shape),) for shape in shapes.values()),
        lambda given: [
            Filled(name, ("embeddings",), theirs["embeddings"], module=place)
            for place, (name, theirs) in enumerate(zip(shapes, given, strict=True))
        ],
        ("embedding",),
    )


@KERAS.implements(Recurrent)
def recurrent(node: Node, order: Order) -> Recipe:
    """For each layer and direction kernel (in, gates · units), recurrent_kernel (units, gates · units), bias."""
    word = node.layer
    assert isinstance(word, Recurrent)
    columns, passes, gru = word.gates * word.units, word.passes(node.input_shape), isinstance(word, Gru)
    modules: list[list[Slot]] = [[] for _ in range(word.layers)]
    for one in passes:
        start = _direction(word, one.direction)
        biases = [Slot(f"{start}bias", (2, columns) if gru else (columns,))] if word.bias else []
        modules[one.layer] += [
            Slot(f"{start}kernel", (one.features, columns)), Slot(f"{start}recurrent_kernel", (word.units, columns)),
            *biases,
        ]  # fmt: skip

    def fill(given: Given) -> list[Filled]:
        filled = []
        for one in passes:
            theirs, start = given[one.layer], _direction(word, one.direction)
            for ours, role in (("input_weight", "kernel"), ("hidden_weight", "recurrent_kernel")):
                weight = _gates(word, theirs[f"{start}{role}"])
                filled.append(Filled(f"{one.prefix}{ours}", (f"{start}{role}",), weight, _GATES[word.word], one.layer))
            if word.bias:
                filled += _biases(word, one.prefix, theirs[f"{start}bias"], f"{start}bias", one.layer)
        return filled

    kind = "bidirectional" if word.bidirectional else {"rnn": "simple_rnn"}.get(word.word, word.word)
    refuses = _resets_before(word) if gru else _nothing
    return Recipe(tuple(map(tuple, modules)), fill, (kind,), refuses)


_GATES = {"rnn": "as it is", "lstm": "gates i f c o → i f g o", "gru": "gates z r h → r z n"}


def _direction(word: Recurrent, direction: str) -> str:
    if not word.bidirectional:
        return ""
    return "backward/" if direction == BACKWARDS else "forward/"


def _nothing(module: Module) -> str | None:
    return None


def _gates(word: Recurrent, array: Array) -> Array:
    """Return an array whose last axis has the gates in our order: i f c o is ours, z r h becomes r z n."""
    if not isinstance(word, Gru):
        return array
    z, r, h = np.split(array, 3, axis=-1)
    return np.concatenate([r, z, h], axis=-1)


def _biases(word: Recurrent, prefix: str, bias: Array, role: str, module: int) -> list[Filled]:
    """Return the bias; of a gru's two the second stays apart for n, and is added for the gates."""
    if not isinstance(word, Gru):
        how = _GATES["lstm"] if isinstance(word, Lstm) else "as it is"
        return [Filled(f"{prefix}bias", (role,), bias, how, module)]
    first, second = _gates(word, bias)
    gates = 2 * word.units
    both = np.concatenate([first[:gates] + second[:gates], first[gates:]])
    return [
        Filled(
            f"{prefix}bias", (role,), both, "gates z r h → r z n, both rows added for r and z, the first for n", module
        ),
        Filled(f"{prefix}hidden_bias", (role,), second[gates:], "the second row, of n", module),
    ]


def _resets_before(word: Recurrent) -> Callable[[Module], str | None]:
    """Return what refuses a GRU whose reset gate multiplies the state before the product with recurrent_kernel."""
    said = "its reset gate multiplies the state before the product (reset_after=False), here after it: train it there "
    said += "with reset_after=True"

    def refuses(module: Module) -> str | None:
        settings = module.settings
        inner = settings.get("layer")
        if isinstance(inner, dict) and isinstance(inner.get("config"), dict):
            settings = inner["config"]
        biases = [array for role, array in module.arrays.items() if role.endswith(("bias", "2", "5"))]
        single = word.bias and any(array.shape == (3 * word.units,) for array in biases)
        return said if settings.get("reset_after") is False or single else None

    return refuses


@KERAS.implements(Attention)
def attention(node: Node, order: Order) -> Recipe:
    """Of query, key and value kernel (features, heads, size), bias (heads, size); output kernel (heads, size, out)."""
    word, shapes = node.layer, _shapes(node)
    assert isinstance(word, Attention)
    features, width = shapes["output_weight"][1], shapes["output_weight"][0]
    heads, size = word.heads, width // word.heads
    slots: list[Slot] = []
    for part in ("query", "key", "value"):
        slots.append(Slot(f"{part}/kernel", (features, heads, size)))
        slots += [Slot(f"{part}/bias", (heads, size))] if word.bias else []
    slots.append(Slot("output/kernel", (heads, size, features)))
    slots += [Slot("output/bias", (features,))] if word.bias else []

    def fill(given: Given) -> list[Filled]:
        (theirs,) = given
        roles = tuple(f"{part}/kernel" for part in ("query", "key", "value"))
        weight = np.concatenate([theirs[role].reshape(features, width) for role in roles], axis=1)
        output = theirs["output/kernel"].reshape(width, features)
        filled = [Filled("input_weight", roles, weight, "query, key and value side by side, heads in the columns")]
        if word.bias:
            names = tuple(role.replace("kernel", "bias") for role in roles)
            bias = np.concatenate([theirs[name].ravel() for name in names])
            filled.append(Filled("input_bias", names, bias, "query, key and value side by side"))
        filled.append(Filled("output_weight", ("output/kernel",), output, "heads in the rows"))
        return filled + ([Filled("output_bias", ("output/bias",), theirs["output/bias"])] if word.bias else [])

    return Recipe((tuple(slots),), fill, ("multi_head_attention",))
