"""The fields of a word as specs see them: the values that each accepts, and whether it is written with a name."""

import types
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from nnspec.spec_lang.report.diagnostics import one_of
from nnspec.spec_lang.vocabulary.markers import Alone, Bare, NameOf, Several, marker
from nnspec.spec_lang.vocabulary.registry import Word, words

TRUTH = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}

_KINDS_OF: dict[Any, set[str]] = {int: {"int"}, float: {"int", "number"}, bool: {"bool"}, str: {"name", "text"}}
_KINDS_IN: dict[Any, set[str]] = {int: {"size", "int"}, float: {"ratio"}, str: {"name"}}
_IN_WORDS = {
    "size": "a size such as 3x3",
    "count": "a count such as x8",
    "ratio": "shares such as 75/25",
    "int": "a whole number",
    "number": "a number",
    "text": 'a text in "quotes"',
    "name": "a name",
    "bool": "yes or no",
}


@dataclass(frozen=True)
class WordField:
    """A field of a word as specs see it.

    Arguments:
        kinds: the kinds of value that it accepts.
        choices: the names that it accepts, empty for any.
        word_kind: the kind of word that the choices name, such as "activation"; None if they name none.
        bare: the marker of a field that is written without a name, None for an option.
        collects: whether several names, or several whole numbers, make one value.
        several: whether an option takes several values: names, as `target=a, b`, or numbers, as `at=30,60`.
        required: whether it has no default.
        meaning: its description.
        alone: the value that its name alone stands for, None if the name cannot be written alone.
    """

    name: str
    kinds: frozenset[str]
    choices: tuple[str, ...]
    word_kind: str | None
    bare: Bare | None
    collects: bool
    required: bool
    meaning: str
    several: bool = False
    alone: Alone | None = None

    def takes(self) -> str:
        """Return what may be written, in words: "a whole number or same"."""
        kinds = {"int"} if {"int", "size"} <= self.kinds and not self.bare else self.kinds
        kinds = kinds - {"int"} if "number" in kinds else kinds
        plain = [words for kind, words in _IN_WORDS.items() if kind in kinds and not (kind == "name" and self.choices)]
        taken = one_of(dict.fromkeys([*self.choices, *plain]))
        return f"{taken}, or several" if self.several else taken


@cache
def fields_of(cls: type[Word]) -> dict[str, WordField]:
    """Return a word's fields by name, those without a name in specs first."""
    made = [_field(name, info) for name, info in cls.fields().items()]
    return {field.name: field for field in sorted(made, key=lambda field: field.bare is None)}


def _field(name: str, info: FieldInfo) -> WordField:
    bare, chosen = marker(info, Bare), marker(info, NameOf)
    choices = tuple(words(chosen.kind)) if chosen else tuple(_literals(info.annotation))
    kinds = frozenset(_kinds(info.annotation) | set(bare.kinds if bare else ()))
    described = info.description or ""
    several = marker(info, Several) is not None
    if several:
        kinds = frozenset({"int", "number"} if get_args(info.annotation)[0] is float else {"name", "text", "int"})
    return WordField(
        name,
        kinds,
        choices,
        chosen.kind if chosen else None,
        bare,
        collects(info),
        info.is_required(),
        described,
        several,
        marker(info, Alone),
    )


def collects(info: FieldInfo) -> bool:
    """Return whether several names, or several whole numbers, that are written without a name make one value."""
    bare = marker(info, Bare)
    one_by_one = bare is not None and bare.kinds in (("name",), ("name", "text"), ("int",))
    return one_by_one and get_origin(info.annotation) is tuple


def _kinds(annotation: Any) -> set[str]:
    """Return the kinds of value that a type annotation accepts."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return set().union(*map(_kinds, arguments))
    if hasattr(annotation, "__metadata__"):
        return _kinds(annotation.__origin__)
    if origin is tuple:
        inner = arguments[0].__origin__ if hasattr(arguments[0], "__metadata__") else arguments[0]
        return _KINDS_IN[inner]
    return {"name"} if origin is Literal else _KINDS_OF.get(annotation, set())


def _literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [
        choice for part in get_args(annotation) for choice in _literals(part) if get_origin(annotation) is not tuple
    ]
