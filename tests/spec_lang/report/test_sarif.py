"""Findings for code hosts."""

from typing import Any, cast

import pytest

from nnspec.spec_lang.report.sarif import SCHEMA, as_sarif
from nnspec.spec_lang.source import Source
from tests.support.spec_findings import errors_of

TEXT = "block a(w) = dense $w slope=1\ninput 4\ndense 3 rellu -> a 3 -> dense 4 rellu\n"


def run() -> dict[str, Any]:
    made = cast("dict[str, Any]", as_sarif(errors_of(TEXT)))
    assert (made["$schema"], made["version"], len(made["runs"])) == (SCHEMA, "2.1.0", 1)
    return cast("dict[str, Any]", made["runs"][0])


def test_each_code_is_one_rule_and_each_finding_one_result() -> None:
    rules = run()["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["E102", "E103"]
    assert rules[1]["shortDescription"]["text"] == "a name is not known here"
    results = run()["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [("E102", "error")] + [("E103", "error")] * 2
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)


def test_a_result_has_its_place_and_what_to_write_instead() -> None:
    result = run()["results"][1]
    assert result["message"]["text"] == 'no activation is called "rellu"\ndid you mean relu?'
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "net.nnspec"},
        "region": {"startLine": 3, "startColumn": 9, "endLine": 3, "endColumn": 14},
    }
    assert "relatedLocations" not in result


def test_a_result_inside_a_block_tells_its_use() -> None:
    (use,) = run()["results"][0]["relatedLocations"]
    assert use["message"]["text"] == "in block a, written here"
    assert use["physicalLocation"]["region"]["startLine"] == 3


def test_no_findings_are_a_run_without_results() -> None:
    made = cast("dict[str, Any]", as_sarif([]))
    assert made["runs"][0]["results"] == made["runs"][0]["tool"]["driver"]["rules"] == []


@pytest.mark.parametrize(
    ("name", "uri"),
    [("a b/größe.nnspec", "a%20b/gr%C3%B6%C3%9Fe.nnspec"), ("/tmp/a b.nnspec", "file:///tmp/a%20b.nnspec")],
)
def test_a_path_becomes_a_uri_and_columns_count_characters(name: str, uri: str) -> None:
    made = cast("dict[str, Any]", as_sarif(errors_of(Source(name, 'network é "🦕" relu'))))
    assert made["runs"][0]["columnKind"] == "unicodeCodePoints"
    assert {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in made["runs"][0]["results"]} == {
        uri
    }
