"""The classes of layers of Keras that the language has lines for, and how their arguments are read."""

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.exchange.models.page import Draft

Config = Mapping[str, Any]
Layer = Callable[[Config, Draft], list[str]]
"""A function from the arguments of a layer to its stages; it says in the draft what the next layer reads."""

LAYERS: dict[str, tuple[Layer, frozenset[str]]] = {}

_ALWAYS = {
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "build_config", "seed", "autocast", "sparse",
    "ragged", "input_dtype", "ragged_rank", "optional", "activity_regularizer",
}  # fmt: skip
"""Arguments that say nothing of what a layer computes, or that are looked at for every layer."""

TRAINING = ("_initializer", "_regularizer", "_constraint")

ACTIVATIONS = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softmax": "softmax", "elu": "elu", "selu": "selu",
    "gelu": "gelu", "softplus": "softplus", "silu": "silu", "swish": "silu", "mish": "mish",
}  # fmt: skip


def layer(*names: str, takes: str = "") -> Callable[[Layer], Layer]:
    """Register a function for classes of layers, with the names of the arguments that it reads."""

    def register(function: Layer) -> Layer:
        for name in names:
            LAYERS[name] = function, frozenset(takes.split())
        return function

    return register


class CannotSay(Exception):
    """What the language lacks for a layer, in words."""


def stages(kind: str, config: Config, draft: Draft) -> list[str]:
    """Return the stages of a layer. Raises CannotSay for another class, or an argument that it does not read."""
    if kind not in LAYERS:
        raise CannotSay(INSTEAD.get(kind, "the language has no such layer"))
    function, taken = LAYERS[kind]
    for name, value in config.items():
        known = name in taken or name in _ALWAYS or name.endswith(TRAINING)
        if not known and value not in (None, False, 0, 0.0, "", [], {}):
            raise CannotSay(f"{name}={value!r} is not of the language")
    if config.get("data_format", "channels_last") not in ("channels_last", None):
        raise CannotSay("its images have the channels first; build the model with data_format='channels_last'")
    return function(config, draft)


INSTEAD = {
    "Rescaling": "scale samples by the data statement: data … normalize=unit",
    "Normalization": "normalize samples by the data statement: data … normalize=zscore",
    "SpatialDropout1D": "the language drops single numbers; write dropout in its place",
    "SpatialDropout2D": "the language drops single numbers; write dropout in its place",
    "GaussianNoise": "the language has no noise inside a network; write augment noise= for images",
    "AlphaDropout": "the language has no alpha dropout; write dropout in its place",
    "RepeatVector": "the language does not repeat a row over time",
    "Lambda": "it is a Python function, which is not executed",
    "Masking": "a shorter sequence is padded with −1 symbols here",
    "Add": "only a chain of layers can be said; write (a + b) on the page",
    "Concatenate": "only a chain of layers can be said; write (a | b) on the page",
}


def activation(config: Config, key: str = "activation") -> str:
    """Return the word of an activation, "" for none. Raises CannotSay for one that the language lacks."""
    value = config.get(key)
    if isinstance(value, Mapping):
        value = value.get("config") if isinstance(value.get("config"), str) else value.get("class_name")
    if value in (None, "linear"):
        return ""
    if str(value).lower() not in ACTIVATIONS:
        raise CannotSay(f"the activation {value} is not of the language")
    return ACTIVATIONS[str(value).lower()]


def with_activation(text: str, config: Config, key: str = "activation") -> str:
    """Return a stage with its activation in its line."""
    word = activation(config, key)
    return f"{text} {word}" if word else text


def bias(config: Config) -> bool | None:
    """Return False for a layer without a bias, None for the default."""
    return False if config.get("use_bias") is False else None
