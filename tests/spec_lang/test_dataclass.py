"""The decorator of our own, compared with the standard one."""

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from typing import Any, ClassVar

import pytest

from nnspec.spec_lang.dataclass import dataclass


def classes(decorator: Any) -> list[Any]:
    """The same classes made by a decorator: with every kind of field and every pair of options that is used."""

    @decorator
    class Plain:
        """A value."""

        a: int
        b: str = "b"
        c: list[int] = field(default_factory=list)
        kept: ClassVar[int] = 3

    @decorator(frozen=True)
    class Frozen:
        """A value."""

        a: int
        b: dict[str, int] = field(default_factory=dict, hash=False)
        unseen: int = field(default=0, repr=False, compare=False)
        made: list[int] = field(default_factory=list, init=False, compare=False)
        never: int = field(default=7, init=False)

        @cached_property
        def double(self) -> int:
            return 2 * self.a

    @decorator(frozen=True)
    class Derived(Frozen):
        """A value."""

        more: tuple[int, ...] = ()

        def __post_init__(self) -> None:
            object.__setattr__(self, "made", [self.a])

        def __repr__(self) -> str:
            return "mine"

    @decorator(frozen=True, eq=False)
    class Identity:
        """A value."""

        a: int

    @decorator(frozen=True)
    class One:
        """A value."""

        a: Any

    @decorator(frozen=True)
    class Nothing:
        """A value."""

    @decorator(frozen=True)
    class Own:
        """A value."""

        a: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self))

        def __hash__(self) -> int:
            return 1

    return [Plain, Frozen, Derived, Identity, One, Nothing, Own]


OURS, THEIRS = classes(dataclass), classes(dataclasses.dataclass)

PAIRS = pytest.mark.parametrize(
    ("ours", "theirs"), list(zip(OURS, THEIRS, strict=True)), ids=[c.__name__ for c in OURS]
)


def made(cls: Any, a: int = 1) -> Any:
    return cls(a) if "a" in inspect.signature(cls).parameters else cls()


@PAIRS
def test_classes_have_the_same_fields_signatures_and_texts(ours: Any, theirs: Any) -> None:
    assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__init__.__annotations__ == theirs.__init__.__annotations__
    assert ours.__match_args__ == theirs.__match_args__
    assert repr(made(ours)) == repr(made(theirs))
    assert vars(made(ours)) == vars(made(theirs))
    assert ours.__doc__ == theirs.__doc__


@PAIRS
def test_values_are_equal_and_hashed_alike(ours: Any, theirs: Any) -> None:
    for cls in (ours, theirs):
        assert (made(cls) == made(cls), made(cls) == made(cls, 2), made(cls) == 1) == (
            made(theirs) == made(theirs),
            made(theirs) == made(theirs, 2),
            False,
        ), cls
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    if ours.__hash__ is not None and ours.__hash__ is not object.__hash__:
        assert hash(made(ours)) == hash(made(theirs))


@PAIRS
def test_values_are_replaced_copied_and_frozen_alike(ours: Any, theirs: Any) -> None:
    for cls in (ours, theirs):
        value = made(cls)
        assert vars(copy.deepcopy(value)) == vars(value)
        if hasattr(value, "a"):
            changed = {f.name: None for f in dataclasses.fields(value) if f.init and f.name == "a"}
            assert dataclasses.replace(value, **changed).a is None
            assert dataclasses.asdict(value)["a"] == 1
    frozen = cls_is_frozen(theirs)
    assert cls_is_frozen(ours) == frozen


def cls_is_frozen(cls: Any) -> bool:
    value = made(cls)
    outcomes = []
    for change, arguments in ((setattr, (value, "a", 5)), (delattr, (value, "a"))):
        try:
            change(*arguments)
            outcomes.append(False)
        except FrozenInstanceError:
            outcomes.append(True)
    assert len(set(outcomes)) == 1
    return outcomes[0]


def test_what_is_not_a_number_is_equal_to_itself_as_in_tuples() -> None:
    nan = float("nan")
    one = OURS[4]
    assert one(nan) == one(nan)
    assert one(nan) != one(float("nan"))


def test_a_value_that_contains_itself_has_a_text() -> None:
    plain = OURS[0](1)
    plain.c.append(plain)
    assert repr(plain).endswith("c=[...])")


def test_a_factory_makes_a_new_value_each_time() -> None:
    first, second = OURS[0](1), OURS[0](1)
    assert first.c is not second.c
    assert OURS[2](5).made == [5]
    assert OURS[2](5).double == 10


@dataclass(frozen=True)
class Sent:
    """A value at the top of a module."""

    a: int
    b: tuple[int, ...] = ()


def test_a_value_is_pickled_and_matched() -> None:
    sent = pickle.loads(pickle.dumps(Sent(1, (2,))))
    assert sent == Sent(1, (2,))
    match sent:
        case Sent(1, (second,)):
            assert second == 2
        case _:
            pytest.fail("it has not matched")


def test_keywords_alone_are_refused() -> None:
    with pytest.raises(TypeError, match="use dataclasses"):

        @dataclass
        class Wrong:
            """A value."""

            a: int = field(kw_only=True)
