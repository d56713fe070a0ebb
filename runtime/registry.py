"""Functions found by the class of a word: the language knows the words, the runtime what they compute or read.

Every table of the runtime that is indexed by words is a `Registry`: layers, merges, kernels, optimizers, losses,
schedules, initializers, metrics, data sources.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from nnspec.spec_lang.vocabulary.registry import Word

F = TypeVar("F", bound=Callable[..., Any])


class Registry(Mapping[type[Word], F]):
    """Functions by the class of their word; a subclass without a function of its own has its parent's.

    `home` is the module that has the functions, or the package with one module for each family of them. A look-up
    imports the modules that are called as the word or as its module; where they have no function for the word, or are
    missing, all modules of the package are imported, so that a new file in it is found without a list.
    """

    def __init__(self, home: str):
        self._home = home
        self._functions: dict[type[Word], F] = {}
        self._loaded = False

    def implements(self, *classes: type[Word]) -> Callable[[F], F]:
        """Register the decorated function for these classes. Raises ValueError where one of them has another one."""

        def register(function: F) -> F:
            for cls in classes:
                if self._functions.setdefault(cls, function) is not function:
                    raise ValueError(f"{cls.__name__} is computed by {self._functions[cls].__name__} already")
            return function

        return register

    def load(self) -> None:
        """Import the module of the functions, or every module of their package, unless it has been done."""
        if self._loaded:
            return
        for module in pkgutil.iter_modules(self._folders()):
            importlib.import_module(f"{self._home}.{module.name}")
        self._loaded = True

    @contextmanager
    def temporary(self) -> Iterator[None]:
        """Forget afterwards what is registered while this lasts."""
        self.load()
        before = dict(self._functions)
        try:
            yield
        finally:
            self._functions = before

    def __getitem__(self, cls: type[Word]) -> F:
        """Return the function of a class. Raises KeyError, with the file to write it in, where there is none."""
        if cls not in self._functions:
            self._import_namesakes(cls)
        if cls not in self._functions:
            self.load()
        for ancestor in cls.__mro__:
            if ancestor in self._functions:
                return self._functions[ancestor]
        name, place = cls.__name__, self._home.removeprefix("nnspec.").replace(".", "/")
        file = f"{place}/{name.lower()}.py" if self._folders() else f"{place}.py"
        raise KeyError(f"nothing computes {name} yet: register a function for {name} in {file}")

    def __iter__(self) -> Iterator[type[Word]]:
        self.load()
        return iter(dict(self._functions))

    def __len__(self) -> int:
        self.load()
        return len(self._functions)

    def _import_namesakes(self, cls: type[Word]) -> None:
        """Import the modules of this package that are called as a word or as its module."""
        for name in (getattr(cls, "word", ""), cls.__module__.rpartition(".")[2]):
            if any(os.path.exists(os.path.join(folder, f"{name}.py")) for folder in self._folders()):
                importlib.import_module(f"{self._home}.{name}")

    def _folders(self) -> list[str]:
        """Return the folders of the home, none where it is a module."""
        return list(getattr(importlib.import_module(self._home), "__path__", ()))
