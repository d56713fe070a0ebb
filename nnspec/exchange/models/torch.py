"""An nn.Sequential of PyTorch as a page: the object, or the text that print(model) writes of it.

PyTorch is not imported: of an object its attributes are read, of a text its arguments as literals. Nothing is executed.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.models.page import Draft, both, options, size


@dataclass(frozen=True)
class Leaf:
    """A module without modules in it: its path in the model, its class, and what its arguments are, by name."""

    path: str
    kind: str
    given: Any

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument; of an array whether it is there."""
        found = self.given.get(name, default) if isinstance(self.given, Mapping) else getattr(self.given, name, default)
        if name == "bias":
            return found is not None and found is not False
        return found

    @property
    def from_text(self) -> bool:
        """Whether its arguments are those that a printed model shows."""
        return isinstance(self.given, Mapping)


Module = Callable[[Leaf, Draft], list[str]]
_MODULES: dict[str, Module] = {}

_POSITIONS = {
    "Conv1d": "in_channels out_channels", "Conv2d": "in_channels out_channels",
    "ConvTranspose1d": "in_channels out_channels", "ConvTranspose2d": "in_channels out_channels",
    "BatchNorm1d": "num_features", "BatchNorm2d": "num_features",
    "InstanceNorm1d": "num_features", "InstanceNorm2d": "num_features",
    "GroupNorm": "num_groups num_channels", "LayerNorm": "normalized_shape",
    "Embedding": "num_embeddings embedding_dim",
    "ZeroPad1d": "padding", "ZeroPad2d": "padding", "ReflectionPad1d": "padding", "ReflectionPad2d": "padding",
    "ReplicationPad1d": "padding", "ReplicationPad2d": "padding",
}  # fmt: skip
"""The names of the arguments that a printed module shows without them."""

_CONTAINERS = ("Sequential",)
MOST_LINES = 20_000


class _CannotSay(Exception):
    """What the language lacks for a module, in words."""


def module(*names: str) -> Callable[[Module], Module]:
    """Register a function for classes of modules."""

    def register(function: Module) -> Module:
        _MODULES.update(dict.fromkeys(names, function))
        return function

    return register


def torch_draft(model: Any, name: str, given_input: str = "") -> Draft:
    """Return the draft of an nn.Sequential, or of its text. Raises ExchangeError that names what cannot be said."""
    draft = Draft("PyTorch", name, given_input)
    leaves = list(_parsed(model) if isinstance(model, str) else _leaves(model, ""))
    draft.axes = _first_axes(leaves)
    for leaf in leaves:
        try:
            if leaf.kind not in _MODULES:
                raise _CannotSay(_INSTEAD.get(leaf.kind, "the language has no such layer"))
            stages = _MODULES[leaf.kind](leaf, draft)
        except _CannotSay as error:
            raise ExchangeError(f"{leaf.path} ({leaf.kind}): {error}") from None
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            raise ExchangeError(
                f"{leaf.path} ({leaf.kind}): an argument is missing or of another kind ({error})"
            ) from None
        called = leaf.path.rpartition(".")[2]
        draft.add(stages, "" if called.isdecimal() else called)
    return draft


def _first_axes(leaves: list[Leaf]) -> str:
    """Return what the first module reads, as its class says."""
    for leaf in leaves:
        if leaf.kind == "Embedding":
            return "symbols"
        if leaf.kind.endswith("2d"):
            return "image"
        if leaf.kind.endswith("1d") and "Norm" not in leaf.kind:
            return "channels first"
        if leaf.kind == "Linear":
            return "row"
        if leaf.kind == "Flatten":
            return "image"
    return ""


def _leaves(model: Any, path: str) -> Iterator[Leaf]:
    """Yield the modules of an object, those of a Sequential inside it in their place."""
    if type(model).__name__ not in _CONTAINERS or not str(type(model).__module__).startswith("torch.nn"):
        kind = type(model).__name__
        if not path:
            raise ExchangeError(
                f"the model is a {kind}: the order of its layers is in its forward; give an nn.Sequential"
            )
        if not str(type(model).__module__).startswith("torch.nn"):
            raise ExchangeError(f"{path} ({kind}): it is a class of its own, whose forward is not read")
        yield Leaf(path, kind, model)
        return
    for name, inner in model.named_children():
        yield from _leaves(inner, f"{path}.{name}" if path else name)


def _parsed(text: str) -> Iterator[Leaf]:
    """Yield the modules of a printed model. Raises ExchangeError for any other text."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if not lines or len(lines) > MOST_LINES or not re.fullmatch(r"Sequential\(\)?", lines[0]):
        raise ExchangeError(
            "it is not a printed nn.Sequential\n  help: open('model.txt', 'w').write(str(model)), "
            "or nnspec.spec_from(model) in Python"
        )
    path: list[str] = []
    for number, line in enumerate(lines[1:-1] if lines[-1] == ")" else lines[1:], 2):
        if line == ")":
            if not path:
                raise ExchangeError(f"line {number}: it ends before its last line")
            path.pop()
            continue
        found = re.fullmatch(r"\(([\w.-]+)\): (\w+)\((.*)", line)
        if found is None:
            raise ExchangeError(f"line {number} is not a module: {line[:60]!r}")
        name, kind, rest = found.groups()
        if rest == "":
            if kind not in _CONTAINERS:
                raise ExchangeError(
                    f"{'.'.join([*path, name])} ({kind}): it has modules inside, whose order is not said"
                )
            path.append(name)
        elif kind in _CONTAINERS:
            continue  # an empty one
        else:
            arguments = _arguments(kind, rest, number) if kind in _MODULES else {}
            yield Leaf(".".join([*path, name]), kind, arguments)


def _arguments(kind: str, rest: str, number: int) -> dict[str, Any]:
    """Return the arguments in the text of a call, which are literals."""
    try:
        call = ast.parse(f"f({rest}", mode="eval").body
        assert isinstance(call, ast.Call)
        names = _POSITIONS.get(kind, "").split()
        if len(call.args) > len(names):
            raise ValueError
        found = {name: _literal(given) for name, given in zip(names, call.args, strict=False)}
        return found | {str(each.arg): _literal(each.value) for each in call.keywords}
    except (SyntaxError, ValueError, AssertionError, RecursionError, MemoryError):
        raise ExchangeError(f"line {number}: the arguments of {kind} are not literals: {rest[:60]!r}") from None


def _literal(node: ast.expr) -> Any:
    """Return a literal; a bare word, as in padding=same, is a text. Raises ValueError for anything else."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


_INSTEAD = {
    **dict.fromkeys(
        ("LSTM", "GRU", "RNN"),
        "it returns a pair, outputs and state, which no next module takes: write lstm 20 return=sequence, gru or rnn",
    ),
    "LogSoftmax": "the language has softmax; loss cross_entropy takes its logarithm",
    "Dropout1d": "the language drops single numbers: nn.Dropout",
    "Dropout2d": "the language drops single numbers: nn.Dropout",
    "AlphaDropout": "the language has no alpha dropout",
    "ReLU6": "the language has relu, without an upper bound",
    "Hardswish": "the language has silu, which is smooth",
    "Hardsigmoid": "the language has sigmoid, which is smooth",
    "MultiheadAttention": "it takes three inputs and returns a pair: write attention HEADS",
    "TransformerEncoderLayer": "write it as a block: attention, layernorm, dense, and skip",
}


@module("Identity")
def _identity(leaf: Leaf, draft: Draft) -> list[str]:
    return []


@module("Linear")
def _linear(leaf: Leaf, draft: Draft) -> list[str]:
    if draft.axes in ("image", "channels first"):
        raise _CannotSay("it acts on the last axis alone here: an nn.Flatten() is missing before it")
    if not draft.stages and not draft.input:
        draft.input = size(leaf.get("in_features"))
    draft.axes = "steps" if draft.axes == "steps" else "row"
    draft.expect(leaf.path, leaf.get("in_features"), leaf.get("out_features"))
    return [f"dense {size(leaf.get('out_features'))}" + options(bias=None if leaf.get("bias", True) else False)]


def _reads(leaf: Leaf, draft: Draft, axes: int) -> None:
    """Say that a module reads and returns an image, or steps with the channels first. Raises _CannotSay otherwise."""
    wanted = "image" if axes == 2 else "channels first"
    if draft.axes not in (wanted, ""):
        raise _CannotSay(f"it reads {'an image' if axes == 2 else '(channels, time)'}, and has {draft.axes} before it")
    draft.axes = wanted


def _tuple(numbers: Any, axes: int) -> tuple[int, ...]:
    return (numbers,) * axes if isinstance(numbers, int) else tuple(numbers)


def _windows(leaf: Leaf, axes: int) -> dict[str, Any]:
    """Return stride, padding and dilation of a convolution, without those at their defaults."""
    if leaf.get("padding_mode", "zeros") != "zeros":
        raise _CannotSay(f"padding_mode={leaf.get('padding_mode')!r}: write pad mode=reflect or mode=edge before it")
    pad, found = leaf.get("padding", 0), {}
    for name, default in (("stride", 1), ("dilation", 1)):
        given = _tuple(leaf.get(name, default), axes)
        found[name] = None if set(given) == {default} else both(given)
    if isinstance(pad, str):
        found["pad"] = None if pad == "valid" else pad
    else:
        cells = _tuple(pad, axes)
        found["pad"] = None if not any(cells) else both(cells)
    return found


@module("Conv1d", "Conv2d")
def _conv(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    channels, filters, groups = leaf.get("in_channels"), leaf.get("out_channels"), leaf.get("groups", 1)
    window, more = size(_tuple(leaf.get("kernel_size"), axes)), _windows(leaf, axes)
    bias = None if leaf.get("bias", True) else False
    if groups > 1 and groups == channels:
        multiplier = filters // channels
        draft.expect(leaf.path, *_tuple(leaf.get("kernel_size"), axes), 1, filters)
        text = f"depthwise {window}" + options(multiplier=multiplier if multiplier > 1 else None)
        return [text + options(**more, bias=bias)]
    draft.expect(leaf.path, *_tuple(leaf.get("kernel_size"), axes), channels // groups, filters)
    return [f"conv {window} x{size(filters)}" + options(**more, groups=groups if groups > 1 else None, bias=bias)]


@module("ConvTranspose1d", "ConvTranspose2d")
def _transposed(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    groups, more = leaf.get("groups", 1), _tuple(leaf.get("output_padding", 0), axes)
    filters = leaf.get("out_channels") // groups
    draft.expect(leaf.path, *_tuple(leaf.get("kernel_size"), axes), leaf.get("in_channels"), filters)
    text = f"transposed {size(_tuple(leaf.get('kernel_size'), axes))} x{leaf.get('out_channels')}"
    return [
        text
        + options(
            **_windows(leaf, axes),
            output_pad=both(more) if any(more) else None,
            groups=groups if groups > 1 else None,
            bias=None if leaf.get("bias", True) else False,
        )
    ]


@module("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d")
def _pool(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    window = _tuple(leaf.get("kernel_size"), axes)
    strides, pad = _tuple(leaf.get("stride") or window, axes), _tuple(leaf.get("padding", 0), axes)
    dilation, average = _tuple(leaf.get("dilation", 1), axes), leaf.kind.startswith("Avg")
    if leaf.get("divisor_override") is not None:
        raise _CannotSay("divisor_override is not of the language")
    if average and leaf.from_text:
        draft.note(
            "what print shows of AvgPool does not have ceil_mode and count_include_pad: PyTorch's defaults are taken"
        )
    return [
        f"{'avgpool' if average else 'maxpool'} {both(window)}"
        + options(
            stride=None if strides == window else both(strides),
            pad=both(pad) if any(pad) else None,
            dilation=both(dilation) if set(dilation) != {1} else None,
            ceil_mode=bool(leaf.get("ceil_mode", False)) or None,
            count_include_pad=False if average and not leaf.get("count_include_pad", True) else None,
        )
    ]


@module("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d")
def _global_pool(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    if set(_tuple(leaf.get("output_size"), axes)) != {1}:
        raise _CannotSay(f"output_size={leaf.get('output_size')}: the language pools to one number for each channel")
    draft.axes = "row"
    return ["globalavgpool" if "Avg" in leaf.kind else "globalmaxpool"]


@module("Flatten")
def _flatten(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("start_dim", 1) != 1 or leaf.get("end_dim", -1) != -1:
        raise _CannotSay("only all axes of a sample are flattened in the language")
    if draft.axes == "row":
        return []
    draft.axes = "row"
    return ["flatten"]


@module("Unflatten")
def _unflatten(leaf: Leaf, draft: Draft) -> list[str]:
    sizes = [int(each) for each in leaf.get("unflattened_size")]
    if leaf.get("dim") not in (1, -1) or len(sizes) != 3 or min(sizes) < 1:
        raise _CannotSay("only a row becomes an image, (channels, height, width)")
    draft.axes = "image"
    return [f"reshape {size([*sizes[1:], sizes[0]])}"]


@module("BatchNorm1d", "BatchNorm2d")
def _batchnorm(leaf: Leaf, draft: Draft) -> list[str]:
    if not leaf.get("affine", True) or not leaf.get("track_running_stats", True):
        raise _CannotSay("a batchnorm of the language learns a scale and a shift, and keeps running averages")
    if leaf.get("momentum") is None:
        raise _CannotSay("momentum=None, a plain mean of all batches, is not of the language")
    if draft.axes == "steps":
        raise _CannotSay("it reads (channels, time), and has (time, features) before it")
    draft.expect(leaf.path, leaf.get("num_features"))
    eps, momentum = float(leaf.get("eps", 1e-5)), float(leaf.get("momentum", 0.1))
    return ["batchnorm" + options(momentum=momentum if momentum != 0.1 else None, eps=eps if eps != 1e-5 else None)]


@module("InstanceNorm1d", "InstanceNorm2d")
def _instancenorm(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("track_running_stats", False):
        raise _CannotSay("track_running_stats=True is not of the language")
    eps = float(leaf.get("eps", 1e-5))
    return ["instancenorm" + options(learned=bool(leaf.get("affine", False)) or None, eps=eps if eps != 1e-5 else None)]


@module("GroupNorm")
def _groupnorm(leaf: Leaf, draft: Draft) -> list[str]:
    if not leaf.get("affine", True):
        raise _CannotSay("a groupnorm of the language learns a scale and a shift")
    eps = float(leaf.get("eps", 1e-5))
    return [f"groupnorm {size(leaf.get('num_groups'))}" + options(eps=eps if eps != 1e-5 else None)]


@module("LayerNorm")
def _layernorm(leaf: Leaf, draft: Draft) -> list[str]:
    if not leaf.get("elementwise_affine", True):
        raise _CannotSay("a layernorm of the language learns a scale and a shift")
    if draft.axes in ("image", "channels first") or len(leaf.get("normalized_shape")) != 1:
        raise _CannotSay("it normalizes each position over its features; here it would be over other axes")
    eps = float(leaf.get("eps", 1e-5))
    return ["layernorm" + options(eps=eps if eps != 1e-5 else None)]


_PLAIN = {
    "ReLU": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "SiLU": "silu", "SELU": "selu", "Mish": "mish",
}  # fmt: skip


@module(*_PLAIN)
def _plain(leaf: Leaf, draft: Draft) -> list[str]:
    return _in_line(_PLAIN[leaf.kind], draft)


def _in_line(word: str, draft: Draft) -> list[str]:
    """Return an activation as a stage, or write it into the line of the layer before it."""
    before = draft.stages[-1] if draft.stages else ""
    head = re.sub(r"^\w+: ", "", before).split(" ")
    plain = next((place for place, part in enumerate(head) if "=" in part), len(head))
    alone = head[0] in ("dense", "conv", "depthwise", "transposed") and plain == (
        3 if head[0] in ("conv", "transposed") else 2
    )
    if not alone:
        return [word]
    named = before[: len(before) - len(" ".join(head))]
    draft.stages[-1] = named + " ".join([*head[:plain], word, *head[plain:]])
    return []


@module("GELU")
def _gelu(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("approximate", "none") != "none":
        raise _CannotSay("the gelu of the language is the exact one: approximate='none'")
    return _in_line("gelu", draft)


@module("Softplus")
def _softplus(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("beta", 1) != 1:
        raise _CannotSay("the softplus of the language has beta=1")
    return _in_line("softplus", draft)


@module("Softmax")
def _softmax(leaf: Leaf, draft: Draft) -> list[str]:
    last = {"row": (1, -1), "image": (1, -3), "channels first": (1, -2), "steps": (2, -1)}.get(draft.axes, ())
    if leaf.get("dim") not in last:
        raise _CannotSay(f"dim={leaf.get('dim')}: the softmax of the language is over the channels or features")
    return _in_line("softmax", draft)


@module("LeakyReLU")
def _leaky_relu(leaf: Leaf, draft: Draft) -> list[str]:
    slope = float(leaf.get("negative_slope", 0.01))
    return ["leaky_relu" + options(slope=slope if slope != 0.01 else None)]


@module("ELU")
def _elu(leaf: Leaf, draft: Draft) -> list[str]:
    alpha = float(leaf.get("alpha", 1.0))
    return ["elu" + options(alpha=alpha if alpha != 1 else None)]


@module("PReLU")
def _prelu(leaf: Leaf, draft: Draft) -> list[str]:
    draft.expect(leaf.path, leaf.get("num_parameters", 1))
    return ["prelu" if leaf.get("num_parameters", 1) == 1 else "prelu shared=no"]


@module("Dropout")
def _dropout(leaf: Leaf, draft: Draft) -> list[str]:
    return [f"dropout {leaf.get('p', 0.5):g}"] if leaf.get("p", 0.5) else []


_PADS = {"ZeroPad": None, "ReflectionPad": "reflect", "ReplicationPad": "edge"}


@module(*(f"{kind}{axes}d" for kind in _PADS for axes in (1, 2)))
def _padding(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    sides = _tuple(leaf.get("padding"), 2 * axes)  # the last axis first
    cells = sides if axes == 1 else (*sides[2:], *sides[:2])
    return [f"pad {both(cells)}" + options(mode=_PADS[leaf.kind[:-2]])]


@module("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d")
def _upsample(leaf: Leaf, draft: Draft) -> list[str]:
    factor = leaf.get("scale_factor")
    factors = factor if isinstance(factor, tuple) else (factor,)
    if factor is None or any(float(each) != int(each) for each in factors):
        raise _CannotSay("it takes a whole scale_factor in the language")
    mode = {"linear": "bilinear"}.get(leaf.get("mode", "nearest"), leaf.get("mode", "nearest"))
    if mode not in ("nearest", "bilinear"):
        raise _CannotSay(f"mode={mode!r} is not of the language")
    if leaf.from_text and mode == "bilinear":
        draft.note("what print shows of Upsample does not have align_corners: PyTorch's default, False, is taken")
    corners = bool(leaf.get("align_corners", False)) or None
    return [f"upsample {both([int(each) for each in factors])}" + options(
        mode=mode if mode != "nearest" else None, align_corners=corners
    )]  # fmt: skip


@module("Embedding")
def _embedding(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("padding_idx") is not None or leaf.get("max_norm") is not None:
        raise _CannotSay("padding_idx and max_norm are not of the language; shorter sequences are padded with −1")
    draft.axes = "steps"
    return [f"embed {size(leaf.get('embedding_dim'))} vocab={size(leaf.get('num_embeddings'))}"]
