"""Arithmetic found by the class of its word: the language knows the words, the runtime what they compute."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from nnspec.spec_lang.vocabulary.registry import Word

F = TypeVar("F", bound=Callable[..., Any])


class Registry(Mapping[type[Word], F]):
    """Functions by the class of word they compute; a subclass without one of its own has its parent's.

    `home` is the module, or the package with one module for each family, where the functions stand. A package is
    imported whole at the first question, so that a new file in it is found without being named anywhere.
    """

    def __init__(self, home: str):
        self._home = home
        self._functions: dict[type[Word], F] = {}
        self._loaded = False

    def implements(self, *classes: type[Word]) -> Callable[[F], F]:
        """Register the function below for these classes of words. Raises ValueError where one of them has another."""

        def register(function: F) -> F:
            for cls in classes:
                if self._functions.setdefault(cls, function) is not function:
                    raise ValueError(f"{cls.__name__} is computed by {self._functions[cls].__name__} already")
            return function

        return register

    def __getitem__(self, cls: type[Word]) -> F:
        """The function of a class. Raises KeyError, and says where to write the function, where there is none."""
        self._load()
        for ancestor in cls.__mro__:
            if ancestor in self._functions:
                return self._functions[ancestor]
        name, place = cls.__name__, self._home.removeprefix("nnspec.").replace(".", "/")
        raise KeyError(f"nothing computes {name} yet: register a function for {name} in {place}")

    def __iter__(self) -> Iterator[type[Word]]:
        self._load()
        return iter(dict(self._functions))

    def __len__(self) -> int:
        self._load()
        return len(self._functions)

    def _load(self) -> None:
        if self._loaded:
            return
        home = importlib.import_module(self._home)
        for module in pkgutil.iter_modules(getattr(home, "__path__", ())):
            importlib.import_module(f"{self._home}.{module.name}")
        self._loaded = True
