"""A word of the language is a Pydantic model: its fields are its arguments, its docstring its help.

The registry finds the words: a class that names its `word` is known from the moment its module is imported, and
`load_words` imports every module of the folders where words live.
"""

import importlib
import pkgutil
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Word(BaseModel):
    """The base of every word. A subclass with a `word` of its own enters the registry of its `kind`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    kind: ClassVar[str]
    word: ClassVar[str]
    examples: ClassVar[tuple[str, ...]] = ()
    heads_a_file: ClassVar[bool] = False

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the registry."""
        if "word" in cls.__dict__:
            _REGISTRY.setdefault(cls.kind, {})[cls.word] = cls

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """The fields as they are written: a word's own first, what it shares with others after them."""
        own = [name for name in cls.__annotations__ if name in cls.model_fields]
        ordered = dict.fromkeys([*own, *cls.model_fields])
        return {cls.model_fields[name].alias or name: cls.model_fields[name] for name in ordered}

    def argument(self, name: str) -> Any:
        """The value of a field by the name that it is written with: `return`, which Python keeps for itself, is one."""
        fields = type(self).model_fields
        return getattr(self, name if name in fields else next(f for f, info in fields.items() if info.alias == name))

    @classmethod
    def help(cls) -> str:
        """The first sentence about the word."""
        return (cls.__doc__ or "").strip().split("\n")[0]


_REGISTRY: dict[str, dict[str, type[Word]]] = {}


@cache
def load_words() -> None:
    """Import every module that may define words: those of this package and of its folder of layers.

    Words are kept in the order of their modules' names, whichever module came first, and as they stand in a module.
    """
    for folder in ("nnspec.spec_lang.vocabulary", "nnspec.spec_lang.vocabulary.layers"):
        package = importlib.import_module(folder)
        for module in pkgutil.iter_modules(package.__path__, f"{folder}."):
            importlib.import_module(module.name)
    for kind, found in _REGISTRY.items():
        _REGISTRY[kind] = dict(sorted(found.items(), key=lambda entry: entry[1].__module__))


def words(kind: str) -> dict[str, type[Word]]:
    """Every word of a kind ("layer", "optimizer", "data", …) by its name."""
    load_words()
    return _REGISTRY.get(kind, {})


SECTIONS = ("data", "init", "loss", "optimizer", "schedule")
"""Statements that name a word of their own kind: `optimizer adam lr=0.01`."""


@cache
def statements() -> dict[str, dict[str, type[Word]]]:
    """Every statement but the network by its first word: the words that it may name, or itself alone."""
    return {**{name: {name: cls} for name, cls in words("setting").items()}, **{kind: words(kind) for kind in SECTIONS}}


def layers() -> dict[str, type[Word]]:
    """Every word that may stand in a pipeline: layers, and activations as layers of their own."""
    return {**words("layer"), **words("activation")}
