"""Markers on the fields of words: which values without a name fill a field, and which names it accepts."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

from nnspec.spec_lang.limits import MAX_SHAPE_AXES

T = TypeVar("T")


@dataclass(frozen=True)
class Bare:
    """Marks a field that is written as a value without a name, with the kinds of value that fill it."""

    kinds: tuple[str, ...]
    example: str


@dataclass(frozen=True)
class EarlierLayer:
    """Marks an option whose value is the name of a layer before its own, whose arrays it may take."""


Positive = Annotated[int, Field(gt=0)]
Window = Annotated[tuple[Positive, ...], Bare(("size", "int"), "3x3"), Field(max_length=MAX_SHAPE_AXES)]
Whole = Annotated[int, Bare(("int",), "10")]
Count = Annotated[int, Bare(("count",), "x8")]
Fraction = Annotated[float, Bare(("number", "int"), "0.5")]
Text = Annotated[str, Bare(("text",), '"file.csv"')]
Name = Annotated[str, Bare(("name",), "a_name")]
LayerNames = Annotated[tuple[str, ...], Bare(("name", "text"), "conv1"), Field(min_length=1)]
Axes = Annotated[Literal["sequence"] | None, Bare(("name",), "sequence")]


@dataclass(frozen=True)
class Several:
    """Marks an option that takes one or several values, names as in `target=a, b` or numbers as in `at=30,60`."""


Names = Annotated[
    tuple[str, ...], Several(), BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
]
Numbers = Annotated[tuple[float, ...], Several(), Field(min_length=1)]


@dataclass(frozen=True)
class NameOf:
    """Marks a field whose value is the name of a word of this kind, such as an activation."""

    kind: str


@dataclass(frozen=True)
class Alone:
    """Marks an option whose name may be written alone, as `flip` for `flip=horizontal`, and the value it then has."""

    value: Any


def marker(field: FieldInfo, kind: type[T]) -> T | None:
    """Return the marker of this class on a field, also on a field of type `Marked | None`; None if it has none."""
    for entry in field.metadata:
        if isinstance(entry, kind):
            return entry
    for argument in get_args(field.annotation):
        if get_origin(argument) is Annotated:
            for entry in get_args(argument)[1:]:
                if isinstance(entry, kind):
                    return entry
    return None
