"""Quick fixes."""

import pytest

from nnspec.spec_lang.editor.actions import actions
from nnspec.spec_lang.editor.edits import edited
from nnspec.spec_lang.report.codes import TABLE
from tests.support.documents import pointed
from tests.support.spec_findings import errors_of

MISTAKES = {
    "maxpol 2 -> dense 3": "maxpool 2 -> dense 3",
    "dense 3 -> maxpol 2": "dense 3 -> maxpool 2",
    "dense 3\noptimiser adam": "dense 3\noptimizer adam",
    "dense 3\noptimizer adm": "dense 3\noptimizer adam",
    "dense 3 rellu": "dense 3 relu",
    "conv 3x3 x8 strid=2": "conv 3x3 x8 stride=2",
    "conv 3x3 x8 padding=same": "conv 3x3 x8 pad=same",
    "conv 3x3 filters=8": "conv 3x3 x8",
    "conv 3x3 8": "conv 3x3 x8",
    "conv 3x3 x8 same": "conv 3x3 x8 pad=same",
    "dense x8": "dense 8",
    "linear 10 -> relu": "dense 10 -> relu",
    "a: linear 10 -> relu": "a: dense 10 -> relu",
    "nn.ReLU -> dense 3": "relu -> dense 3",
    "nn.Conv2d(1, 8, 3) -> relu": "conv 3x3 x8 -> relu",
    "let width = 3\ndense $widht": "let width = 3\ndense $width",
    "let width = 3\nconv 3x3 x$widht": "let width = 3\nconv 3x3 x$width",
    "let width = 3\ndense $width\nsweep widht = 3, 4": "let width = 3\ndense $width\nsweep width = 3, 4",
    "dense 3\noptimizer adam\nsweep lr = 0.1, 1": "dense 3\noptimizer adam\nsweep optimizer.lr = 0.1, 1",
    "dense 3\ntrain epochs=5": "dense 3\ntrain 5 epochs",
    "dense 3\ndata csv 'a.csv' target=y": 'dense 3\ndata csv "a.csv" target=y',
    "dense 3\ndata mnist normalize=zscor": "dense 3\ndata mnist normalize=zscore",
    "block res(w) = dense $w\ndense 3 -> ress 3": "block res(w) = dense $w\ndense 3 -> res 3",
}


@pytest.mark.parametrize(("wrong", "right"), MISTAKES.items())
def test_one_keystroke_writes_what_the_help_says(wrong: str, right: str) -> None:
    document, _ = pointed(f"{wrong}|")
    first, *_ = actions(document, 0, len(wrong))
    assert edited(wrong, [first.fix]) == right
    assert first.fix.text in first.title and first.finding.help is not None


@pytest.mark.parametrize("text", [*MISTAKES, *(entry.bad for entry in TABLE.values())])
def test_every_did_you_mean_can_be_done(text: str) -> None:
    for finding in errors_of(text):
        if finding.help and finding.help.startswith("did you mean"):
            assert finding.fix is not None and finding.fix.text in finding.help


def test_only_the_fixes_of_the_place_are_offered() -> None:
    text = "maxpol 2 -> dense 3 rellu"
    document, _ = pointed(f"input 8x8x1\n{text}|")
    assert [action.fix.text for action in actions(document, 12, 14)] == ["maxpool"]
    assert [action.fix.text for action in actions(document, 33, 33)] == ["relu"]
    assert len(actions(document, 0, 40)) == 2


def test_a_layer_that_needs_more_than_its_name_is_written_in_the_help_and_is_no_action() -> None:
    text = "input 28x28x1\nnn.Conv2d -> relu"
    (error,) = errors_of(text)
    assert (error.help, error.fix) == ("write conv 3x3 x8 relu, for example", None)
    document, _ = pointed(f"{text}|")
    assert actions(document, 0, len(text)) == []
