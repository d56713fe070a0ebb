"""`dataclass` as in the standard library, for the modules that every command imports.

The standard decorator compiles up to six methods of every class while its module is imported, which took an eighth of
the start of a command. This one compiles `__init__`; the other methods are closures over the names of the fields.
Fields are the standard ones, so that `fields`, `replace`, `asdict` and `match` work. Type checkers see the standard
decorator. It knows `frozen` and `eq`, and no fields of keywords alone.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

_MISSING = dataclasses.MISSING


class _Factory:
    """The default of an argument whose field has a default factory, as signatures show it."""

    def __repr__(self) -> str:
        return "<factory>"


_MADE = _Factory()


def _quick_dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
    def decorate(cls: Any) -> Any:
        return _decorated(cls, frozen, eq)

    return decorate if cls is None else decorate(cls)


def _decorated(cls: Any, frozen: bool, eq: bool) -> Any:
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    fields, own = dataclasses.fields(made), vars(made)
    if "__init__" not in own:
        made.__init__ = _init(made, fields)
    if "__repr__" not in own:
        made.__repr__ = _repr(tuple(field.name for field in fields if field.repr))
    if eq:
        given_hash = own.get("__hash__")  # None where the class has an __eq__ and no __hash__
        if "__eq__" not in own:
            made.__eq__ = _eq(_tuple_of([field.name for field in fields if field.compare]))
        if given_hash is None:
            hashed = [field.name for field in fields if (field.compare if field.hash is None else field.hash)]
            made.__hash__ = _hash(_tuple_of(hashed)) if frozen else None
    if frozen:
        made.__setattr__, made.__delattr__ = _refuse_setting, _refuse_deleting
    return made


def _init(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Return the method that sets the fields, around the check that freezes them, and calls `__post_init__`."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_MADE": _MADE}
    arguments, lines = ["self"], []
    for field in fields:
        name, value = field.name, field.name
        if field.kw_only:
            raise TypeError(f"{cls.__qualname__}.{name} is of keywords alone: use dataclasses.dataclass")
        if field.default_factory is not _MISSING:
            known[f"_made_{name}"] = field.default_factory
            value = f"_made_{name}() if {name} is _MADE else {name}" if field.init else f"_made_{name}()"
            arguments += [f"{name}=_MADE"] if field.init else []
        elif field.default is not _MISSING:
            known[f"_default_{name}"] = field.default
            arguments += [f"{name}=_default_{name}"] if field.init else []
        elif field.init:
            arguments.append(name)
        if field.init or field.default_factory is not _MISSING:
            lines.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(arguments)}):\n " + "\n ".join(lines or ["pass"]), known)
    init = known["__init__"]
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return init


def _tuple_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function from an object to the tuple of its attributes."""
    if len(names) > 1:
        several: Callable[[Any], tuple[Any, ...]] = attrgetter(*names)
        return several
    if not names:
        return lambda value: ()
    one = attrgetter(names[0])
    return lambda value: (one(value),)


def _repr(names: tuple[str, ...]) -> Any:
    @recursive_repr()
    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in names])})"

    return __repr__


def _eq(values: Callable[[Any], tuple[Any, ...]]) -> Any:
    def __eq__(self: Any, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    return __eq__


def _hash(values: Callable[[Any], tuple[Any, ...]]) -> Any:
    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __hash__


def _refuse_setting(self: Any, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _quick_dataclass
