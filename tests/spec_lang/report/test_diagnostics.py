"""Findings as values."""

import pytest

from nnspec.spec_lang.limits import MAX_FINDINGS
from nnspec.spec_lang.report.diagnostics import Diagnostic, Findings, TooManyFindings, Trace, near, one_of
from nnspec.spec_lang.source import Source, Span
from tests.support.spec_findings import error_of

SOURCE = Source("a.nnspec", "one\ntwo three\n")


def at(start: int, end: int, source: Source = SOURCE) -> Span:
    return Span(source, start, end)


def test_a_finding_as_json_has_the_fields_that_are_promised() -> None:
    made = error_of("input 4\ndense 3 rellu").as_json()
    assert made == {
        "code": "E103", "severity": "error", "message": 'no activation is called "rellu"', "file": "net.nnspec",
        "line": 2, "column": 9, "end_line": 2, "end_column": 14, "help": "did you mean relu?",
        "notes": [], "around": [],
        "fix": {
            "text": "relu", "preferred": True, "file": "net.nnspec", "line": 2, "column": 9, "end_line": 2,
            "end_column": 14,
        },
    }  # fmt: skip


def test_what_is_around_a_finding_is_told_from_the_inside_out() -> None:
    outer = Source("outer.nnspec", "include inner")
    inner = Source("inner.nnspec", "block", included=at(0, 7, outer))
    finding = Diagnostic("E002", "odd", at(0, 5, inner), traces=(Trace("block a", at(0, 5, inner)),))
    assert [(trace.what, trace.span.source.name) for trace in finding.around()] == [
        ("block a", "inner.nnspec"), ("inner.nnspec", "outer.nnspec")
    ]  # fmt: skip
    assert finding.as_json()["around"] == [
        {"what": "block a", "file": "inner.nnspec", "line": 1, "column": 1, "end_line": 1, "end_column": 6},
        {"what": "inner.nnspec", "file": "outer.nnspec", "line": 1, "column": 1, "end_line": 1, "end_column": 8},
    ]


def test_findings_keep_each_once_and_in_order() -> None:
    found = Findings()
    for message in ("a", "b", "a"):
        found.say("E002", message, at(0, 1))
    assert [diagnostic.message for diagnostic in found] == ["a", "b"]
    assert len(found) == 2


def test_findings_end_where_nobody_reads_on() -> None:
    found = Findings()
    with pytest.raises(TooManyFindings):
        for number in range(MAX_FINDINGS + 1):
            found.say("E002", str(number), at(0, 1))
    assert len(found) == MAX_FINDINGS


def test_what_was_found_because_of_a_part_is_told_to_come_from_it_unless_it_stands_there() -> None:
    found = Findings([Diagnostic("E002", "known", at(0, 3))])
    part = at(4, 7)
    inside, outside = Diagnostic("E002", "inside", at(5, 6)), Diagnostic("E002", "outside", at(8, 9))
    found.add_within(part, [Diagnostic("E002", "known", at(0, 3)), inside, outside], Trace("variant a", part))
    assert [(d.message, [trace.what for trace in d.traces]) for d in found] == [
        ("known", []), ("inside", []), ("outside", ["variant a"])
    ]  # fmt: skip


def test_near_names_are_those_a_slip_of_the_pen_away() -> None:
    assert near("maxpol", ["maxpool", "avgpool"]) == "maxpool"
    assert near("DENSE", ["dense"]) == "dense"
    assert near("xyz", ["maxpool", "dense"]) is None
    assert near("a" * 100_000, ["dense"]) is None


def test_names_are_listed_as_people_list_them() -> None:
    assert [one_of(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]
