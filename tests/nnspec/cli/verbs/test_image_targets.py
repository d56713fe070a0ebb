"""The command on networks that end in an image: predict --out, plot predictions, plot confusion, resume."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnspec import api, checkpoints
from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.network import Network
from nnspec.runtime.metrics import measure
from nnspec.runtime.views import PICTURES, picture
from nnspec.spec_lang.vocabulary.metrics import Accuracy
from tests.nnspec.conftest import Command
from tests.support.commands import at_step

SAMPLES, SIZE = 30, (6, 5)
RANDOM = np.random.default_rng(0)
X: Array = RANDOM.normal(size=(SAMPLES, *SIZE, 1)).astype(np.float32)
CLASSES = np.digitize(X[..., 0], [-0.5, 0.5])
BODY = "input 6x5x1\nconv 3x3 x3 pad=same relu -> dropout 0.2 -> conv 1x1 "
KINDS: dict[str, tuple[str, Array]] = {
    "classes": ("x3 softmax", CLASSES),
    "two classes": ("x2 softmax", CLASSES // 2),
    "yes or no": ("x1 sigmoid\nloss binary_cross_entropy", CLASSES // 2),
    "two labels": ("x2 sigmoid\nloss binary_cross_entropy", np.stack([CLASSES // 2, CLASSES > 0], -1).astype(int)),
    "three labels": ("x3 sigmoid\nloss binary_cross_entropy", (CLASSES[..., None] == np.arange(3)).astype(int)),
    "numbers": ("x1\nloss mse", 3 * X[..., 0] + 1),
    "numbers of two channels": ("x2\nloss mse", np.concatenate([X, -X], -1)),
}
CLASSIFIED = ["classes", "two classes", "yes or no"]


@pytest.fixture
def trained(nnspec: Command, tmp_path: Path) -> Callable[[str], Network]:
    """Train a network of a kind of targets into the folder run, and return it."""

    def train(kind: str) -> Network:
        write(tmp_path, kind)
        done = nnspec("train", "net.nnspec", "--out", "run", "--quiet")
        assert done.code == 0, done.err
        return api.load("run/last.h5")

    return train


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What pictures are given, by their names."""
    found: dict[str, Any] = {}
    drawers = picture.__globals__["_drawers"]
    for name in ("confusion", "predicted_images", "augment"):
        draw = PICTURES[name]

        def noted(*given: Any, _name: str = name, _draw: Any = draw) -> Any:
            found[_name] = given
            return _draw(*given)

        monkeypatch.setitem(drawers, name, noted)
    return found


def write(folder: Path, kind: str, more: str = "") -> None:
    """Write a spec and its data, of which two thirds train."""
    end, targets = KINDS[kind]
    np.savez(folder / "data.npz", x=X, y=targets)
    length = "train 10 iterations batch=8 evaluate_every=4 checkpoint_every=3 seed=5"
    text = f'{BODY}{end}\ndata npz "data.npz" split=67/33\n{more}{length}\n'
    (folder / "net.nnspec").write_text(text)


def grey(kind: str, output: Array) -> Array | None:
    """The numbers of the .png of an output (height, width, channels), 0 to 255; None where it is a .npy."""
    channels = output.shape[-1]
    if "class" in kind:
        return np.asarray(output.argmax(-1) * 255.0 / (channels - 1))
    if "numbers" in kind or channels == 2:
        return None
    return 255.0 * (output[..., 0] if channels == 1 else output)


@pytest.mark.parametrize("kind", KINDS)
def test_out_writes_each_predicted_image_as_its_kind_says(nnspec: Command, trained: Any, kind: str) -> None:
    network = trained(kind)
    np.save("some.npy", X[:3])
    told = nnspec("predict", "run", "some.npy", "--out", "new/images", "--json").json["predictions"]
    for number, (prediction, output) in enumerate(zip(told, network.predict(X[:3]), strict=True)):
        expected = grey(kind, output)
        path = Path(f"new/images/some-{number}{'.npy' if expected is None else '.png'}")
        assert prediction["file"] == str(path)
        if expected is None:
            np.testing.assert_array_equal(np.load(path), output)
        else:
            with Image.open(path) as image:
                assert image.mode == ("RGB" if expected.ndim == 3 else "L")
                np.testing.assert_allclose(np.asarray(image), expected, atol=0.5 + 1e-3)
    assert len(list(Path("new/images").iterdir())) == 3


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_out_never_writes_over_a_file(nnspec: Command, trained: Any, kind: str) -> None:
    trained(kind)
    ending, other = (".png", ".npy") if kind == "classes" else (".npy", ".png")
    np.save("some.npy", X[:1])
    Path("out").mkdir()
    Path(f"out/some-0{ending}").write_text("mine")
    Path(f"out/some-0-2{other}").write_text("mine too")
    for number in (3, 4):
        asked = nnspec("predict", "run", "some.npy", "--out", "out")
        assert asked.code == 0 and asked.out.rstrip().endswith(f"out/some-0-{number}{ending}")
    assert Path(f"out/some-0{ending}").read_text() == "mine" and Path(f"out/some-0-2{other}").read_text() == "mine too"
    assert Path(f"out/some-0-3{ending}").read_bytes() == Path(f"out/some-0-4{ending}").read_bytes()


def test_out_is_refused_where_it_cannot_be_a_folder_or_nothing_is_an_image(
    nnspec: Command, trained: Any, prices: Path
) -> None:
    trained("classes")
    np.save("some.npy", X[:1])
    Path("taken").write_text("mine")
    refused = nnspec("predict", "run", "some.npy", "--out", "taken")
    assert refused.code == 2 and Path("taken").read_text() == "mine"
    no_image = nnspec("predict", prices, "some.npy", "--out", "out")
    assert no_image.code == 2 and "--out writes images" in no_image.err and not Path("out").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_the_predictions_are_drawn_with_inputs_and_truth(
    nnspec: Command, trained: Any, drawn: dict[str, Any], kind: str
) -> None:
    network = trained(kind)
    asked = nnspec("plot", "predictions", "run", "--split", "all")
    assert (asked.code, asked.out) == (0, "run/pictures/predictions.png\n")
    inputs, truth, predicted, title, note = drawn["predicted_images"]
    order = [int(np.flatnonzero((one == X).all(axis=(1, 2, 3)))[0]) for one in inputs]
    np.testing.assert_array_equal(truth.reshape(KINDS[kind][1][order].shape), KINDS[kind][1][order])
    output = network.predict(inputs)
    if kind == "classes":
        output = output.argmax(-1)[..., None]
    np.testing.assert_array_equal(predicted, output[..., 1:] if kind == "two classes" else output)
    assert title.endswith("data.npz, all") and note.startswith("predicted: ")


@pytest.mark.parametrize("kind", CLASSIFIED)
def test_the_confusion_matrix_counts_pixels(nnspec: Command, trained: Any, drawn: dict[str, Any], kind: str) -> None:
    network = trained(kind)
    assert nnspec("plot", "confusion", "run", "--split", "all").code == 0
    counts, names, title = drawn["confusion"]
    outputs, targets = network.predict(X), KINDS[kind][1]
    said = (outputs[..., 0] >= 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(-1)
    expected = [[((targets == i) & (said == j)).sum() for j in range(len(names))] for i in range(len(names))]
    np.testing.assert_array_equal(counts, expected)
    assert np.trace(counts) / counts.sum() == pytest.approx(measure(Accuracy(), outputs, targets))
    assert counts.sum() == SAMPLES * SIZE[0] * SIZE[1] and title.endswith("data.npz, all, pixels")


@pytest.mark.parametrize("kind", ["two labels", "numbers"])
def test_pixels_without_one_class_have_no_confusion_matrix(nnspec: Command, trained: Any, kind: str) -> None:
    trained(kind)
    refused = nnspec("plot", "confusion", "run")
    assert refused.code == 2 and "it is not a classifier" in refused.err


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("augment", ["", "augment shift=1 flip=both noise=0.1\n"], ids=["plain", "augmented"])
def test_a_run_that_was_stopped_goes_on_to_the_bytes_of_one_that_was_not(
    nnspec: Command, tmp_path: Path, kind: str, augment: str
) -> None:
    write(tmp_path, kind, augment)
    assert nnspec("train", "net.nnspec", "--out", "whole", "--quiet").code == 0
    with at_step(5):
        assert nnspec("train", "net.nnspec", "--out", "parts", "--quiet").code == 130
    assert checkpoints.read("parts/last.h5").meta["counters"]["step"] == 5
    assert nnspec("resume", "parts", "--quiet").code == 0
    for name in ("last.h5", "best.h5"):
        whole, parts = (checkpoints.read(f"{run}/{name}") for run in ("whole", "parts"))
        assert checkpoints.differing_entries(whole, parts) == []
        assert whole.meta["counters"]["step"] > 0
