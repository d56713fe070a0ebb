"""What a page shows of a text, as JSON."""

import json
from typing import Any

import pytest

from nnspec.spec_lang.editor import page
from nnspec.spec_lang.editor.page import analyse, complete, formatted, hover
from tests.support.spec_texts import SHIPPED


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """Apply edits as a browser does, in UTF-16 units."""
    units = text.encode("utf-16-le")
    for edit in sorted(edits, key=lambda edit: -edit["from"]):
        units = units[: 2 * edit["from"]] + edit["text"].encode("utf-16-le") + units[2 * edit["to"] :]
    return units.decode("utf-16-le")


NETWORK = "input 28x28x1\nconv 3x3 x8 relu -> maxpool 2\n  -> dense 10 softmax\n"


def test_a_text_without_errors_has_shapes_a_graph_and_totals() -> None:
    found = analyse(NETWORK)
    assert found["valid"] and found["diagnostics"] == [] and found["missing"] == ""
    assert found["lines"] == [
        {"line": 2, "shapes": ["26x26x8", "13x13x8"], "parameters": 80},
        {"line": 3, "shapes": ["10"], "parameters": 13530},
    ]
    assert [(part["kind"], part["text"], part["shape"]) for part in found["graph"]["parts"]] == [
        ("layer", "conv 3x3 x8 relu", "26x26x8"),
        ("layer", "maxpool 2", "13x13x8"),
        ("layer", "dense 10 softmax", "10"),
    ]
    assert found["graph"]["layers"][1]["inputs"] == ["conv1"]
    assert (found["totals"]["parameters"], found["totals"]["output"]) == (13610, "10")
    for part in found["graph"]["parts"]:
        assert NETWORK[part["from"] : part["to"]] == part["text"]


@pytest.mark.parametrize("before", ["", "# ä 🙂 wide\n", "\ufeff"])
def test_the_fix_of_a_mistake_mends_it_whatever_is_before_it(before: str) -> None:
    text = before + NETWORK.replace("relu", "relo")
    found = analyse(text)
    (mistake,) = found["diagnostics"]
    assert not found["valid"] and mistake["severity"] == "error" and "help: did you mean relu?" in mistake["text"]
    units = text.encode("utf-16-le")
    assert units[2 * mistake["from"] : 2 * mistake["to"]].decode("utf-16-le") == "relo"
    (fix,) = mistake["fixes"]
    assert fix["title"] == "Replace relo by relu"
    assert analyse(edited(text, fix["edits"]))["valid"]


def test_branches_and_repeats_are_parts_of_their_own() -> None:
    found = analyse("input 8\nrepeat 3 (dense 8 relu) -> (dense 4 | skip) -> dense 2")
    frame, fork, last = found["graph"]["parts"]
    assert frame["kind"] == "frame" and frame["title"].endswith("×3")
    assert fork["joint"] == "| concatenate" and [len(branch) for branch in fork["branches"]] == [1, 0]
    assert last["name"] == "dense5"


def test_a_graph_too_large_to_draw_has_no_parts_and_lists_its_first_layers() -> None:
    layers = " -> ".join(f"dense {number}" for number in range(1, page.MOST_DRAWN + 3))
    graph = analyse(f"input 8\n{layers}")["graph"]
    assert graph["parts"] == [] and graph["drawn"] == page.MOST_DRAWN + 2
    assert len(graph["layers"]) == page.MOST_LISTED and graph["more"] == graph["drawn"] - page.MOST_LISTED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dense 3", "the shape of a sample is not known"),
        ("input 4\ndense relo", "the network has an error"),
        ("", "the network has an error, or there is none yet"),
    ],
)
def test_without_shapes_there_is_no_graph_and_it_says_why(text: str, reason: str) -> None:
    found = analyse(text)
    assert found["graph"] is None and found["totals"] is None and found["missing"].startswith(reason)


def test_an_error_outside_the_network_leaves_its_graph() -> None:
    found = analyse("input 4\ndense 3\nschedule cosin")
    assert not found["valid"] and found["totals"]["parameters"] == 15 and found["graph"]["parts"]


def test_the_shape_of_a_sample_counts_where_the_text_leaves_it_to_the_data() -> None:
    table = 'dense 3 softmax\ndata csv "a.csv" target=b'
    assert analyse(table)["open"] and analyse(table)["graph"] is None
    found = analyse(table, None, [4])
    assert found["valid"] and found["open"] and found["totals"]["parameters"] == 15
    said = analyse("input 5\n" + table, None, [4])
    assert said["valid"] and not said["open"] and said["totals"]["parameters"] == 18
    wrong = analyse("conv 3x3 x8 -> " + table, None, [4])
    assert not wrong["valid"] and wrong["open"]


def test_a_variant_is_shown_where_the_text_has_it() -> None:
    text = "input 4\nlet width = 8\ndense $width -> dense 2\nvariant wide { let width = 16 }"
    assert analyse(text)["variants"] == ["wide"]
    assert analyse(text, "wide")["totals"]["parameters"] == 114 and analyse(text, "wide")["variant"] == "wide"
    gone = analyse(text, "gone")
    assert gone["variant"] is None and gone["totals"]["parameters"] == analyse(text)["totals"]["parameters"] == 58


def test_a_mistake_in_an_included_file_is_shown_at_its_include(tmp_path: Any) -> None:
    (tmp_path / "base.nnspec").write_text("dense 3 relo")
    text = 'input 4\ninclude "base.nnspec"'
    (mistake,) = analyse(text, folder=tmp_path)["diagnostics"]
    assert text[mistake["from"] : mistake["to"]] == 'include "base.nnspec"' and mistake["line"] == 2
    assert mistake["fixes"] == [] and "base.nnspec:1:9" in mistake["message"]


@pytest.mark.parametrize("text", SHIPPED)
def test_everything_about_a_shipped_spec_can_be_written_as_json(text: str) -> None:
    found = json.loads(json.dumps(analyse(text), allow_nan=False))
    assert found["valid"]
    assert found["graph"] is not None or "not known" in found["missing"]


def test_completions_say_what_they_replace_and_help_comes_as_markdown() -> None:
    text = "# 🙂\ninput 4\nden"
    at = len(text) + 1
    found = complete(text, at)
    assert (found["from"], found["to"]) == (at - 3, at)
    item = next(item for item in found["items"] if item["text"] == "dense")
    assert item["kind"] == "layer" and item["snippet"] == "dense ${1:10}" and "**dense**" in item["about"]
    told = hover("input 4\ndense 3", 10)
    assert told is not None and (told["from"], told["to"]) == (8, 13) and "**dense**" in told["text"]
    assert hover("input 4\n\ndense 3", 8) is None


def test_formatting_is_that_of_the_command_and_none_for_a_text_with_syntax_errors() -> None:
    assert formatted("input   4\ndense 3->relu") == "input 4\ndense 3 -> relu\n"
    assert formatted("input 4 -> (") is None
