"""nnspec eval."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnspec import api
from tests.nnspec.conftest import Command, write_flowers


def test_it_measures_what_the_training_told_at_its_end(nnspec: Command, digits: Path) -> None:
    end = json.loads((digits / "metrics.jsonl").read_text().splitlines()[-1])
    measured = nnspec("eval", digits, "--json")
    assert measured.code == 0 and measured.err == f"reading {digits / 'last.h5'}\n"
    own = {name: value for name, value in end["baseline"].items() if name not in ("split", "beaten")}
    assert measured.json == {
        "format_version": 1, "checkpoint": str(digits / "last.h5"), "data": "mnist_sample", "split": "test",
        "samples": 1000, "loss": end["test_loss"], "accuracy": end["test_accuracy"], "baseline": own,
    }  # fmt: skip


def test_a_split_is_chosen_by_name(nnspec: Command, digits: Path) -> None:
    counts = {
        name: nnspec("eval", digits / "best.h5", "--split", name, "--json").json["samples"]
        for name in ("train", "validation", "test", "all")
    }
    assert counts == {"train": 4500, "validation": 500, "test": 1000, "all": 6000}
    assert nnspec("eval", digits, "--split", "tset").code == 2


def test_without_a_test_split_it_is_the_validation_split(nnspec: Command, flowers: Path) -> None:
    assert nnspec("eval", flowers, "--json").json["split"] == "validation"
    failed = nnspec("eval", flowers, "--split", "test")
    assert failed.code == 2 and "has no test split; it has train or validation" in failed.err


def test_the_result_is_readable(nnspec: Command, flowers: Path) -> None:
    out = nnspec("eval", flowers, "--split", "all").out
    assert "last.h5 on flowers.csv, all, 60 samples\n" in out
    assert "  accuracy  100.00 %" in out


def test_columns_and_classes_of_other_data_are_found_by_name(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    write_flowers(tmp_path / "new.csv", seed=5, columns=("kind", "b", "a"), classes="wv")
    measured = nnspec("eval", flowers, "--data", 'csv "new.csv" target=kind', "--split", "all", "--json")
    assert (measured.json["samples"], measured.json["accuracy"]) == (60, 1.0)
    partly = nnspec("eval", flowers, "--data", 'csv "new.csv" target=kind')
    assert "--split all takes every sample" in partly.err and "validation, 6 samples" in partly.out


@pytest.mark.parametrize(
    ("columns", "classes", "told"),
    [(("a", "b", "kind"), "uvx", '"x"'), (("a", "kind"), "uvw", '"b"')],
)
def test_other_data_must_have_what_the_network_knows(
    columns: tuple[str, ...], classes: str, told: str, nnspec: Command, flowers: Path, tmp_path: Path
) -> None:
    write_flowers(tmp_path / "new.csv", seed=5, columns=columns, classes=classes)
    failed = nnspec("eval", flowers, "--data", 'csv "new.csv" target=kind')
    assert failed.code == 1 and told in failed.err and failed.out == ""


def test_data_that_cannot_be_read_end_it(nnspec: Command, flowers: Path) -> None:
    assert nnspec("eval", flowers, "--data", 'csv "none.csv" target=kind').code == 2
    assert nnspec("eval", flowers, "--data", "mnst").code == 1


def test_a_run_may_be_moved_with_its_data(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    shutil.copytree(flowers.parent, tmp_path / "elsewhere")
    assert nnspec("eval", "elsewhere/run", "--json").json["samples"] == 6


def test_a_run_on_arrays_needs_data_to_be_named(nnspec: Command, flowers: Path) -> None:
    x = np.random.default_rng(0).normal(size=(30, 2))
    api.train("dense 2 softmax", "run", {"train.epochs": 1}, data=(x, (x[:, 0] > 0).astype(int)))
    np.savez("same.npz", x=x, y=(x[:, 0] > 0).astype(int))
    failed = nnspec("eval", "run")
    assert failed.code == 2 and "--data" in failed.err
    assert nnspec("eval", "run", "--data", 'npz "same.npz"', "--split", "all", "--json").json["samples"] == 30


def test_a_foreign_file_is_no_checkpoint(nnspec: Command, tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"not a checkpoint at all" * 100)
    failed = nnspec("eval", "x.h5")
    assert failed.code == 1 and "not an nnspec checkpoint" in failed.err
    assert nnspec("eval", "none.h5").code == 2
    assert nnspec("eval", tmp_path).code == 2


def test_the_baseline_is_the_one_that_training_learnt_also_on_other_data(nnspec: Command, flowers: Path) -> None:
    write_flowers(Path("new.csv"), seed=3, classes="vw")
    own = nnspec("eval", flowers, "--json").json["baseline"]
    other = nnspec("eval", flowers, "--data", 'csv "new.csv" target=kind', "--split", "all", "--json").json["baseline"]
    assert own["name"] == other["name"] == "majority class" and {"loss", "accuracy"} < set(own)
    assert other["accuracy"] in (0, 0.5)  # half of them are v, half w, and none u
    assert nnspec("eval", flowers).out.splitlines()[1].split() == ["network", "majority", "class"]


def test_an_old_run_without_a_baseline_gets_it_from_its_own_data(
    nnspec: Command, flowers: Path, tmp_path: Path
) -> None:
    from nnspec import checkpoints

    shutil.copytree(flowers.parent, tmp_path / "old")
    made = checkpoints.read(flowers / "last.h5")
    entries = {name: value for name, value in made.entries.items() if name != "data/baseline"}
    checkpoints.write(tmp_path / "old" / "run" / "last.h5", checkpoints.Checkpoint(made.meta, entries))
    new, old = (nnspec("eval", run, "--json").json["baseline"] for run in (flowers, "old/run"))
    assert new == old
    assert nnspec("eval", "old/run", "--data", 'csv "old/flowers.csv" target=kind', "--json").json["baseline"] is None


EXPECTING = """\
data csv "flowers.csv" target=kind
dense 3 softmax
train 2 epochs
expect accuracy >= 99.9 %, loss < 0.0001
expect training_loss < 100
metrics accuracy training=yes
"""


def test_a_missed_expectation_is_exit_code_one_with_every_verb(nnspec: Command, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv", seed=1)
    (tmp_path / "a.nnspec").write_text(EXPECTING)
    run = tmp_path / "run"
    trained = nnspec("train", "a.nnspec", "--out", run, "--quiet")
    assert trained.code == 1 and (run / "last.h5").is_file()
    assert "error: expected loss < 0.0001: validation loss is " in trained.err and " too high" in trained.err
    assert "training_loss < 100, as expected: training loss is " in trained.out
    resumed = nnspec("resume", run, "--json")
    assert resumed.code == 1 and json.loads(resumed.out.splitlines()[-1])["expectations"][1]["met"] is False
    measured = nnspec("eval", run, "--json")
    assert measured.code == 1
    assert [entry["metric"] for entry in measured.json["expectations"]] == ["validation_accuracy", "validation_loss"]
    on_training = nnspec("eval", run, "--split", "train", "--json")
    assert on_training.code == 0 and on_training.json["expectations"][0]["metric"] == "training_loss"
    others = nnspec("eval", run, "--data", 'csv "flowers.csv" target=kind', "--split", "all", "--json")
    assert others.code == 1 and others.json["expectations"][1]["metric"] == "test_loss"


def test_an_expectation_of_folds_is_of_their_mean(nnspec: Command, tmp_path: Path) -> None:
    write_flowers(tmp_path / "flowers.csv", seed=1)
    (tmp_path / "a.nnspec").write_text(EXPECTING)
    trained = nnspec("train", "a.nnspec", "--folds", 2, "--json")
    assert trained.code == 1 and json.loads(trained.out.splitlines()[-1])["expectations"][1]["met"] is False
