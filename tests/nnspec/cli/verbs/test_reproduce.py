"""nnspec reproduce."""

import json
import shutil
from pathlib import Path

import pytest

from nnspec.runtime.train import reproducing
from nnspec.runtime.train.checkpointing import load_run
from tests.nnspec.conftest import Command
from tests.support.commands import at_step


def test_the_same_bits_end_with_0(nnspec: Command, flowers: Path) -> None:
    done = nnspec("reproduce", flowers)
    assert done.code == 0
    assert done.out.startswith("the same bits: all weights, metrics and random states of ")
    assert "trained with nnspec" in done.err and "SHA-256" not in done.err


def test_json_has_equal_and_the_differences(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    found = nnspec("reproduce", flowers, "--json", "--quiet", "--out", "again")
    assert (found.code, found.err) == (0, "")
    assert found.json["equal"] is True and found.json["differences"] == [] and found.json["out"] == "again"
    assert (tmp_path / "again" / "last.h5").exists()


def test_other_bits_end_with_1_and_say_what_differs_and_how_far_it_moved(
    nnspec: Command, flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = reproducing.environment()
    monkeypatch.setattr(reproducing, "environment", lambda: here | {"blas_kernel": "Z80"})

    def moved(path: Path) -> object:
        saved = load_run(path)
        saved.network.parameter_arena["dense1/bias"][0] += 1
        saved.state.history["validation_loss"].values[-1] += 1
        return saved

    monkeypatch.setattr(reproducing, "load_run", moved)
    told = nnspec("reproduce", flowers)
    assert told.code == 1
    for text in (
        "not the same bits", "blas_kernel", "Z80", "the bits of a result depend on blas_kernel", "dense1",
        "validation loss",
    ):  # fmt: skip
        assert text in told.out
    found = nnspec("reproduce", flowers, "--json")
    assert found.code == 1 and found.json["equal"] is False
    assert [d["what"] for d in found.json["differences"]] == ["environment", "weights", "metric"]


def test_a_run_that_was_stopped_and_resumed_says_so(nnspec: Command, tmp_path: Path) -> None:
    with at_step(20):
        nnspec("train", "maxpool 7 -> dense 10 softmax", "--data", "mnist_sample", "--out", "run")
    stopped = nnspec("reproduce", "run")
    assert stopped.code == 0 and "at step 20 of 1,410" in stopped.out and "had not reached its end" in stopped.out
    with at_step(20):
        nnspec("resume", "run")
    again = nnspec("reproduce", "run")
    assert again.code == 0 and "resumed at step 20; the repetition was trained in one go" in again.out


def test_what_is_not_there_is_wrong_use(nnspec: Command, tmp_path: Path) -> None:
    assert nnspec("reproduce", "none").code == 2
    assert nnspec("reproduce", tmp_path).code == 2


def test_every_fold_is_repeated_and_compared(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    spec = flowers.parent / "net.nnspec"
    assert nnspec("train", spec, "--folds", "3", "--out", "folds", "--set", "train.epochs=2").code == 0
    found = nnspec("reproduce", "folds", "--json", "--out", "again")
    assert found.code == 0 and found.json["equal"] is True and found.json["differences"] == []
    assert [(fold["fold"], fold["equal"]) for fold in found.json["folds"]] == [(1, True), (2, True), (3, True)]
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == ["fold-1", "fold-2", "fold-3", "folds.json"]
    assert nnspec("reproduce", "folds", "--out", "again").code == 2

    shutil.rmtree(tmp_path / "folds" / "fold-2")
    log = tmp_path / "folds" / "fold-3" / "metrics.jsonl"
    *lines, last = log.read_text().splitlines(keepends=True)
    log.write_text("".join((*lines, json.dumps(json.loads(last) | {"baseline_loss": 7.0}))))
    told = nnspec("reproduce", "folds")
    assert told.code == 1
    assert "fold 1: the same bits" in told.out and "fold 3: not the same" in told.out
    assert "without a checkpoint, so not compared: fold 2" in told.out
    assert told.out.endswith("the same bits in 1 of 2 folds compared\n")


def test_folds_that_cannot_be_compared_say_so(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "folds.json").write_text('{"folds": 3}')
    assert "no fold has a last.h5" in nnspec("reproduce", ".").err
    for text in ("", "[]", '{"folds": true}', '{"folds": 1e9}'):
        (tmp_path / "folds.json").write_text(text)
        failed = nnspec("reproduce", ".")
        assert failed.code == 1 and "does not say how many folds" in failed.err
