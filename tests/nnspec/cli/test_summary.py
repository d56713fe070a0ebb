"""nnspec/cli/summary.py: the sample that a run is left with. What is printed is tested with train."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from nnspec.cli import summary
from tests.nnspec.conftest import Command


@pytest.mark.parametrize("scale", [255, 1])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3)])
def test_the_picture_of_a_sample_is_that_sample(
    shape: tuple[int, ...], scale: int, nnspec: Command, tmp_path: Path
) -> None:
    from nnspec.runtime.data import read_inputs
    from nnspec.runtime.train.checkpointing import load_checkpoint

    x = np.random.default_rng(0).integers(0, 256, (20, *shape)).astype("f4") / (255 / scale)
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(20) % 2, x_test=x[5:7], y_test=np.zeros(2, int))
    short = ("--data", 'npz "x.npz"', "--set", "train=1 iterations", "--out", "run")
    assert "nnspec predict run run/pictures/sample.png" in nnspec("train", "dense 2 softmax", *short).out
    preprocessing = load_checkpoint("run/last.h5").network.preprocessing
    ((_, sample),) = read_inputs(Path("run/pictures/sample.png"), preprocessing)
    np.testing.assert_allclose(sample, x[5], atol=1e-6 * scale)


def test_samples_that_no_picture_shows_are_asked_from_their_own_file(nnspec: Command, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 4, 5))
    np.savez(tmp_path / "x.npz", x=x, y=np.arange(20) % 2)
    np.savez(tmp_path / "named.npz", a=x, b=np.arange(20) % 2)
    short = ("--set", "train=1 iterations", "--out")
    assert "nnspec predict run x.npz" in nnspec("train", "dense 2 softmax", "--data", 'npz "x.npz"', *short, "run").out
    named = nnspec("train", "dense 2 softmax", "--data", 'npz "named.npz" x=a y=b', *short, "other").out
    assert "nnspec predict" not in named and "nnspec plot curves other" in named


def test_a_training_without_other_parts_tells_the_training_loss(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(9)))
    short = ("--data", 'csv "t.csv" target=y split=100/0', "--set", "train.epochs=1", "--out", "run")
    assert nnspec("train", "dense 1", *short).out.startswith("training loss ")


def test_the_next_commands_name_the_command_as_this_shell_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = tmp_path / "nnspec"
    called.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(called), "train"])
    monkeypatch.setenv("PATH", "")
    assert summary._called() == str(called)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert summary._called() == "nnspec"


def test_a_result_has_its_baseline_beside_it(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i % 7},{i % 5 + 90}\n" for i in range(60)))
    data = ("--data", 'csv "t.csv" target=y', "--set", "train=2 epochs", "--out", "run")
    _, beside, *_ = nnspec("train", "dense 1\nmetrics mae, r2", *data).out.splitlines()
    assert beside.startswith("baseline (mean): mae ") and beside.endswith("; the network is no better than that")
    logged = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])["baseline"]
    assert (logged["name"], logged["split"], logged["beaten"]) == ("mean", "validation", False)
    assert f"mae {logged['mae']:.4g}" in beside


def test_a_result_on_the_training_split_follows_the_baseline(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(60)))
    short = ("--set", "train=2 epochs", "--set", "metrics.training=yes", "--out")
    printed = nnspec("train", "dense 2 softmax", "--data", "t.csv target=y", *short, "run").out
    first, second, third, *_ = printed.splitlines()
    assert first.startswith("validation accuracy ") and second.startswith("baseline (majority class): accuracy ")
    end = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    accuracy, loss = end["training_accuracy"], end["training_loss"]
    assert third == f"training accuracy {100 * accuracy:.2f} %, training loss {loss:.4g}"
    whole = nnspec("train", "dense 2 softmax", "--data", 'csv "t.csv" target=y split=100/0', *short, "whole").out
    assert whole.startswith("training accuracy ") and whole.count("training accuracy") == 1


def test_a_run_that_was_too_short_says_so(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(40)))
    data = ("--data", 'csv "t.csv" target=y', "--set", "optimizer=sgd lr=0.05", "--out")
    short = nnspec("train", "dense 1", *data, "run", "--set", "train=3 epochs").out
    assert "loss was still falling, by " in short and "write train 6 epochs, or --set train.epochs=6\n" in short
    assert "still falling" not in nnspec("train", "dense 1", *data, "long", "--set", "train=300 epochs").out
