"""nnspec occlude."""

import shutil
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest

from nnspec import api
from tests.nnspec.conftest import Command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on images of 6x5x3 whose class is which third is lit, and its data. No test writes into the folder."""
    folder = tmp_path_factory.mktemp("blocks")
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = random.integers(0, 30, (60, 6, 5, 3)).astype("u1")
    for image, third in zip(x, y, strict=True):
        image[2 * third : 2 * third + 2] += 200
    np.savez(folder / "blocks.npz", x=x, y=y, x_test=x[:12], y_test=y[:12])
    np.save(folder / "two.npy", x[1:3])
    (folder / "net.nnspec").write_text('dense 3 softmax\ndata npz "blocks.npz"\n')
    with chdir(folder):
        api.train("net.nnspec", "run", {"optimizer.lr": 0.05, "train.epochs": 20})
    return folder


@pytest.fixture
def blocks(trained: Path, nnspec: Command, tmp_path: Path) -> Path:
    """The trained run, run/ in the folder of the test, with its data."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path / "run"


def test_without_images_the_first_right_ones_of_each_class_are_drawn(nnspec: Command, blocks: Path) -> None:
    done = nnspec("occlude", blocks, "--per-class", 2)
    assert done.code == 0
    pictures = blocks / "pictures"
    names = ["occlusion-2x2.npz", "occlusion-2x2.png", "occlusion-3x3.npz", "occlusion-3x3.png"]
    assert done.out.split() == [str(pictures / name) for name in names]
    assert all((pictures / name).stat().st_size > 500 for name in names)
    with np.load(pictures / "occlusion-3x3.npz") as arrays:
        assert arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2]
        assert arrays["images"].shape == (6, 6, 5, 3) and arrays["maps"].shape == (6, 4, 3)
        assert arrays["window"].tolist() == [3, 3] and arrays["classes"].tolist() == ["0", "1", "2"]


def test_the_maps_are_those_of_python(nnspec: Command, blocks: Path) -> None:
    assert nnspec("occlude", blocks, "--window", "2x3", "--stride", 2, "--baseline", 7).code == 0
    network = api.load(blocks / "last.h5")
    with np.load(blocks / "pictures" / "occlusion-2x3.npz") as arrays:
        expected = api.occlude(network, arrays["images"], arrays["labels"], (2, 3), 2, 7)
        np.testing.assert_allclose(arrays["maps"], expected, rtol=1e-5)
        answers = network.predict(arrays["images"])
        np.testing.assert_allclose(arrays["probabilities"], answers[range(9), arrays["labels"]], rtol=1e-5)


def test_the_mean_of_the_training_images_is_a_baseline(nnspec: Command, blocks: Path) -> None:
    assert nnspec("occlude", blocks, "--window", 2, "--baseline", "mean", "--out", "maps").code == 0
    with np.load(blocks.parent / "maps" / "occlusion-2x2.npz") as arrays:
        np.testing.assert_allclose(arrays["baseline"], api.load(blocks / "last.h5").preprocessing.shift)


def test_given_images_are_asked_for_the_class_that_is_predicted_or_named(nnspec: Command, blocks: Path) -> None:
    assert nnspec("occlude", blocks, "two.npy", "--window", 2, "--out", "a").code == 0
    assert nnspec("occlude", blocks, "two.npy", "--window", 2, "--out", "b", "--label", "2").code == 0
    with np.load("a/occlusion-2x2.npz") as predicted, np.load("b/occlusion-2x2.npz") as named:
        assert predicted["labels"].tolist() == [1, 2] and named["labels"].tolist() == [2, 2]
        np.testing.assert_array_equal(predicted["maps"][1], named["maps"][1])


def test_images_of_two_axes_work_too(nnspec: Command, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 4, 4))
    np.savez(tmp_path / "grey.npz", x=x, y=(x[:, 0, 0] > 0).astype(int))
    settings = ("--set", "train.epochs=20", "--set", "optimizer.lr=0.1", "--out", "run")
    assert nnspec("train", "dense 2 softmax", "--data", 'npz "grey.npz" split=60/40', *settings).code == 0
    assert nnspec("occlude", "run", "--window", 2, "--baseline", "mean").code == 0


@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
@pytest.mark.parametrize("verb", ["occlude", "saliency"])
def test_pictures_are_written_in_the_format_that_is_asked_for(
    verb: str, suffix: str, begins: bytes, nnspec: Command, blocks: Path
) -> None:
    asked = ("--window", 2, "--format", suffix, "--json", *(["--sanity"] if verb == "saliency" else []))
    pictures = [Path(file) for file in nnspec(verb, blocks, *asked).json["files"] if not file.endswith(".npz")]
    assert pictures and {each.suffix for each in pictures} == {f".{suffix}"}
    assert all(each.read_bytes().startswith(begins) for each in pictures)
    failed = nnspec(verb, blocks, "--format", "jpg")
    assert failed.code == 2 and "'png', 'svg', 'pdf'" in failed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--window", "0x2"], "is not a size such as 3x3"),
        (["--window", "2x2x2"], "is not a size such as 3x3"),
        (["--window", "7x7"], "does not fit into an image of 6x5"),
        (["--baseline", "median"], "is neither a number nor mean"),
        (["--baseline", "nan"], "must be finite"),
        (["--label", "1"], "name one"),
        (["two.npy", "--label", "seven"], "there is 0, 1 or 2"),
        (["--per-class", "0"], "--per-class"),
        (["none.png"], "none.png"),
    ],
)
def test_wrong_use_is_told(arguments: list[str], told: str, nnspec: Command, blocks: Path) -> None:
    failed = nnspec("occlude", blocks, *arguments)
    assert failed.code == 2 and told in failed.err and failed.out == ""


def test_a_network_that_sees_no_images_is_refused(nnspec: Command, flowers: Path, prices: Path) -> None:
    for run in (flowers, prices):
        failed = nnspec("occlude", run)
        assert failed.code == 2 and "is not a network that classifies images" in failed.err


def test_classes_without_a_right_image_are_told_and_left_out(nnspec: Command, blocks: Path, tmp_path: Path) -> None:
    with np.load(tmp_path / "blocks.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    lit_above, unlit_above = x[y == 0][:4], np.ones(4, int)
    np.savez(tmp_path / "one.npz", x=x, y=y, x_test=lit_above, y_test=0 * unlit_above)
    np.savez(tmp_path / "none.npz", x=x, y=y, x_test=lit_above, y_test=unlit_above)
    done = nnspec("occlude", blocks, "--window", 2, "--data", 'npz "one.npz"')
    assert (
        done.code == 0
        and "warning: no sample of 1, 2 is classified correctly, so these classes are left out" in done.err
    )
    failed = nnspec("occlude", blocks, "--window", 2, "--data", 'npz "none.npz"')
    assert (failed.code, failed.out) == (1, "") and "is classified correctly: train the network first" in failed.err


def test_json_has_the_files(nnspec: Command, blocks: Path) -> None:
    files = nnspec("occlude", blocks, "--window", "2x2", "--json").json["files"]
    pictures = blocks / "pictures"
    assert files == [str(pictures / "occlusion-2x2.npz"), str(pictures / "occlusion-2x2.png")]
    assert all(Path(file).is_file() for file in files)
