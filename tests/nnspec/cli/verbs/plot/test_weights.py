"""nnspec plot weights."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from nnspec import compile
from tests.nnspec.conftest import Command
from tests.runtime.views.pictures import title as picture_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    assert failed.code == 2 and "no layer with a matrix of weights" in failed.err


@pytest.mark.parametrize(
    ("network", "title", "drawn", "panels"),
    [
        ("input 9x6 -> lstm 5 -> dense 3", "input_weight of lstm1, network", "lstm1/input_weight", "ifgo"),
        (
            "input 9x6 -> gru 5 bidirectional=yes -> dense 3",
            "input_weight of gru1, network",
            "gru1/input_weight",
            "rzn",
        ),
        ("input 9x6 -> rnn 5 -> dense 3", "input_weight of rnn1, network", "rnn1/input_weight", "h"),
        ("input 9x6 -> batchnorm -> conv 3 x4 -> globalavgpool -> dense 3", "Weights of conv1, network", "", ""),
    ],
)
def test_the_first_layer_is_drawn_whatever_its_arrays_are_called(
    network: str, title: str, drawn: str, panels: str, nnspec: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = compile(network, seed=1)
    made.save("net.h5")
    figures: list[Figure] = []
    monkeypatch.setattr("nnspec.cli.pictures.save_picture", lambda figure, *rest: figures.append(figure))
    assert nnspec("plot", "weights", "net.h5").code == 0
    (figure,) = figures
    assert picture_title(figure).startswith(f"{title}: ")
    images = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    if drawn:
        np.testing.assert_array_equal(np.concatenate(images[: len(panels)], axis=1), made.parameters[drawn])
    else:
        tiles = [np.asarray(image.get_array()) for image in figure.axes[0].images]
        np.testing.assert_array_equal(tiles[1], made.parameters["conv1/weight"][:, :, 1].T)
