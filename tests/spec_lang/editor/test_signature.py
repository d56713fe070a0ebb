"""What a word takes, while it is written."""

import pytest

from nnspec.spec_lang.editor.signature import signature
from tests.support.documents import pointed

BLOCK = "block res(w, k) = conv 3x3 x$w -> relu\n"


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("conv |", "window"),
        ("conv 3|", "window"),
        ("conv 3x3 |", "filters"),
        ("conv 3x3 x8|", "filters"),
        ("conv 3x3 x8 |", "[activation]"),
        ("conv 3x3 x8 pad=|", "pad=valid"),
        ("conv 3x3 x8 pad=sa|", "pad=valid"),
        ("dense 3 -> conv | x8 -> dense 4", "window"),
        ("stem: conv |", "window"),
        ("(conv 3x3 x8 + conv |)", "window"),
        ("dense 3\noptimizer adam lr=|", "lr=0.001"),
        ("dense 3\noptimizer adam lr=0.1|", "lr=0.001"),
        ("dense 3\ntrain 5 |", "[unit]"),
        ("variant a {\n  train | epochs\n}", "[length]"),
        ("metrics accuracy, |", "[names…]"),
        (f"{BLOCK}input 4\nres |", "w"),
        (f"{BLOCK}input 4\nres 3 |", "k"),
        (f"{BLOCK}input 4\nres 3 k=|", "k"),
    ],
)
def test_the_value_to_write_is_active(text: str, active: str) -> None:
    found = signature(*pointed(text))
    assert found is not None and found.active is not None
    assert found.parameters[found.active].text == active


@pytest.mark.parametrize("text", ["|", "con|", "let w = |", "dense 3 -> |", "dense 3 # |", "dense 3\n|", "= |"])
def test_where_no_word_is_written_there_is_none(text: str) -> None:
    assert signature(*pointed(text)) is None


def test_the_label_has_every_parameter_in_its_place() -> None:
    found = signature(*pointed("dense |"))
    assert found is not None and found.label.startswith("dense units [activation] as=… bias=yes init=… ")
    assert "whether a learned bias" in next(p.about for p in found.parameters if p.text == "bias=yes")
    section = signature(*pointed("dense 3\noptimizer adam |"))
    assert section is not None and section.label.startswith("optimizer adam lr=0.001 ")
