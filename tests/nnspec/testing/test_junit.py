"""nnspec/testing/junit.py: XML that CI systems take, whatever the names."""

import re
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from nnspec.runtime.errors import DataError
from nnspec.testing.junit import junit_xml
from nnspec.testing.run import ERROR, MISSED, PASSED, SKIPPED, Case, Result

MET = Case("accuracy >= 95 %", True, "accuracy >= 95 %, as expected: test accuracy is 97.00 %", "97")
SHORT = Case("loss < 0.1", False, "expected loss < 0.1: test loss is 0.2", "0.2")
HOSTILE = "<b>\"&'\x00\x1b[31m\ud800\ufffe]]>\u202e\n.nnspec"
RESULTS = [
    Result("good.nnspec", "good", PASSED, (MET,), seconds=1.5, path=Path("runs/good")),
    Result("bad.nnspec", "bad", MISSED, (MET, SHORT), seconds=2.0),
    Result("gone.nnspec", "gone", ERROR, (), "there is no file x.csv", 0.1, error=DataError("there is no file x.csv")),
    Result("odd.nnspec", "odd", ERROR, (MET,), "nothing was measured for f1", 0.1),
    Result("none.nnspec", "none", SKIPPED, (), "it has no expect statement"),
    Result(HOSTILE, HOSTILE, ERROR, (Case(HOSTILE, True, HOSTILE, ""),), HOSTILE, 0.1, error=DataError(HOSTILE)),
]

# The content of each element in order, and its attributes, as in junit-10.xsd of Jenkins and in that of Ant.
CHILDREN = {
    "testsuites": "(testsuite )*",
    "testsuite": "properties (testcase )*system-out system-err ",
    "testcase": "(skipped |failure |error )?",
}
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors", "time", "timestamp", "hostname", "id", "package"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}
OPTIONAL = {"testsuite": {"skipped"}}


@pytest.fixture
def root() -> xml.Element:
    return xml.fromstring(junit_xml(RESULTS))


def test_elements_and_attributes_are_those_of_the_schemas(root: xml.Element) -> None:
    assert root.tag == "testsuites"
    for element in root.iter():
        inside = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CHILDREN.get(element.tag, ""), inside), (element.tag, inside)
        needed = REQUIRED.get(element.tag, set())
        assert needed <= set(element.keys()) <= needed | OPTIONAL.get(element.tag, set()), element.tag
        for key in ("tests", "failures", "errors", "skipped", "id"):
            assert re.fullmatch(r"\d+", element.get(key, "0"))
        assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.get("timestamp", "2000-01-01T00:00:00"))


def test_the_counts_are_those_of_the_cases(root: xml.Element) -> None:
    kinds = {"tests": ".//testcase", "failures": ".//failure", "errors": ".//error", "skipped": ".//skipped"}
    for element in (root, *root):
        for key, path in kinds.items():
            assert element.get(key) in (None, str(len(element.findall(path))))
    counts = [sum(int(suite.get(key, "0")) for suite in root) for key in ("tests", "failures", "errors")]
    assert counts == [9, 1, 3]


def test_every_expectation_is_a_case_with_what_was_measured(root: xml.Element) -> None:
    bad = root.findall("testsuite")[1]
    assert [(case.get("name"), case.find("failure") is None) for case in bad.findall("testcase")] == [
        ("accuracy >= 95 %", True),
        ("loss < 0.1", False),
    ]
    assert bad.find("testcase/failure") is not None
    assert "expected loss < 0.1: test loss is 0.2" in (bad.findtext("system-out") or "")
    assert "the run is in" in (root.findtext("testsuite/system-out") or "")


def test_names_that_xml_cannot_hold_are_escaped(root: xml.Element) -> None:
    hostile = root.findall("testsuite")[-1]
    assert hostile.get("name") == "<b>\"&'\\x00\\x1b[31m\\ud800\\ufffe]]>\\u202e\n.nnspec"
    assert junit_xml(RESULTS).startswith(b"<?xml version='1.0' encoding='utf-8'?>")


def test_no_results_are_a_document_too() -> None:
    assert xml.fromstring(junit_xml([])).tag == "testsuites"
