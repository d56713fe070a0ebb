"""nnspec data describe."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.nnspec.conftest import Command


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    rows = [f"{i % 7},{'red' if i % 3 else 'blue'},{'rose' if i % 2 else 'lily'}" for i in range(30)]
    (tmp_path / "flowers.csv").write_text("length,colour,kind\n" + "\n".join(rows))
    return tmp_path / "flowers.csv"


def test_a_file_is_described_with_and_without_a_target(nnspec: Command, flowers: Path) -> None:
    shown = nnspec("data", "describe", "flowers.csv")
    assert (
        shown.code == 0 and "flowers.csv: 30 samples of 3 columns" in shown.out and "with the target" not in shown.out
    )
    shown = nnspec("data", "describe", "flowers.csv target=kind")
    assert shown.code == 0 and "correlation ratio" in shown.out and "class lily  15  50.0 %" in shown.out
    assert "warning: 3 of 3 validation samples (100.0 %) are train samples too" in shown.out


def test_json_has_everything_and_the_picture_is_written(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    shown = nnspec("data", "describe", "flowers.csv target=kind", "--json", "--out", "flowers.png")
    assert shown.code == 0 and shown.json["picture"] == "flowers.png"
    assert [column["kind"] for column in shown.json["columns"]] == ["number", "category", "category"]
    assert shown.json["classes"] == {"lily": 15, "rose": 15} and shown.json["splits"] == {"train": 27, "validation": 3}
    with Image.open(tmp_path / "flowers.png") as image:
        assert image.size[0] > 500
        light = np.asarray(image.convert("RGB"))[0, 0]
    assert nnspec("data", "describe", "flowers.csv", "--out", "dark.png", "--style", "dark").code == 0
    with Image.open(tmp_path / "dark.png") as image:
        assert light.min() == 255 and np.asarray(image.convert("RGB"))[0, 0].max() < 60


def test_any_source_is_described(nnspec: Command) -> None:
    shown = nnspec("data", "describe", "mnist_sample")
    assert shown.code == 0 and "mnist_sample: 5,000 samples of 28x28 uint8" in shown.out
    assert nnspec("data", "describe", "dinos").code == 0


def test_what_is_not_there_is_told(nnspec: Command, flowers: Path) -> None:
    for given, said in (
        ("flowrs.csv", "did you mean flowers.csv"),
        ("flowers.csv target=knd", 'did you mean "kind"'),
        ("mnst", "no data is called"),
    ):
        asked = nnspec("data", "describe", given)
        assert asked.code in (1, 2) and said in asked.err
