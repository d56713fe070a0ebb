"""nnspec plot augment."""

from pathlib import Path

from tests.nnspec.conftest import Command

SPEC = "network small\nconv 5x5 x2 -> maxpool 4 -> dense 10 softmax\ndata mnist_sample\ntrain 3 iterations batch=8\n"


def test_the_images_of_a_spec_are_drawn_with_what_augmentation_makes_of_them(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text(SPEC + "augment shift=2 rotate noise\n")
    drawn = nnspec("plot", "augment", "a.nnspec")
    assert (drawn.code, drawn.out) == (0, "small-augment.png\n")
    assert (tmp_path / "small-augment.png").read_bytes().startswith(b"\x89PNG")
    before = (tmp_path / "small-augment.png").read_bytes()
    assert nnspec("plot", "augment", "a.nnspec").code == 0
    assert (tmp_path / "small-augment.png").read_bytes() == before
    assert nnspec("plot", "augment", "a.nnspec", "--set", "train.seed=2").code == 0
    assert (tmp_path / "small-augment.png").read_bytes() != before


def test_options_are_tried_without_a_line_in_the_spec(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text(SPEC)
    refused = nnspec("plot", "augment", "a.nnspec")
    assert refused.code == 2 and "small has no augment statement" in refused.err
    few = "--images", "2", "--count", "3", "--out", "b.svg"
    assert nnspec("plot", "augment", "a.nnspec", "--set", "augment.flip=both", *few).out == "b.svg\n"


def test_the_picture_of_a_run_lies_with_its_pictures(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text(SPEC + "augment cutout=6\n")
    assert nnspec("train", "a.nnspec", "--out", "run").code == 0
    drawn = nnspec("plot", "augment", "run", "--images", "1")
    assert (drawn.code, drawn.out) == (0, "run/pictures/augment.png\n")
    assert nnspec("plot", "augment", "run", "--set", "augment.shift=3").code == 2


def test_targets_that_are_images_move_with_their_samples(nnspec: Command, tmp_path: Path) -> None:
    spec = "conv 3x3 x1 pad=same sigmoid\ndata noisy_digits\naugment rotate\n"
    (tmp_path / "a.nnspec").write_text(spec)
    assert nnspec("plot", "augment", "a.nnspec", "--images", "2", "--count", "3").code == 0


def test_data_that_are_no_images_are_refused(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n" + "1,2,0\n3,4,1\n" * 20)
    refused = nnspec("plot", "augment", "dense 2 softmax", "--data", 'csv "t.csv" target=y', "--set", "augment.shift=1")
    assert refused.code == 1 and "E305" in refused.err


def test_the_plan_says_what_augmentation_takes(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "a.nnspec").write_text(SPEC)
    given = (), ("--set", "augment.shift=2")
    plain, planned = (nnspec("plan", "a.nnspec", *more) for more in given)
    assert "for augmentation before each step" in planned.out and "shift=2" in planned.out
    assert "augmentation" not in plain.out
    memory = [nnspec("plan", "a.nnspec", "--json", *more).json["memory_bytes"] for more in given]
    assert memory[1] > memory[0] + 100_000
