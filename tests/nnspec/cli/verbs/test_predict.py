"""nnspec predict."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec import api
from tests.nnspec.conftest import DIGITS, Command

SERIES = np.random.default_rng(0).normal(size=(8, 4, 2))


@pytest.fixture
def picture(digits: Path, tmp_path: Path) -> Path:
    """A digit of the test split as a PNG of twice its size."""
    from nnspec.runtime.data import load_data
    from nnspec.spec_lang.vocabulary.data import MnistSample

    data = load_data(MnistSample(), None, True)
    assert data.test is not None
    pixels = data.test.inputs[0, :, :, 0].repeat(2, axis=0).repeat(2, axis=1)
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    return tmp_path / "digit.png"


def test_a_picture_of_any_size_gets_its_three_most_probable_classes(
    nnspec: Command, digits: Path, picture: Path
) -> None:
    asked = nnspec("predict", digits, "digit.png")
    assert asked.code == 0
    name, first, share, *rest = asked.out.replace(" %", "").split()
    assert (name, len(rest)) == ("digit.png", 4)
    answers = nnspec("predict", digits, "digit.png", "--json").json
    best = max(answers["predictions"][0]["probabilities"])
    assert first == answers["predictions"][0]["label"]
    assert float(share) == pytest.approx(100 * best, abs=0.06)


def test_json_has_all_probabilities_in_the_order_of_the_classes(nnspec: Command, digits: Path, picture: Path) -> None:
    asked = nnspec("predict", digits / "best.h5", "digit.png", "digit.png", "--json")
    assert (asked.code, asked.err) == (0, "")
    assert asked.json["format_version"] == 1
    assert asked.json["classes"] == [str(digit) for digit in range(10)]
    first, second = asked.json["predictions"]
    assert first == second and set(first) == {"input", "label", "probabilities"}
    assert sum(first["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert first["label"] == str(int(np.argmax(first["probabilities"])))


def test_the_answers_are_those_of_python(nnspec: Command, digits: Path, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype("u1")
    np.save(tmp_path / "some.npy", samples)
    answers = nnspec("predict", digits, "some.npy", "--json").json["predictions"]
    assert [answer["input"] for answer in answers] == [f"some.npy[{index}]" for index in range(5)]
    expected = api.load(digits / "last.h5").predict(samples)
    np.testing.assert_allclose([answer["probabilities"] for answer in answers], expected, rtol=1e-6)


def test_rows_of_a_table_are_told_by_their_line(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("b,a\n2,2\n0,0\n")
    rows = [line.split() for line in nnspec("predict", flowers, "rows.csv").out.splitlines()]
    assert [row[:2] for row in rows] == [["rows.csv:2", "w"], ["rows.csv:3", "u"]]


def test_a_network_for_numbers_gives_values(nnspec: Command, prices: Path, tmp_path: Path) -> None:
    (tmp_path / "sizes.csv").write_text("size\n1\n-2\n")
    asked = nnspec("predict", prices, "sizes.csv", "--json").json
    assert asked["classes"] is None
    assert [answer["value"] for answer in asked["predictions"]] == pytest.approx([4, -5], abs=0.1)
    rows = [line.split() for line in nnspec("predict", prices, "sizes.csv").out.splitlines()]
    assert float(rows[0][1]) == pytest.approx(4, abs=0.1)


def test_several_numbers_for_a_sample_are_a_list(nnspec: Command, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    np.savez(tmp_path / "pairs.npz", x=x, y=x[:, :2])
    assert nnspec("train", "dense 2", "--data", 'npz "pairs.npz"', "--set", "train.epochs=1", "--out", "run").code == 0
    np.save(tmp_path / "one.npy", x[0])
    asked = nnspec("predict", "run", "one.npy", "--json").json["predictions"]
    assert len(asked) == 1 and len(asked[0]["value"]) == 2


def test_a_single_sigmoid_tells_two_classes_apart(nnspec: Command, tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 40)[:, None]
    np.savez(tmp_path / "signs.npz", x=x, y=(x[:, 0] > 0).astype(int))
    settings = ("--set", "train.epochs=30", "--set", "optimizer.lr=0.1")
    assert nnspec("train", "dense 1 sigmoid", "--data", 'npz "signs.npz"', *settings, "--out", "run").code == 0
    np.save(tmp_path / "both.npy", np.array([[-1.0], [1.0]]))
    asked = nnspec("predict", "run", "both.npy", "--json").json
    assert asked["classes"] == ["0", "1"]
    assert [answer["label"] for answer in asked["predictions"]] == ["0", "1"]
    assert all(sum(answer["probabilities"]) == pytest.approx(1) for answer in asked["predictions"])


def test_light_and_dark_can_be_swapped(nnspec: Command, digits: Path, picture: Path, tmp_path: Path) -> None:
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(tmp_path / "ink.png")
    plain = nnspec("predict", digits, "digit.png", "--json").json["predictions"][0]["probabilities"]
    swapped = nnspec("predict", digits, "ink.png", "--invert", "--json").json["predictions"][0]["probabilities"]
    assert swapped == plain


def test_an_input_that_cannot_be_read_hides_no_answer(
    nnspec: Command, digits: Path, picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.png").write_bytes(picture.read_bytes()[:40])
    np.save(tmp_path / "small.npy", np.zeros((2, 14, 14)))
    asked = nnspec("predict", digits, "none.png", "digit.png", "cut.png", "small.npy")
    assert asked.code == 2
    assert len(asked.out.splitlines()) == 1 and asked.out.startswith("digit.png")
    assert asked.err.count("error: ") == 3 and "28x28x1" in asked.err
    assert nnspec("predict", digits, "small.npy").code == 1


def test_a_network_with_an_output_at_every_step_predicts_a_number_for_each(nnspec: Command, tmp_path: Path) -> None:
    data = ("--data", "sine window=6 predict=every length=200", "--set", "train=1 epochs")
    assert nnspec("train", "rnn 3 return=sequence -> dense 1", *data, "--out", "run").code == 0
    np.save(tmp_path / "two.npy", np.sin(np.arange(12.0)).reshape(2, 6, 1))
    predictions = nnspec("predict", "run", "two.npy", "--json").json["predictions"]
    assert [np.shape(prediction["value"]) for prediction in predictions] == [(6,), (6,)]
    name, *numbers = nnspec("predict", "run", "two.npy").out.splitlines()[1].split()
    assert name == "two.npy[1]" and [float(n) for n in numbers] == pytest.approx(predictions[1]["value"], rel=1e-5)


def test_several_numbers_at_every_step_are_separated_by_commas(nnspec: Command, tmp_path: Path) -> None:
    api.train("rnn 3 return=sequence -> dense 2", tmp_path / "run", data=(SERIES, SERIES))
    np.save(tmp_path / "one.npy", SERIES[0])
    (answer,) = nnspec("predict", "run", "one.npy", "--json").json["predictions"]
    assert np.shape(answer["value"]) == (4, 2)
    assert nnspec("predict", "run", "one.npy").out.count(", ") == 3


def test_a_network_of_text_predicts_the_symbol_after_each_step(nnspec: Command, tmp_path: Path) -> None:
    short = ("--data", "dinos", "--set", "train=1 iterations", "--out", "run")
    assert nnspec("train", "onehot -> rnn 4 return=sequence -> dense 27 softmax", *short).code == 0
    np.save(tmp_path / "name.npy", np.arange(24))
    asked = nnspec("predict", "run", "name.npy", "--json").json
    (answer,) = asked["predictions"]
    assert len(answer["label"]) == 24 and np.shape(answer["probabilities"]) == (24, 27)
    assert {*answer["label"]} <= {*asked["classes"]} and len(asked["classes"]) == 27
    assert nnspec("predict", "run", "name.npy").code == 0


def test_samples_unlike_those_of_training_are_told(nnspec: Command, tmp_path: Path) -> None:
    assert nnspec("train", DIGITS, "--data", "mnist_sample", "--set", "train.epochs=1", "--out", "run").code == 0
    sample = tmp_path / "run" / "pictures" / "sample.png"
    assert "warning" not in nnspec("predict", "run", sample).err
    pixels = np.asarray(Image.open(sample))
    Image.fromarray(255 - pixels).save(tmp_path / "paper.png")
    np.save(tmp_path / "small.npy", pixels[..., None] / 255)
    assert "--invert" in nnspec("predict", "run", "paper.png").err
    assert "warning" not in nnspec("predict", "run", "paper.png", "--invert").err
    assert "is it scaled to 0 to 1?" in nnspec("predict", "run", "small.npy").err
