"""The signature of a program: one list of its parameters, from which the definition and every call of it derive."""

import inspect
from dataclasses import fields

import pytest

from nnspec.runtime.compiler.signature import GIVEN, PROGRAM_NAMES, RESERVED, LaneArguments, lane_call, lane_header

ARGUMENTS = {field.name: field.name.upper() for field in fields(LaneArguments)}


def defined(name: str = "lane") -> dict[str, object]:
    """The names after the definition of a lane that returns its arguments."""
    space: dict[str, object] = {}
    exec(f"{lane_header(name)}\n    return locals()", space)
    return space


def test_a_lane_takes_the_fields_of_its_arguments_in_their_order() -> None:
    assert tuple(inspect.signature(defined()["lane"]).parameters) == GIVEN  # type: ignore[arg-type]


def test_binding_passes_every_argument_to_the_parameter_of_its_name() -> None:
    arguments = LaneArguments(**ARGUMENTS)  # type: ignore[arg-type]
    assert arguments.bind(defined()["lane"]) == ARGUMENTS  # type: ignore[arg-type]


def test_a_printed_call_passes_what_a_bound_one_does() -> None:
    reordered = {name: repr(ARGUMENTS[name]) for name in reversed(GIVEN)}
    assert eval(lane_call("lane_of_3", **reordered), defined("lane_of_3")) == ARGUMENTS


@pytest.mark.parametrize("changed", [{"number": None}, {"speed": "1"}])
def test_a_printed_call_with_a_parameter_too_few_or_too_many_is_refused(changed: dict[str, str | None]) -> None:
    expressions = {name: text for name, text in (ARGUMENTS | changed).items() if text is not None}
    with pytest.raises(TypeError, match="lane takes parameters, gradients"):
        lane_call("lane", **expressions)


def test_no_array_may_have_the_name_of_an_argument_or_of_a_global_of_the_program() -> None:
    assert {*GIVEN, *PROGRAM_NAMES} <= RESERVED
