"""A fix that may be another one than the author meant is offered by an editor, and never applied unasked."""

from typing import Any, cast

import pytest

pytest.importorskip("pygls")

from lsprotocol import types

from nnspec.lsp.features.actions import offered
from nnspec.lsp.view import View
from nnspec.spec_lang.editor.document import Document
from nnspec.spec_lang.report.sarif import as_sarif
from nnspec.spec_lang.source import Source
from tests.spec_lang.collection import Case, applied, cases
from tests.support.spec_findings import NAME, errors_of

URI = "file:///net.nnspec"


def quick_fixes(text: str) -> list[types.CodeAction]:
    view = View(Document(Source(NAME, text)), URI)
    whole = types.Range(types.Position(0, 0), types.Position(text.count("\n") + 1, 0))
    asked = types.CodeActionParams(types.TextDocumentIdentifier(URI), whole, types.CodeActionContext([]))
    return offered(view, asked)


def edited(text: str, edits: list[Any]) -> str:
    """The text after (line, column, end line, end column, new text), counted from 0."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for line, column, end_line, end_column, new in sorted(edits, reverse=True):
        text = text[: starts[line] + column] + new + text[starts[end_line] + end_column :]
    return text


def by_lsp(text: str) -> tuple[str, bool | None]:
    (action,) = quick_fixes(text)
    assert action.edit is not None and action.edit.changes is not None
    changed = [
        (e.range.start.line, e.range.start.character, e.range.end.line, e.range.end.character, e.new_text)
        for e in action.edit.changes[URI]
    ]
    return edited(text, changed), action.is_preferred


def by_sarif(text: str) -> tuple[str, bool]:
    made = cast("dict[str, Any]", as_sarif(errors_of(text), "1.2.3"))
    (result,) = made["runs"][0]["results"]
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    changed = []
    for replacement in change["replacements"]:
        where = replacement["deletedRegion"]
        place = where["startLine"] - 1, where["startColumn"] - 1, where["endLine"] - 1, where["endColumn"] - 1
        changed.append((*place, replacement["insertedContent"]["text"]))
    return edited(text, changed), fix["properties"]["preferred"]


def by_json(text: str) -> tuple[str, bool]:
    (error,) = errors_of(text)
    fix = cast("dict[str, Any]", error.as_json()["fix"])
    changed = [
        (at["line"] - 1, at["column"] - 1, at["end_line"] - 1, at["end_column"] - 1, fix["text"])
        for at in (fix, *fix.get("also", ()))
    ]
    return edited(text, changed), fix["preferred"]


ASCII = [case for case in cases() if case.text.isascii()]


@pytest.mark.parametrize("case", [case for case in ASCII if case.fix != "none"], ids=lambda case: case.text.strip())
def test_editor_sarif_and_json_offer_the_same_edit_and_agree_on_whether_it_is_sure(case: Case) -> None:
    (error,) = errors_of(case.text)
    expected = applied(error), case.fix == "sure"
    assert by_lsp(case.text) == by_sarif(case.text) == by_json(case.text) == expected


def test_both_kinds_are_in_the_collection_and_a_mistake_without_a_fix_has_no_action() -> None:
    kinds = {case.fix for case in ASCII}
    assert kinds == {"sure", "unsure", "none"}
    for case in ASCII:
        if case.fix == "none":
            assert quick_fixes(case.text) == []


def test_a_fix_of_several_places_is_one_action() -> None:
    text = "let width = 4\ninput 4\ndense $widht -> dense $widht\n"
    (action,) = quick_fixes(text)
    assert action.title == "Replace $widht by $width in 2 places"
    assert by_lsp(text) == by_sarif(text) == by_json(text) == (text.replace("widht", "width"), True)
