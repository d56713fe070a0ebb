"""nnspec plot confusion."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.views import PICTURES, confusion
from tests.nnspec.conftest import Command, write_flowers


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is drawn."""
    found: dict[str, Any] = {}
    draw = PICTURES["confusion"]

    def noted(counts: Any, names: Any, title: str) -> Any:
        found.update(counts=counts, names=names, title=title)
        return draw(counts, names, title)

    monkeypatch.setitem(confusion.picture.__globals__["_drawers"], "confusion", noted)
    return found


def test_the_counts_are_those_of_the_split_asked_for(nnspec: Command, digits: Path, seen: dict[str, Any]) -> None:
    accuracy = nnspec("eval", digits, "--split", "validation", "--json").json["accuracy"]
    drawn = nnspec("plot", "confusion", digits, "--split", "validation", "--out", "confusion.png")
    assert (drawn.code, drawn.out) == (0, "confusion.png\n")
    assert seen["counts"].sum() == 500 and np.trace(seen["counts"]) == round(500 * accuracy)
    assert list(seen["names"]) == [str(digit) for digit in range(10)]
    assert seen["title"] == "network on mnist_sample, validation"


def test_other_data_are_taken_as_eval_takes_them(
    nnspec: Command, flowers: Path, tmp_path: Path, seen: dict[str, Any]
) -> None:
    write_flowers(tmp_path / "new.csv", seed=3, classes="wv")
    other = ("--data", 'csv "new.csv" target=kind', "--split", "all")
    assert nnspec("plot", "confusion", flowers, *other, "--out", "c.png").code == 0
    assert list(seen["names"]) == ["u", "v", "w"] and seen["counts"].tolist() == [[0, 0, 0], [0, 30, 0], [0, 0, 30]]


def test_a_network_for_numbers_has_none(nnspec: Command, prices: Path) -> None:
    failed = nnspec("plot", "confusion", prices)
    assert failed.code == 2 and "it is not a classifier, and this picture is of one" in failed.err
