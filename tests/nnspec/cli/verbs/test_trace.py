"""nnspec trace and nnspec gradcheck."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.nnspec.conftest import ROOT, Command


def test_a_sample_of_the_data_is_followed_through_both_passes(nnspec: Command, digits: Path) -> None:
    shown = nnspec("trace", digits, 3)
    assert shown.code == 0
    title, *lines = shown.out.splitlines()
    assert title.endswith("sample 3 of mnist_sample, test, target 9") and "forward" in lines
    assert [line.split()[0] for line in lines[1:5]] == ["input", "maxpool1", "dense1", "head"]
    assert any(line.startswith("loss 0") for line in lines)
    whole = nnspec("trace", digits, 3, "--layer", "dense1")
    assert "dense1, gradient of weight (49x10):" in whole.out
    found = nnspec("trace", digits, 3, "--json", "--layer", "dense1").json
    assert found["target"] == "9" and found["loss"] > 0
    dense = found["layers"][2]
    assert np.shape(dense["output"]) == np.shape(dense["gradient"]) == (10,)
    assert np.shape(dense["parameters"]["weight"]["gradient"]) == (49, 10)
    assert "parameters" not in found["layers"][1]


def test_a_file_has_the_label_that_is_given(nnspec: Command, digits: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "black.png")
    without = nnspec("trace", digits, "black.png")
    assert without.code == 0 and "backward" not in without.out
    assert "target 7" in nnspec("trace", digits, "black.png", "--label", "7").out
    wrong = nnspec("trace", digits, "black.png", "--label", "55")
    assert wrong.code == 2 and "no class is called '55'; there is 0, 1" in wrong.err


def test_a_page_has_both_passes_and_a_section_for_each_layer(nnspec: Command, digits: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    assert nnspec("trace", digits, 0, "--out", "trace.html").out == "trace.html\n"
    page = (tmp_path / "trace.html").read_text(encoding="utf-8")
    for name in ("forward", "backward", "layer-input", "layer-dense1"):
        assert f'id="{name}"' in page
    assert "<script" not in page


def test_what_cannot_be_traced_is_said(nnspec: Command, digits: Path) -> None:
    assert "not among the 1,000" in nnspec("trace", digits, 1000).err
    assert "no layer is called dense9: there is input" in nnspec("trace", digits, 0, "--layer", "dense9").err
    assert nnspec("trace", digits, 0, "--label", "3").code == 2
    assert nnspec("trace", digits, "gone.png").code == 2


def test_the_gradients_of_a_text_a_spec_and_a_run_are_the_slopes(nnspec: Command, digits: Path, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text("network a\nmaxpool 7 -> dense 10 softmax\ndata mnist_sample\n")
    for given, origin in (
        ("input 3 -> dense 2", "8 random samples"),
        ("a.nnspec", "mnist_sample, the first 8 training samples"),
        (digits, "mnist_sample, the first 8 training samples"),
    ):
        shown = nnspec("gradcheck", given)
        assert shown.code == 0, shown.err
        assert origin in shown.out and "every gradient is the slope of the loss" in shown.out
    found = nnspec("gradcheck", "a.nnspec", "--json", "--numbers", "3", "--samples", "2").json
    assert found["valid"] and found["samples"] == 2 and [each["tried"] for each in found["arrays"]] == [3, 3]
    assert nnspec("gradcheck", "dense 3").code == 1
    assert nnspec("gradcheck", digits, "--set", "seed=1").code == 2


def test_the_commands_of_the_page_for_the_class_room_work_one_after_the_other(nnspec: Command, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    commands = re.findall(r"^    nnspec (.+)$", (ROOT / "docs" / "classroom.md").read_text(), re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        assert nnspec(*command.split()).code == 0, command
