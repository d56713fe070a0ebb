"""nnspec plot weights."""

from pathlib import Path

import pytest

from tests.nnspec.conftest import Command


@pytest.mark.parametrize("network", ["conv 3x3 x4 -> maxpool 4 -> dense 10 softmax", "dense 10 softmax"])
def test_the_first_weights_are_drawn(network: str, nnspec: Command, tmp_path: Path) -> None:
    short = ("--data", "mnist_sample", "--set", "train=3 iterations", "--quiet")
    assert nnspec("train", network, *short).code == 0
    drawn = nnspec("plot", "weights", "runs/network")
    assert (drawn.code, drawn.out) == (0, "runs/network/pictures/weights.png\n")
    assert (tmp_path / "runs/network/pictures/weights.png").stat().st_size > 1000


def test_weights_after_a_pool_are_images_of_its_output(nnspec: Command, digits: Path) -> None:
    assert nnspec("plot", "weights", digits, "--out", "weights.pdf").code == 0


def test_one_name_for_several_pictures_is_refused(nnspec: Command, digits: Path, flowers: Path) -> None:
    failed = nnspec("plot", "weights", digits, flowers, "--out", "one.png")
    assert failed.code == 2 and "give one checkpoint" in failed.err
    assert not Path("one.png").exists()


def test_a_network_without_weights_has_no_picture(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,0\n2,1,1\n3,4,0\n4,3,1\n1,3,1\n3,1,0\n")
    short = ("--data", 'csv "t.csv" target=y', "--set", "train.epochs=1", "--out", "run")
    assert nnspec("train", "relu -> softmax", *short).code == 0
    failed = nnspec("plot", "weights", "run")
    assert failed.code == 2 and "no layer with weights" in failed.err
