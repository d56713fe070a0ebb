"""Event files for TensorBoard, read by TensorBoard's own reader, and metrics.csv."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import api
from nnspec.runtime.errors import Interrupted
from tests.nnspec.conftest import Command

pytest.importorskip("tensorboard")

from nnspec.tensorboard import TensorBoard

SPEC = "dense 2 softmax\nmetrics accuracy training=yes\ntrain 6 epochs batch=8 seed=1"
SETTINGS = {"data.split": "50/50"}


@pytest.fixture
def data() -> tuple[Any, Any]:
    x = np.random.default_rng(0).normal(size=(60, 3))
    return x, (x[:, 0] > 0).astype(int)


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a folder: tag → (step, value)."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(each.step, each.value) for each in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_tensorboard_shows_the_history(tmp_path: Path, data: tuple[Any, Any]) -> None:
    run = api.train(SPEC, tmp_path / "run", SETTINGS, data=data, listen=TensorBoard())
    shown = scalars(tmp_path / "run" / "tensorboard")
    assert set(shown) == {
        "loss/steps",
        "loss/training",
        "loss/validation",
        "accuracy/training",
        "accuracy/validation",
        "lr",
    }
    for tag, metric in (("loss/validation", "validation_loss"), ("loss/steps", "loss"), ("lr", "lr")):
        assert [step for step, _ in shown[tag]] == run.history[metric].steps
        np.testing.assert_allclose([value for _, value in shown[tag]], run.history[metric].values, rtol=1e-6)


def stopped(tmp_path: Path, data: tuple[Any, Any], listen: Any, after: int = 3) -> None:
    """Train until an evaluation, and be stopped by a signal there."""
    import os
    import signal

    seen = 0

    def listener(event: dict[str, Any]) -> None:
        nonlocal seen
        listen(event)
        seen += event["event"] == "evaluation"
        if seen == after and event["event"] == "evaluation":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        api.train(SPEC, tmp_path / "run", SETTINGS, data=data, listen=listener)


def test_a_resumed_run_repeats_no_step(tmp_path: Path, data: tuple[Any, Any]) -> None:
    stopped(tmp_path, data, TensorBoard())
    run = api.resume(tmp_path / "run", data=data, listen=TensorBoard())
    steps = [step for step, _ in scalars(tmp_path / "run" / "tensorboard")["loss/validation"]]
    assert steps == run.history["validation_loss"].steps


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_for_each_evaluation_also_after_a_stop(tmp_path: Path, data: tuple[Any, Any]) -> None:
    stopped(tmp_path, data, lambda event: None)
    with (tmp_path / "run" / "metrics.csv").open("a") as file:
        file.write("99,torn")  # a row that a killed run had not finished
    run = api.resume(tmp_path / "run", data=data)
    table = rows(tmp_path / "run")
    assert [int(row["step"]) for row in table] == run.history["loss"].steps
    assert set(table[0]) == {"step", "epoch", *run.history}
    for name, series in run.history.items():
        assert [float(row[name]) for row in table] == series.values
    whole = api.train(SPEC, tmp_path / "whole", SETTINGS, data=data)
    assert whole.path is not None
    assert (whole.path / "metrics.csv").read_bytes() == (tmp_path / "run" / "metrics.csv").read_bytes()


def test_a_run_of_an_earlier_version_gets_its_table_on_resume(tmp_path: Path, data: tuple[Any, Any]) -> None:
    stopped(tmp_path, data, lambda event: None)
    (tmp_path / "run" / "metrics.csv").unlink()
    run = api.resume(tmp_path / "run", data=data)
    assert [int(row["step"]) for row in rows(tmp_path / "run")] == run.history["loss"].steps


def test_the_command_writes_event_files_into_the_run(nnspec: Command, tmp_path: Path) -> None:
    table = "a,y\n" + "".join(f"{i % 7},{i % 2}\n" for i in range(60))
    (tmp_path / "t.csv").write_text(table)
    done = nnspec("train", "dense 2 softmax", "--data", "t.csv target=y", "--tensorboard", "--out", "run", "--quiet")
    assert done.code == 0
    assert "loss/validation" in scalars(tmp_path / "run" / "tensorboard")


def test_a_run_without_files_needs_a_folder_for_them(tmp_path: Path, data: tuple[Any, Any]) -> None:
    from nnspec.runtime.errors import TrainingError

    with pytest.raises(TrainingError, match="has no folder for event files: name one"):
        api.train(SPEC, None, SETTINGS, data=data, listen=TensorBoard())
    api.train(SPEC, None, SETTINGS, data=data, listen=TensorBoard(tmp_path / "logs"))
    assert "lr" in scalars(tmp_path / "logs" / "network")
