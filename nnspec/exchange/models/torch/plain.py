"""Linear modules, activations, normalizations, embeddings, and modules that reshape."""

import re

from nnspec.exchange.models.page import Draft, options, size
from nnspec.exchange.models.torch.words import CannotSay, Leaf, module


@module("Identity")
def _identity(leaf: Leaf, draft: Draft) -> list[str]:
    return []


@module("Linear")
def _linear(leaf: Leaf, draft: Draft) -> list[str]:
    if draft.axes in ("image", "channels first"):
        raise CannotSay("it acts on the last axis alone here: an nn.Flatten() is missing before it")
    if not draft.stages and not draft.input:
        draft.input = size(leaf.get("in_features"))
    draft.axes = "steps" if draft.axes == "steps" else "row"
    draft.expect(leaf.path, leaf.get("in_features"), leaf.get("out_features"))
    return [f"dense {size(leaf.get('out_features'))}" + options(bias=None if leaf.get("bias", True) else False)]


@module("Flatten")
def _flatten(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("start_dim", 1) != 1 or leaf.get("end_dim", -1) != -1:
        raise CannotSay("only all axes of a sample are flattened in the language")
    if draft.axes == "row":
        return []
    draft.axes = "row"
    return ["flatten"]


@module("Unflatten")
def _unflatten(leaf: Leaf, draft: Draft) -> list[str]:
    sizes = [int(each) for each in leaf.get("unflattened_size")]
    if leaf.get("dim") not in (1, -1) or len(sizes) != 3 or min(sizes) < 1:
        raise CannotSay("only a row becomes an image, (channels, height, width)")
    draft.axes = "image"
    return [f"reshape {size([*sizes[1:], sizes[0]])}"]


@module("BatchNorm1d", "BatchNorm2d")
def _batchnorm(leaf: Leaf, draft: Draft) -> list[str]:
    if not leaf.get("affine", True) or not leaf.get("track_running_stats", True):
        raise CannotSay("a batchnorm of the language learns a scale and a shift, and keeps running averages")
    if leaf.get("momentum") is None:
        raise CannotSay("momentum=None, a plain mean of all batches, is not of the language")
    if draft.axes == "steps":
        raise CannotSay("it reads (channels, time), and has (time, features) before it")
    draft.expect(leaf.path, leaf.get("num_features"))
    eps, momentum = float(leaf.get("eps", 1e-5)), float(leaf.get("momentum", 0.1))
    return ["batchnorm" + options(momentum=momentum if momentum != 0.1 else None, eps=eps if eps != 1e-5 else None)]


@module("InstanceNorm1d", "InstanceNorm2d")
def _instancenorm(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("track_running_stats", False):
        raise CannotSay("track_running_stats=True is not of the language")
    eps = float(leaf.get("eps", 1e-5))
    return ["instancenorm" + options(learned=bool(leaf.get("affine", False)) or None, eps=eps if eps != 1e-5 else None)]


@module("GroupNorm")
def _groupnorm(leaf: Leaf, draft: Draft) -> list[str]:
    if not leaf.get("affine", True):
        raise CannotSay("a groupnorm of the language learns a scale and a shift")
    eps = float(leaf.get("eps", 1e-5))
    return [f"groupnorm {size(leaf.get('num_groups'))}" + options(eps=eps if eps != 1e-5 else None)]


@module("LayerNorm")
def _layernorm(leaf: Leaf, draft: Draft) -> list[str]:
    if not leaf.get("elementwise_affine", True):
        raise CannotSay("a layernorm of the language learns a scale and a shift")
    if draft.axes in ("image", "channels first") or len(leaf.get("normalized_shape")) != 1:
        raise CannotSay("it normalizes each position over its features; here it would be over other axes")
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
        raise CannotSay("the gelu of the language is the exact one: approximate='none'")
    return _in_line("gelu", draft)


@module("Softplus")
def _softplus(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("beta", 1) != 1:
        raise CannotSay("the softplus of the language has beta=1")
    return _in_line("softplus", draft)


@module("Softmax")
def _softmax(leaf: Leaf, draft: Draft) -> list[str]:
    last = {"row": (1, -1), "image": (1, -3), "channels first": (1, -2), "steps": (2, -1)}.get(draft.axes, ())
    if leaf.get("dim") not in last:
        raise CannotSay(f"dim={leaf.get('dim')}: the softmax of the language is over the channels or features")
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


@module("Embedding")
def _embedding(leaf: Leaf, draft: Draft) -> list[str]:
    if leaf.get("padding_idx") is not None or leaf.get("max_norm") is not None:
        raise CannotSay("padding_idx and max_norm are not of the language; shorter sequences are padded with −1")
    draft.axes = "steps"
    return [f"embed {size(leaf.get('embedding_dim'))} vocab={size(leaf.get('num_embeddings'))}"]
