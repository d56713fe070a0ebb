"""How a feature is registered: a function of a view and the parameters of a request, with `@answers`."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from nnspec.lsp.view import View

F = TypeVar("F", bound=Callable[[View, Any], Any])


@dataclass(frozen=True)
class Feature:
    """A request, its options as the server declares them, and the function that answers it."""

    method: str
    options: Any
    answer: Callable[[View, Any], Any]


_FEATURES: dict[str, Feature] = {}


def answers(method: str, options: Any = None) -> Callable[[F], F]:
    """Register a function as the answer to a request about a document. It runs in a thread of its own."""

    def register(function: F) -> F:
        _FEATURES[method] = Feature(method, options, function)
        return function

    return register


@cache
def features() -> tuple[Feature, ...]:
    """Import every module of `features` and return what they register."""
    package = import_module("nnspec.lsp.features")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    return tuple(_FEATURES.values())
