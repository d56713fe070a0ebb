"""nnspec trace and nnspec gradcheck."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.nnspec.conftest import Command


def test_a_sample_of_the_data_is_followed_through_both_passes(nnspec: Command, digits: Path) -> None:
    shown = nnspec("trace", digits, 3)
    assert shown.code == 0
    title, *lines = shown.out.splitlines()
    assert title.endswith("sample 3 of mnist_sample, test, target 9") and "forward" in lines
    assert [line.split()[0] for line in lines[1:7]] == ["input", "maxpool1", "dense1", "weight", "bias", "head"]
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


def test_a_spec_is_traced_with_its_initial_weights_and_a_sample_may_be_typed(nnspec: Command, tmp_path: Path) -> None:
    text = "input 2 -> dense 3 relu -> dense 2 softmax"
    shown = nnspec("trace", text, "0.5, 1", "--label", "1")
    assert shown.code == 0 and shown.out.startswith("network: 0.5, 1, target 1\nforward\n")
    found = nnspec("trace", text, "0.5 1", "--label", "1", "--json", "--layer", "dense1").json
    weight = np.array(found["layers"][1]["parameters"]["weight"]["value"])
    np.testing.assert_allclose(found["layers"][1]["output"], np.array([0.5, 1]) @ weight, rtol=1e-6)
    np.testing.assert_allclose(found["layers"][3]["gradient"], found["layers"][4]["output"] - np.eye(2)[1], atol=1e-6)
    numbers = nnspec("trace", "input 2 -> dense 2", "--label", "1,2", "--", "-1,2")
    assert numbers.code == 0 and "target 1  2" in numbers.out and "backward" in numbers.out
    (tmp_path / "a.nnspec").write_text("network a\nmaxpool 7 -> dense 10 softmax\ndata mnist_sample\n")
    assert "a: sample 0 of mnist_sample, test, target 4" in nnspec("trace", "a.nnspec", 0).out


def test_every_number_of_a_layer_keeps_its_significant_digits(nnspec: Command, digits: Path) -> None:
    shown = nnspec("trace", digits, 3, "--layer", "dense1").out
    gradient = shown.partition("dense1, gradient of the output (10):\n")[2].partition("dense1, weight")[0]
    assert np.fromstring(gradient.strip(" []\n"), sep=" ").size == 10 and " 0 " not in gradient
    assert "-0 " not in nnspec("trace", "input 2 -> dense 3 relu -> dense 2 softmax", "0.5,1", "--label", "1").out


def test_what_cannot_be_traced_is_said(nnspec: Command, digits: Path) -> None:
    assert "none is 1000: write 0 to 999" in nnspec("trace", digits, 1000).err
    assert "first is not a sample: write its number in the split" in nnspec("trace", digits, "first").err
    assert "1 number given, and a sample of network has 2" in nnspec("trace", "input 2 -> dense 2", "1.5").err
    assert "is the target, for network 2 numbers" in nnspec("trace", "input 2 -> dense 2", "1,2", "--label", "a").err
    assert "there is no such file" in nnspec("trace", "gone.nnspec", 0).err
    assert "the shape of a sample is not known" in nnspec("trace", "dense 3", 0).err
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
    listed = nnspec("gradcheck", "input 3 -> dense 2", "--all", "--list")
    assert len(re.findall(r"^  dense1/(?:weight|bias)\[", listed.out, re.MULTILINE)) == 8
    numbers = nnspec("gradcheck", "input 3 -> dense 2", "--all", "--list", "--json").json["arrays"][0]["numbers"]
    assert [number["place"] for number in numbers] == [[i, j] for i in range(3) for j in range(2)]
    assert nnspec("gradcheck", "dense 3").code == 1
    assert nnspec("gradcheck", digits, "--set", "seed=1").code == 2
