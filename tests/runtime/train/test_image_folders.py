"""Training on folders of pictures, and what a checkpoint knows of them: pictures to predict are read alike."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec import api
from nnspec.runtime.data.pictures import decode
from tests.support.commands import at_step, differing, lasting, nnspec

NETWORK = "conv 3x3 x4 relu -> globalavgpool -> dense 2 softmax"
LENGTH = "optimizer adam lr=0.05\ntrain 30 iterations batch=8 evaluate_every=10 checkpoint_every=7\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder shapes/ with two classes of pictures of many sizes, which differ in colour alone."""
    random = np.random.default_rng(0)
    for kind, colour in (("red", (200, 30, 30)), ("green", (30, 90, 40))):
        (tmp_path / "shapes" / kind).mkdir(parents=True)
        for number in range(16):
            pixels = random.integers(0, 50, (random.integers(6, 30), random.integers(6, 30), 3)) + np.array(colour)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "shapes" / kind / f"{number}.png")
    return tmp_path


def write(folder: Path, data: str, before: str = "") -> None:
    (folder / "net.nnspec").write_text(f"{before}{NETWORK}\ndata images {data}\n{LENGTH}")


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("mode", ["rgb", "grey"])
def test_a_trained_network_is_asked_with_what_it_was_trained_on(folder: Path, fit: str, mode: str) -> None:
    write(folder, f'"shapes" size=10x8 fit={fit} mode={mode}')
    assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    network = api.load(folder / "run")
    assert network.preprocessing.picture_fit == fit and network.preprocessing.classes == ("green", "red")
    asked = nnspec(folder, "predict", "run", "shapes", "--json")
    assert asked.exit_code == 0
    paths = sorted((folder / "shapes").rglob("*.png"), key=lambda path: path.relative_to(folder).parts)
    pictures = np.stack([decode(path, (10, 8, 3 if mode == "rgb" else 1), fit) for path in paths])
    import json

    predictions = json.loads(asked.stdout)["predictions"]
    assert [found["input"] for found in predictions] == [str(path.relative_to(folder)) for path in paths]
    np.testing.assert_array_equal([found["probabilities"] for found in predictions], network.predict(pictures))
    assert nnspec(folder, "eval", "run", "--data", 'images "shapes"', "--json").stdout == (
        nnspec(folder, "eval", "run", "--json").stdout
    )


def test_size_and_mode_follow_from_the_input_line_and_are_written_down(folder: Path) -> None:
    write(folder, '"shapes" fit=pad', "input 12x9x1\n")
    assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    assert 'data images "../shapes" size=12x9 fit=pad mode=grey' in " ".join(
        (folder / "run" / "resolved.nnspec").read_text().split()
    )
    write(folder, '"shapes" size=12x9', "input 12x9x1\n")
    assert nnspec(folder, "check", "net.nnspec").exit_code == 0
    write(folder, '"shapes" size=12x9 mode=rgb', "input 12x9x1\n")
    refused = nnspec(folder, "check", "net.nnspec")
    assert refused.exit_code == 1 and "input is 12x9x1, and a sample of the data is 12x9x3" in refused.stderr


def test_a_size_is_enough_to_check_without_any_picture(folder: Path) -> None:
    write(folder, '"not here" size=16x16')
    assert "16x16x3 → 2" in nnspec(folder, "check", "net.nnspec").stdout
    planned = nnspec(folder, "plan", "net.nnspec")
    assert planned.exit_code == 0 and "data not at hand: there is no file" in planned.stdout


def test_stopped_and_decoded_as_needed_it_is_the_run_in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, '"shapes" size=8x8 split=60/20/20')
    assert nnspec(folder, "train", "net.nnspec", "--out", "whole").exit_code == 0
    monkeypatch.setenv("NNSPEC_DATA_MEMORY", "0")
    with at_step(11):
        assert nnspec(folder, "train", "net.nnspec", "--out", "parts").exit_code == 130
    assert nnspec(folder, "resume", "parts").exit_code == 0
    assert differing(lasting(folder / "whole"), lasting(folder / "parts")) == []


def test_what_was_left_out_is_said_by_plan_and_train(folder: Path) -> None:
    (folder / "shapes" / "red" / "list.txt").write_text("0.png\n")
    (folder / "shapes" / "red" / "3.png").write_bytes(b"")
    write(folder, '"shapes" size=8x8')
    for verb in ("plan", "train"):
        refused = nnspec(folder, verb, "net.nnspec")
        assert refused.exit_code == 1 and "1 of 32 pictures in" in refused.stderr and "red/3.png" in refused.stderr
    write(folder, '"shapes" size=8x8 broken=skip')
    planned, trained = nnspec(folder, "plan", "net.nnspec"), nnspec(folder, "train", "net.nnspec", "--out", "run")
    for text in (planned.stdout, trained.stderr):
        assert "left out 1 broken picture (" in text and "list.txt" in text


def test_broken_pictures_of_a_folder_to_predict_are_reported_and_the_others_predicted(folder: Path) -> None:
    write(folder, '"shapes" size=8x8')
    assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    (folder / "shapes" / "red" / "3.png").write_bytes(b"x")
    asked = nnspec(folder, "predict", "run", "shapes/red")
    assert asked.exit_code == 1 and len(asked.stdout.splitlines()) == 15 and "red/3.png cannot be read" in asked.stderr
    (folder / "empty").mkdir()
    asked = nnspec(folder, "predict", "run", "empty")
    assert asked.exit_code == 2 and "is a folder without pictures" in asked.stderr


def test_a_checkpoint_of_someone_else_reads_no_pictures_outside_its_folder(folder: Path, tmp_path: Path) -> None:
    write(folder, '"shapes" size=8x8')
    assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    (folder / "theirs").mkdir()
    (folder / "shapes").rename(folder / "theirs" / "shapes")
    api.load(folder / "run").save(folder / "theirs" / "net.h5")
    assert nnspec(folder, "eval", "theirs/net.h5").exit_code == 0
    inside, link = folder / "theirs" / "shapes" / "red" / "1.png", folder / "theirs" / "shapes" / "red" / "link"
    link.symlink_to(inside)
    assert nnspec(folder, "eval", "theirs/net.h5").exit_code == 0
    link.unlink()
    for target in (folder / "run" / "best.h5", folder / "run", folder / "nothing"):
        link.symlink_to(target)
        refused = nnspec(folder, "eval", "theirs/net.h5")
        assert refused.exit_code == 2 and "data outside its folder" in refused.stderr
        assert nnspec(folder, "eval", "theirs/net.h5", "--data", 'images "theirs/shapes"').exit_code == 0
        link.unlink()
    (folder / "theirs" / "shapes" / "red").rename(folder / "red")
    link.parent.symlink_to(folder / "red")
    assert nnspec(folder, "eval", "theirs/net.h5").exit_code == 2
