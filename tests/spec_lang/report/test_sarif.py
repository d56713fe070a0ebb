"""Findings for code hosts."""

import re
from pathlib import Path
from typing import Any, cast

import pytest

from nnspec.spec_lang.report.sarif import SCHEMA, as_sarif
from nnspec.spec_lang.source import Source
from tests.support.imports import ROOT
from tests.support.spec_findings import errors_of

TEXT = "block a(w) = dense $w slope=1\ninput 4\ndense 3 rellu -> a 3 -> dense 4 rellu\n"


def run() -> dict[str, Any]:
    made = cast("dict[str, Any]", as_sarif(errors_of(TEXT), "1.2.3"))
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
    made = cast("dict[str, Any]", as_sarif([], "1.2.3"))
    assert made["runs"][0]["results"] == made["runs"][0]["tool"]["driver"]["rules"] == []


@pytest.mark.parametrize(
    ("name", "uri"),
    [("a b/größe.nnspec", "a%20b/gr%C3%B6%C3%9Fe.nnspec"), ("/tmp/a b.nnspec", "file:///tmp/a%20b.nnspec")],
)
def test_a_path_becomes_a_uri_and_columns_count_characters(name: str, uri: str) -> None:
    made = cast("dict[str, Any]", as_sarif(errors_of(Source(name, 'network é "🦕" relu')), "1.2.3"))
    assert made["runs"][0]["columnKind"] == "unicodeCodePoints"
    assert {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in made["runs"][0]["results"]} == {
        uri
    }


def test_a_code_host_is_told_who_found_it_what_each_rule_means_and_where_it_is_explained() -> None:
    driver = run()["tool"]["driver"]
    assert driver["version"] == driver["semanticVersion"] == "1.2.3" and driver["informationUri"].startswith("https://")
    pages = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    for rule in driver["rules"]:
        assert rule["help"]["text"] and "```nnspec" in rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning") and rule["name"].isalnum()
        page, _, anchor = rule["helpUri"].partition("#")
        headings = re.findall(r"^## (.*)$", pages, re.MULTILINE)
        assert page.endswith("docs/errors.md") and anchor in {slug(heading) for heading in headings}


def slug(heading: str) -> str:
    """The anchor of a heading as GitHub makes it."""
    return "".join(c for c in heading.lower() if c.isalnum() or c in " -_").replace(" ", "-")


def test_a_fix_is_an_edit() -> None:
    ((fix,), (change,)) = ((result := run()["results"][1])["fixes"], result["fixes"][0]["artifactChanges"])
    assert fix["description"]["text"] == "did you mean relu?"
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"]["text"] == "relu"
    assert replacement["deletedRegion"] == result["locations"][0]["physicalLocation"]["region"]
    assert "fixes" not in run()["results"][0]


def test_an_error_of_a_file_that_two_specs_include_is_told_once_and_paths_begin_at_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    specs = tmp_path / "some specs"
    specs.mkdir()
    monkeypatch.chdir(specs)
    Path("base.nnspec").write_text("optimizer adm\n")
    found = []
    for name in ("a.nnspec", "b.nnspec"):
        Path(name).write_text('include "base.nnspec"\ninput 4\ndense 3 softmax\n')
        found += errors_of(Source(name, Path(name).read_text(), Path()))
    assert len(found) == 2
    made = cast("dict[str, Any]", as_sarif(found, "1.2.3"))["runs"][0]
    (result,) = made["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "some%20specs/base.nnspec", "uriBaseId": "%SRCROOT%"}
    assert made["originalUriBaseIds"]["%SRCROOT%"]["uri"] == f"{tmp_path.resolve().as_uri()}/"
