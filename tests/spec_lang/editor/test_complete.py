"""What can be written at a place."""

from pathlib import Path

import pytest

from nnspec.spec_lang.editor.complete import complete
from nnspec.spec_lang.vocabulary.registry import SECTIONS, layers, statements, words
from tests.support.documents import pointed

LETS = "let width = 16\nblock res(w, k) = conv 3x3 x$w -> relu\n"


def offered(text: str, folder: Path | None = None) -> list[str]:
    return [item.text for item in complete(*pointed(text, folder)).items]


def test_a_line_begins_with_any_layer_statement_block_or_keyword() -> None:
    found = offered(f"{LETS}|")
    assert {*layers(), *statements(), "res", "let", "block", "include", "variant", "sweep", "expect", "repeat"} == set(
        found
    )


@pytest.mark.parametrize("text", ["dense 3 -> |", "dense 3 ->\n  |", "(dense 3 + |", "a: |", "block b(w) = |", "(|"])
def test_where_a_layer_can_stand_layers_are_offered_and_no_statements(text: str) -> None:
    found = offered(text)
    assert {*layers(), "repeat"} <= set(found) and not {*statements()} & set(found)
    assert ("skip" in found) == ("(" in text)


def test_a_layer_is_offered_its_values_then_its_options() -> None:
    found = offered("conv |")
    assert found[:2] == ["3x3", "x8"] and found.index("relu") < found.index("stride=")
    assert not {"3x3", "x8"} & set(offered("conv 3x3 x8 |"))


def test_what_is_given_already_is_not_offered_again() -> None:
    assert "pad=" not in offered("conv 3x3 x8 pad=same |") and "pad=" not in offered("conv 3x3 x8 | pad=same")
    assert "pad=" in offered("conv 3x3 x8 | -> conv 3x3 x8 pad=same")
    assert "relu" not in offered("dense 3 relu |")
    assert "accuracy" not in offered("dense 3 relu |")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv 3x3 x8 pad=|", ["valid", "same"]),
        ("conv 3x3 x8 pad=sa|", ["valid", "same"]),
        ("conv 3x3 x8 pad = |", ["valid", "same"]),
        ("maxpool 2 ceil_mode=|", ["no", "yes"]),
        ("input 50x3 |", ["sequence"]),
        ("reshape 16x49 |", ["sequence"]),
        ("dense 3 bias=|", ["yes", "no"]),
        ("embed 4 -> first: rnn 4 -> relu -> rnn 3 -> dense 3 as=|", ["rnn1", "first", "embed1"]),
        ("dense 3 init=|", list(words("init"))),
        ("optimizer adam lr=|", ["0.001"]),
        ("train 5 ep| batch=3 seed=1", ["epochs", "iterations"]),
        ("metrics accuracy, |", list(words("metric"))),
        (f"{LETS}dense 3 -> res |", ["w=", "k=", "$width"]),
        (f"{LETS}dense 3 -> repeat |", ["$width"]),
        (f"{LETS}let deep = |", ["$width"]),
        ("optimizer adam\nsweep optimizer.lr = 0.1, |", ["0.001"]),
        ("sweep train.batch = |", ["32"]),
        ("optimizer adam\nsweep optimizer.lr = |", ["log", "0.001"]),
        (f"{LETS}dense $(2 * |", ["width"]),
        (f"{LETS}conv 3x3 x$(max(4, wi|", ["width"]),
        (f"{LETS}let deep = 2 * |", ["$width"]),
        ("expect |", ["loss", *words("metric")]),
        (f"{LETS}expect accuracy >= |", ["$width"]),
        (f"{LETS}let |", ["width"]),
        (f"{LETS}variant a {{\n  let |", ["width"]),
        ("dense 3 -> repeat |", ["2"]),
        ("dense 3 -> repeat 3 |", ["("]),
        ("input 4\ndense 3 softmax\nearly_stop monitor=|", ["validation_loss", "loss", "validation_accuracy"]),
        ("dense 3\nmetrics f1, top3\nearly_stop monitor=|", ["validation_loss", "loss", "validation_f1"]),
        (
            "input 4\ndense 3\nmetrics r2 training=yes\nearly_stop monitor=|",
            ["validation_loss", "loss", "validation_r2", "training_loss", "training_r2"],
        ),
        ("input 4\ndense 3\nloss mse\nearly_stop monitor=|", ["validation_loss", "loss", "validation_rmse"]),
    ],
)
def test_what_fits_is_offered(text: str, expected: list[str]) -> None:
    assert offered(text)[: len(expected)] == expected


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_offered_the_words_it_may_name(section: str) -> None:
    assert offered(f"{section} |") == list(words(section))
    assert offered(f"variant a {{\n  {section} |") == list(words(section))


def test_a_variable_is_offered_as_it_is_begun_and_a_parameter_inside_its_block_alone() -> None:
    assert offered(f"{LETS}conv 3x3 x$wi|")[-1] == "x$width"
    assert offered(f"{LETS}dense $|")[-1] == "$width"
    assert {"$a", "$width"} <= set(offered(f"{LETS}block b(a) = dense |")) and "$w" not in offered(f"{LETS}dense |")


def test_a_sweep_is_offered_what_can_be_set() -> None:
    found = offered(f"{LETS}optimizer momentum\nsweep |")
    assert {"width", "optimizer.beta", "train.batch"} <= set(found)


def test_an_include_is_offered_the_specs_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name in ("net.nnspec", "base.nnspec", "notes.txt", "parts/head.nnspec"):
        (tmp_path / name).write_text("")
    assert offered('include "|', tmp_path) == ["base.nnspec", "parts/"]
    assert offered('include "parts/h|"', tmp_path) == ["parts/head.nnspec"]
    assert offered('include "../|', tmp_path) == [] and offered('include "/|', tmp_path) == []
    document, offset = pointed('include "ba|rn"', tmp_path)
    assert complete(document, offset).span.text == "barn"


@pytest.mark.parametrize(
    "text",
    [
        "# a |",
        "dense 3  # x |",
        'data csv "|',
        "let |",
        "block |",
        "(dense 3) |",
        "block b(|",
        "foo |",
        "variant |",
        "=|",
        "dense 3 -> =|",
    ],
)
def test_nothing_is_offered_where_only_the_writer_knows(text: str) -> None:
    assert offered(text) == []


def test_the_whole_word_is_replaced_and_what_is_offered_says_what_it_is() -> None:
    found = complete(*pointed("dense 3 -> max|poo 2"))
    assert found.span.text == "maxpoo"
    item = next(item for item in found.items if item.text == "maxpool")
    assert item.kind == "layer" and "largest value" in item.detail and "`pad=valid`" in item.about


def snippet(text: str, word: str) -> str:
    return next(item.snippet for item in complete(*pointed(text)).items if item.text == word)


def test_a_word_is_offered_with_places_for_what_it_needs() -> None:
    assert snippet("|", "conv") == "conv ${1:3x3} ${2:x8}"
    assert snippet(f"{LETS}dense 3 -> |", "res") == "res ${1:w} ${2:k}"
    assert snippet("|", "repeat") == "repeat ${1:2} (${0})"
    assert snippet("|", "block") == "block ${1:name}(${2:width}) = ${3:dense \\$width relu}"
    assert snippet("|", "relu") == "" and snippet("|", "optimizer") == ""


def test_a_word_before_its_arguments_is_completed_alone() -> None:
    assert snippet("con| 3x3 x8", "conv") == ""


def test_a_place_at_the_beginning_of_a_line_is_answered_whatever_follows() -> None:
    for text in ("= |", "= |x", "|= 3", "= 3|", ", |", "-> = |"):
        assert complete(*pointed(text)).items is not None
