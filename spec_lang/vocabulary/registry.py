"""A word of the language is a Pydantic model: its fields are its arguments, its docstring its help.

A class that sets `word` is registered when its module is imported. `words` imports the module of a word when its class
is asked for, as `index` says where it is; where the index is out of date, `load_words` imports every module of the
vocabulary, so that a new word needs no list.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from nnspec.spec_lang.vocabulary.index import FOLDERS, PACKAGE, Index, index


class Word(BaseModel):
    """The base of every word. A subclass that sets `word` is registered under its `kind`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, allow_inf_nan=False, defer_build=True
    )  # a schema is built where a word is first bound: most programs use few

    kind: ClassVar[str]
    word: ClassVar[str]
    examples: ClassVar[tuple[str, ...]] = ()
    heads_a_file: ClassVar[bool] = False

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Register the class if it sets a word.

        Raises TypeError for an attribute whose name is nearly one that the bases declare, and ValueError where another
        class has the word. A class that is defined again, as in a notebook, replaces the first.
        """
        cls._refuse_misspelled()
        if "word" not in cls.__dict__:
            return
        if not cls.__module__.startswith(f"{PACKAGE}."):
            load_words()  # the index knows no word from elsewhere
        for kind in STAGES if cls.kind in STAGES else (cls.kind,):
            other = _REGISTRY.get(kind, {}).get(cls.word)
            if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
                raise ValueError(
                    f"the {kind} {cls.word} is {other.__qualname__} of {other.__module__} already: "
                    f"give {cls.__qualname__} of {cls.__module__} another word"
                )
        _REGISTRY.setdefault(cls.kind, {})[cls.word] = cls

    @classmethod
    def _refuse_misspelled(cls) -> None:
        bases = [base for base in cls.__mro__[1:] if issubclass(base, Word)]
        known = {name for base in bases for name in _public(base)}
        for name in sorted(_public(cls) - known - set(cls.model_fields)):
            if close := get_close_matches(name, sorted(known), n=1, cutoff=NEARLY):
                raise TypeError(f"{cls.__qualname__} of {cls.__module__} has {name}: did you mean {close[0]}?")

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Return the fields by the names that specs use, those of the class itself before the inherited ones."""
        own = [name for name in cls.__annotations__ if name in cls.model_fields]
        ordered = dict.fromkeys([*own, *cls.model_fields])
        return {cls.model_fields[name].alias or name: cls.model_fields[name] for name in ordered}

    def argument(self, name: str) -> Any:
        """Return the value of a field by its name in specs, which may be a keyword of Python, such as `return`."""
        fields = type(self).model_fields
        return getattr(self, name if name in fields else next(f for f, info in fields.items() if info.alias == name))

    @classmethod
    def help(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n")[0]


@cache
def _public(cls: type[Word]) -> set[str]:
    """Return the names that a class itself declares, without private ones and those of Pydantic."""
    names = {*vars(cls), *vars(cls).get("__annotations__", {})}
    return {name for name in names if not name.startswith(("_", "model_"))}


_REGISTRY: dict[str, dict[str, type[Word]]] = {}

STAGES = ("layer", "activation")
"""The kinds of words that are stages of a pipeline. No two of them have the same name."""

NOTHING_GIVEN = "nothing_given"
"""The type of the validation error of a word that needs one of several options and has none."""

NEARLY = 0.85
"""How similar a misspelled name is to the one that is meant. It is 0.89 for `draw` and `draws`."""


@cache
def load_words() -> None:
    """Import every module that may define words.

    Words are in the order of their modules' names, and within a module in the order of their definition.
    """
    for folder in FOLDERS:
        package = importlib.import_module(f"{PACKAGE}.{folder}" if folder else PACKAGE)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for kind, found in _REGISTRY.items():
        _REGISTRY[kind] = dict(sorted(found.items(), key=lambda entry: entry[1].__module__))
    _homes.clear()


def registered() -> Mapping[str, Mapping[str, type[Word]]]:
    """Return by kind the words of the modules that are imported."""
    return _REGISTRY


_homes: dict[str, dict[str, str]] = {}
"""The index until every module is imported."""


@cache
def _look_up() -> None:
    """Read the index, or import every module where it is out of date."""
    if load_words.cache_info().currsize:
        return
    found = index()
    if found is None:
        load_words()
    else:
        _homes.update(found.homes)


def indexed() -> Index | None:
    """Return the index while it says all there is; None once every module is imported."""
    _look_up()
    return index() if _homes else None


@contextmanager
def temporary_words() -> Iterator[None]:
    """Forget afterwards the words that are registered while this lasts."""
    load_words()
    before = {kind: dict(found) for kind, found in _REGISTRY.items()}
    try:
        yield
    finally:
        for kind, found in _REGISTRY.items():
            found.clear()
            found.update(before.get(kind, {}))


class Words(Mapping[str, type[Word]]):
    """The words of some kinds by name. Only looking up a class imports its module.

    Arguments:
        kinds: the kinds.
        only: the one name that there is; None for all.
    """

    def __init__(self, *kinds: str, only: str | None = None):
        self._kinds = kinds
        self._only = only

    def __getitem__(self, name: str) -> type[Word]:
        _look_up()
        for kind in self._kinds if self._only in (None, name) else ():
            found = _REGISTRY.get(kind, {})
            home = _homes.get(kind, {}).get(name)
            if name not in found and home is not None:
                importlib.import_module(f"{PACKAGE}.{home}")
                found = _REGISTRY[kind]
            if name in found:
                return found[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        _look_up()
        names = (name for kind in self._kinds for name in _homes.get(kind) or _REGISTRY.get(kind, {}))
        return iter([name for name in names if self._only in (None, name)])

    def __contains__(self, name: object) -> bool:
        _look_up()
        return self._only in (None, name) and any(
            name in (_homes.get(kind) or _REGISTRY.get(kind, {})) for kind in self._kinds
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def words(kind: str) -> Mapping[str, type[Word]]:
    """Return every word of a kind ("layer", "optimizer", "data", …) by its name."""
    return Words(kind)


SECTIONS = ("data", "init", "loss", "optimizer", "schedule")
"""Statements that name a word of their own kind: `optimizer adam lr=0.01`."""


@cache
def statements() -> Mapping[str, Mapping[str, type[Word]]]:
    """Return every statement but the network by its first word, with the words that it may name or itself."""
    return {
        **{name: Words("setting", only=name) for name in words("setting")},
        **{kind: words(kind) for kind in SECTIONS},
    }


@cache
def layers() -> Mapping[str, type[Word]]:
    """Return every word that is a stage of a pipeline: layers and activations."""
    return Words(*STAGES)
