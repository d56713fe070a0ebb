"""`metrics … training=yes`: evaluations measure the training split too, and change nothing else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.data import Data, Split
from nnspec.runtime.train.monitor import Monitor
from nnspec.runtime.train.outcome import MOST_MEASURED, measured_training_split
from tests.support import commands
from tests.support.commands import at_step, differing, lasting, write_data, write_spec

RANDOM = np.random.default_rng(3)
Y = np.arange(60) % 3
X = (RANDOM.normal(size=(60, 4)) + Y[:, None]).astype(np.float32)
NETWORK = "dense 8 relu -> batchnorm -> dropout 0.4 -> dense 3 softmax"
SPEC = f"{NETWORK}\ntrain 7 epochs batch=16 evaluate_every=3\nmetrics accuracy, f1"
DATA: dict[str, Any] = {"data": (X, Y), "settings": {"data.split": "75/25", "data.normalize": "zscore"}}
IMAGES = RANDOM.integers(0, 256, (60, 6, 6, 1)).astype(np.uint8)
ASKED = {"metrics.training": "yes"}


def train(spec: str = SPEC, **more: Any) -> nnspec.Run:
    settings = {**DATA["settings"], **more.pop("settings", {})}
    return nnspec.train(spec, **{**DATA, "settings": settings, **more})


def test_they_equal_an_evaluation_of_the_training_split() -> None:
    events: list[dict[str, Any]] = []
    run = train(settings=ASKED, listen=events.append)
    split = run.data.train
    measured = nnspec.evaluate(run.network, split.inputs, split.targets)
    assert set(measured) == {"loss", "accuracy", "f1"}
    for name, value in measured.items():
        assert run.end[f"training_{name}"] == value
        series = run.history[f"training_{name}"]
        assert series.values[-1] == value and series.steps == run.history["validation_loss"].steps
    evaluations = [event for event in events if event["event"] == "evaluation"]
    assert [event["training_f1"] for event in evaluations] == run.history["training_f1"].values
    assert run.history["loss"].values != run.history["training_loss"].values


@pytest.mark.parametrize("spec", [SPEC, f"{SPEC}\nschedule plateau patience=0\nearly_stop patience=1"])
def test_a_run_with_them_has_the_same_weights_and_the_same_history(spec: str) -> None:
    without, with_them = train(spec), train(spec, settings=ASKED)
    for arena in ("parameter_arena", "buffer_arena"):
        assert getattr(without.network, arena).flat.tobytes() == getattr(with_them.network, arena).flat.tobytes()
    assert not any(name.startswith("training_") for name in without.history)
    assert without.history == {n: s for n, s in with_them.history.items() if not n.startswith("training_")}


def test_images_are_measured_as_they_are_without_augmentation() -> None:
    spec = f"conv 3x3 x2 relu -> dense 3 softmax\naugment shift=2 noise=0.3\n{SPEC.split(chr(10), 1)[1]} training=yes"
    run = train(spec, data=(IMAGES, Y), settings={"data.normalize": "none"})
    without = train(spec.replace(" training=yes", ""), data=(IMAGES, Y), settings={"data.normalize": "none"})
    split = run.data.train
    assert run.end["training_loss"] == nnspec.evaluate(run.network, split.inputs, split.targets)["loss"]
    assert run.network.parameter_arena.flat.tobytes() == without.network.parameter_arena.flat.tobytes()


def test_numbers_are_measured_in_the_units_of_the_data() -> None:
    y = X @ np.array([40.0, 0, -300, 7]) + 2000
    run = train("dense 1\nmetrics rmse training=yes\ntrain 3 epochs batch=8", data=(X, y))
    split = run.data.train
    rmse = np.sqrt(np.mean((run.network.predict(split.inputs)[:, 0] - split.targets.reshape(-1)) ** 2))
    assert run.end["training_rmse"] == pytest.approx(rmse, rel=1e-6)


def test_a_resumed_run_has_the_same_history_and_json_has_them(tmp_path: Path) -> None:
    write_data(tmp_path)
    write_spec(tmp_path, NETWORK, "metrics accuracy training=yes", "schedule constant", commands.LENGTH)
    done = commands.nnspec(tmp_path, "train", "net.nnspec", "--out", "whole", "--quiet", "--json")
    with at_step(5):
        assert commands.nnspec(tmp_path, "train", "net.nnspec", "--out", "parts", "--quiet").exit_code == 130
    assert commands.nnspec(tmp_path, "resume", "parts", "--quiet").exit_code == 0
    assert differing(lasting(tmp_path / "whole"), lasting(tmp_path / "parts")) == []
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in said] == ["evaluation"] * 5 + ["end"]
    assert all({"training_loss", "training_accuracy"} <= event.keys() for event in said)
    logged = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
    assert logged[-1]["training_accuracy"] == said[-1]["training_accuracy"]


def test_folds_have_them_too() -> None:
    result = nnspec.cross_validate(SPEC, 2, data=(X, Y), settings=ASKED)
    values = tuple(run.end["training_accuracy"] for run in result.runs)
    assert result.metrics["training_accuracy"].values == values


@pytest.mark.parametrize(
    ("samples", "stateful", "measured"),
    [
        (MOST_MEASURED, "no", range(MOST_MEASURED)),
        (MOST_MEASURED + 1, "no", range(0, MOST_MEASURED + 1, 2)),
        (5 * MOST_MEASURED // 2, "no", range(0, 5 * MOST_MEASURED // 2, 3)),
        (3 * MOST_MEASURED, "no", range(0, 3 * MOST_MEASURED, 3)),
        (3 * MOST_MEASURED, "yes", range(MOST_MEASURED)),
    ],
)
def test_of_many_samples_at_most_ten_thousand_are_measured(samples: int, stateful: str, measured: range) -> None:
    text = f"input {samples}x1\nlstm 2 return=last -> dense 1\ntrain 1 epochs batch=1 stateful={stateful}"
    numbers = np.arange(samples)
    given = nnspec.data_from_arrays(numbers[:, None], numbers.astype(float), classification=False)
    assert isinstance(given, Data)
    found = measured_training_split(nnspec.check(text), given)
    assert isinstance(found, Split) and len(found) <= MOST_MEASURED
    assert found.inputs[:, 0].tolist() == found.targets.reshape(-1).tolist() == list(measured)


def test_samples_that_are_read_from_a_file_are_measured_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    data = f'npy "{tmp_path}/x.npy" y="{tmp_path}/y.npy" split=75/25'
    histories = []
    for memory in ("100", "0"):
        monkeypatch.setenv("NNSPEC_DATA_MEMORY", memory)
        histories.append(nnspec.train(SPEC, tmp_path / memory, ASKED, data=data).history)
    assert histories[0] == histories[1] and "training_f1" in histories[0]


def test_they_can_be_watched() -> None:
    spec = f"{SPEC} training=yes\nearly_stop monitor=training_f1 patience=1 min_delta=10"
    run = train(spec, settings={"data.split": "100/0"})
    assert run.data.validation is None and run.end["early_stopped"]
    monitor = Monitor.of(run.network.spec, run.data)
    assert monitor == Monitor("training_f1", larger_is_better=True)
