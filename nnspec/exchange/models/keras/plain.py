"""Dense layers, activations, normalizations, embeddings, and layers that reshape."""

from collections.abc import Mapping

from nnspec.exchange.models.keras.words import (
    LAYERS,
    CannotSay,
    Config,
    activation,
    bias,
    layer,
    stages,
    with_activation,
)
from nnspec.exchange.models.page import Draft, options, size


@layer("InputLayer", takes="batch_input_shape batch_shape")
def _input(config: Config, draft: Draft) -> list[str]:
    return []


@layer("Dense", takes="units activation use_bias")
def _dense(config: Config, draft: Draft) -> list[str]:
    if draft.axes == "image":
        raise CannotSay("it acts on each pixel: write conv 1x1, or a Flatten before it")
    draft.axes = "steps" if draft.axes == "steps" else "row"
    return [with_activation(f"dense {size(config['units'])}", config) + options(bias=bias(config))]


@layer("TimeDistributed", takes="layer")
def _time_distributed(config: Config, draft: Draft) -> list[str]:
    inner = config["layer"]
    if inner.get("class_name") != "Dense":
        raise CannotSay(f"only Dense is said at every step, not {inner.get('class_name')}")
    return stages("Dense", inner["config"], draft)


@layer("Flatten", takes="data_format")
def _flatten(config: Config, draft: Draft) -> list[str]:
    draft.axes = "row"
    return ["flatten"]


@layer("Reshape", takes="target_shape")
def _reshape(config: Config, draft: Draft) -> list[str]:
    sizes = list(config["target_shape"])
    if not sizes or min(sizes) < 1:
        raise CannotSay(f"target_shape={sizes} leaves a size open: write it out")
    draft.axes = {3: "image", 2: "steps", 1: "row"}.get(len(sizes), "")
    return [f"reshape {size(sizes)}" + (" sequence" if len(sizes) == 2 else "")]


@layer("Permute", takes="dims")
def _permute(config: Config, draft: Draft) -> list[str]:
    return [f"permute {size(config['dims']).replace('x', ' ')}" + (" sequence" if len(config["dims"]) == 2 else "")]


@layer("Dropout", takes="rate")
def _dropout(config: Config, draft: Draft) -> list[str]:
    return [f"dropout {config['rate']:g}"] if config["rate"] else []


@layer("Activation", takes="activation")
def _activation(config: Config, draft: Draft) -> list[str]:
    value = config.get("activation")
    if isinstance(value, Mapping) and value.get("class_name") in LAYERS:
        return stages(str(value["class_name"]), value.get("config") or {}, draft)
    if value == "leaky_relu":
        return ["leaky_relu slope=0.2"]
    word = activation(config)
    return [word] if word else []


@layer("ReLU", takes="negative_slope")
def _relu(config: Config, draft: Draft) -> list[str]:
    slope = config.get("negative_slope") or 0
    return [f"leaky_relu slope={slope:g}"] if slope else ["relu"]


@layer("LeakyReLU", takes="negative_slope alpha")
def _leaky_relu(config: Config, draft: Draft) -> list[str]:
    return [f"leaky_relu slope={config.get('negative_slope', config.get('alpha', 0.3)):g}"]


@layer("ELU", takes="alpha")
def _elu(config: Config, draft: Draft) -> list[str]:
    alpha = float(config.get("alpha", 1.0))
    return ["elu" + options(alpha=alpha if alpha != 1 else None)]


@layer("PReLU", takes="shared_axes")
def _prelu(config: Config, draft: Draft) -> list[str]:
    before = {"image": [1, 2], "steps": [1], "row": []}.get(draft.axes)
    if before is None or sorted(config.get("shared_axes") or []) != before:
        raise CannotSay(f"its slopes are one for each number; write shared_axes={before or [1, 2]} there")
    return ["prelu shared=no"]


@layer("Softmax", takes="axis")
def _softmax(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    return ["softmax"]


def _check_last(config: Config, draft: Draft) -> None:
    """Raise CannotSay for another axis than the last."""
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, {"image": 3, "steps": 2, "row": 1}.get(draft.axes)):
        raise CannotSay(f"axis={axis}: it is the last axis here")


@layer("BatchNormalization", takes="axis momentum epsilon center scale renorm_momentum")
def _batchnorm(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    _check_learned(config)
    momentum = round(1 - float(config.get("momentum", 0.99)), 9)
    return ["batchnorm" + options(momentum=momentum, eps=float(config.get("epsilon", 1e-3)))]


def _check_learned(config: Config) -> None:
    for name in ("center", "scale"):
        if config.get(name) is False:
            raise CannotSay(f"{name}=False: it learns a scale and a shift here")


@layer("LayerNormalization", takes="axis epsilon center scale")
def _layernorm(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    _check_learned(config)
    return ["layernorm" + options(eps=float(config.get("epsilon", 1e-3)))]


@layer("GroupNormalization", takes="groups axis epsilon center scale")
def _groupnorm(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    _check_learned(config)
    eps = options(eps=float(config.get("epsilon", 1e-3)))
    groups = config.get("groups", 32)
    return [f"instancenorm learned=yes{eps}" if groups == -1 else f"groupnorm {size(groups)}{eps}"]


@layer("Embedding", takes="input_dim output_dim input_length")
def _embedding(config: Config, draft: Draft) -> list[str]:
    draft.axes = "steps"
    return [f"embed {size(config['output_dim'])} vocab={size(config['input_dim'])}"]
