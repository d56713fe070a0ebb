"""A Keras model as a page: the JSON of model.to_json(), of Keras 2 and 3, or the config.json inside a .keras file."""

from collections.abc import Mapping
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.models.keras import plain, recurrent, windows
from nnspec.exchange.models.keras.words import CannotSay, Config, stages
from nnspec.exchange.models.page import Draft, size

__all__ = ["keras_draft", "plain", "recurrent", "windows"]

_INITIALIZERS = {
    "GlorotUniform": "xavier_uniform", "GlorotNormal": "xavier", "HeUniform": "he_uniform", "HeNormal": "he",
    "LecunNormal": "lecun", "Orthogonal": "orthogonal",
}  # fmt: skip


def keras_draft(model: Config, name: str, given_input: str = "") -> Draft:
    """Return the draft of a model. Raises ExchangeError for a layer that the language cannot say, by its name."""
    draft = Draft("Keras", name, given_input)
    chain = _chain(model)
    _begin(draft, chain)
    initializers: set[str] = set()
    for each in chain:
        config, kind = each["config"], each["class_name"]
        called = str(config.get("name", kind))
        try:
            said = stages(kind, config, draft)
        except CannotSay as error:
            raise ExchangeError(f"{called} ({kind}): {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ExchangeError(f"{called} ({kind}): an argument is missing or of another kind ({error})") from None
        draft.add(said, called if _named_by_hand(called, kind) else "")
        initializers |= _initializers(config)
        _note_training(config, called, draft)
    if len(initializers) == 1 and (known := _INITIALIZERS.get(initializers.pop())):
        draft.settings.append(f"init {known}")
    return draft


def _chain(model: Config) -> list[Config]:
    """Return the layers of a model in order, those of models inside it in their place.

    Raises ExchangeError for a model with branches, and for one that is not a chain of layers.
    """
    kind, config = model.get("class_name"), model.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(kind, str) or not isinstance(layers, list):
        raise ExchangeError(
            "it does not describe a Keras model\n  help: open('model.json', 'w').write(model.to_json())"
        )
    if kind not in ("Sequential", "Functional", "Model"):
        raise ExchangeError(f"the model is a {kind}: only Sequential, or a chain of layers, can be said")
    found: list[Config] = []
    before = None
    for each in layers:
        if not isinstance(each, Mapping) or not isinstance(each.get("config"), Mapping | list):
            raise ExchangeError("a layer of the model has no class and arguments")
        inner = each["config"]
        called = each.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None)
        if kind != "Sequential" and each.get("class_name") != "InputLayer":
            sources = set(_sources(each.get("inbound_nodes")))
            if sources != {before}:
                raise ExchangeError(f"{called}: it reads {_listed(sources)}: only a chain of layers can be said")
        before = called
        nested = each.get("class_name") in ("Sequential", "Functional", "Model")
        found += _chain(each) if nested else [each]
    return found


def _listed(sources: set[Any]) -> str:
    return ", ".join(sorted(map(str, sources))) or "nothing"


def _sources(nodes: Any) -> list[Any]:
    """Return the names of the layers that a layer reads, as Keras 3 or Keras 2 writes them."""
    if isinstance(nodes, Mapping):
        history = nodes.get("keras_history")
        return [history[0]] if isinstance(history, list) and history else _sources(list(nodes.values()))
    if isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            return [nodes[0]]
        return [name for each in nodes for name in _sources(each)]
    return []


def _begin(draft: Draft, chain: list[Config]) -> None:
    """Take the shape of a sample from the first layers, and what the first one that computes reads."""
    shape = None
    for each in chain[:2]:
        config, built = each["config"], each.get("build_config")
        built = built.get("input_shape") if isinstance(built, Mapping) else None
        shape = shape or config.get("batch_shape") or config.get("batch_input_shape") or built
    first = next((each["class_name"] for each in chain if each["class_name"] != "InputLayer"), "")
    sizes = list(shape[1:]) if isinstance(shape, list) else []
    if len(sizes) > 3:
        raise ExchangeError(f"a sample has {len(sizes)} axes, and an image or a sequence has three at most")
    symbols = first == "Embedding"
    draft.axes = "symbols" if symbols else {3: "image", 2: "steps", 1: "row"}.get(len(sizes), "")
    known = bool(sizes) and all(isinstance(length, int) and length > 0 for length in sizes)
    if not draft.input and known:
        sequence = len(sizes) == 2 and first not in ("Flatten", "Reshape")
        draft.input = size(sizes) + (" sequence" if sequence else "")


def _named_by_hand(called: str, kind: str) -> bool:
    """Return whether a name is one that Keras has not made of the class."""
    from nnspec.exchange.weights.files.keras import snake_case

    base, _, number = called.rpartition("_")
    return called != snake_case(kind) and not (number.isdecimal() and base == snake_case(kind))


def _note_training(config: Config, called: str, draft: Draft) -> None:
    for name, value in config.items():
        if value is not None and name.endswith(("_regularizer", "_constraint")):
            draft.note(f"{called}: {name} is left out; it changes training alone")


def _initializers(config: Config) -> set[str]:
    """Return the initializers of a layer's kernels, by class."""
    return {
        str(value.get("class_name") if isinstance(value, Mapping) else value)
        for name, value in config.items()
        if name in ("kernel_initializer", "depthwise_initializer", "pointwise_initializer") and value is not None
    }
