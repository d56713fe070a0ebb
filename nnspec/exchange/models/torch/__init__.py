"""An nn.Sequential of PyTorch as a page: the object, or the text that print(model) writes of it.

PyTorch is not imported: of an object its attributes are read. Nothing is executed.
"""

from collections.abc import Iterator
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.models.page import Draft
from nnspec.exchange.models.torch import plain, windows
from nnspec.exchange.models.torch.printed import parsed
from nnspec.exchange.models.torch.words import CONTAINERS, INSTEAD, MODULES, CannotSay, Leaf

__all__ = ["plain", "torch_draft", "windows"]


def torch_draft(model: Any, name: str, given_input: str = "") -> Draft:
    """Return the draft of an nn.Sequential, or of its text. Raises ExchangeError that names what cannot be said."""
    draft = Draft("PyTorch", name, given_input)
    leaves = list(parsed(model) if isinstance(model, str) else _leaves(model, ""))
    draft.axes = _first_axes(leaves)
    for leaf in leaves:
        try:
            if leaf.kind not in MODULES:
                raise CannotSay(INSTEAD.get(leaf.kind, "the language has no such layer"))
            stages = MODULES[leaf.kind](leaf, draft)
        except CannotSay as error:
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
    if type(model).__name__ not in CONTAINERS or not str(type(model).__module__).startswith("torch.nn"):
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
