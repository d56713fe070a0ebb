import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.schedules import PlateauState
from nnspec.runtime.train import checkpoint_validation as validated
from nnspec.runtime.train.checkpointing import load_checkpoint
from tests.support.commands import nnspec
from tools.soak.hostile import sample

WHOLE = {"position": 4, "step": 3, "epoch": 0, "samples": 4, "loss_count": 4, "waited": 0}
GOOD = WHOLE | {"loss_sum": 0.5, "stopped": False}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real checkpoint of a small network. No test changes it."""
    return sample(tmp_path_factory.mktemp("stored"))


@pytest.fixture
def changed(file: Path, tmp_path: Path) -> Callable[..., Path]:
    """The same checkpoint with entries or keys of meta replaced, None for left out; written as a file of the format."""

    def write(entries: dict[str, Any] | None = None, **meta: Any) -> Path:
        before = checkpoints.read(file)
        found = {**before.entries, **(entries or {})}
        kept = {name: value for name, value in found.items() if value is not None}
        path = tmp_path / "changed.h5"
        path.write_bytes(checkpoints.to_bytes(Checkpoint({**before.meta, **meta}, kept)))
        return path

    return write


def test_the_checkpoint_that_is_changed_below_is_good(changed: Callable[..., Path]) -> None:
    assert load_checkpoint(changed()).state.step == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dense 1000000000 -> dense 1000000000 softmax", "do not fit its spec|cannot be compiled"),
        ("dense 3 relu -> dense 3000000000000 -> dense 3 softmax", "do not fit its spec|cannot be compiled"),
        ("repeat 1000000000 (dense 3)", "cannot be compiled"),
        ("dense 3 softmax", "an array that its spec does not have: batchnorm1/"),
        ('include "/etc/hostname"\ndense 3 softmax', "spec/resolved includes another file"),
        ("\x01", "cannot be compiled"),
        ("dense " * 20000, "cannot be compiled"),
    ],
)
def test_a_spec_that_its_file_does_not_fit_is_refused_before_memory_is_asked_for(
    changed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    monkeypatch.setattr("nnspec.runtime.train.checkpointing.Network", lambda *_: pytest.fail("a network was made"))
    with pytest.raises(CheckpointError, match=told):
        load_checkpoint(changed({"spec/resolved": text}, data_files=None))


@pytest.mark.parametrize(
    "entries",
    [
        {"weights/dense1/weight": None},
        {"weights/dense9/weight": np.zeros(3, "f4")},
        {"weights/dense1/bias": np.zeros(3)},
        {"weights/dense1/bias": np.zeros((3, 1), "f4")},
        {"weights/dense1/bias": "text"},
        {"buffers/batchnorm1/running_mean": None},
        {"optimizer/other/dense1/bias": np.zeros(3, "f4")},
        {"best/weights/dense1/bias": None},
        {"data/order": np.arange(5)[::-1] + 1},
        {"data/order": np.zeros(27, "i8")},
        {"data/order": np.arange(27.0)},
        {"history/loss": np.zeros((3, 2))},
        {"history/loss": np.zeros(2)},
        {"history/loss": np.array([[1, 2], [3, 4]], "f4")},
        {"history/loss": np.array([[1, 2], [3, 4]])},
        {"history/loss": np.array([[2.0, 1.0], [0.1, 0.1]])},
        {"history/loss": np.array([[0.5], [0.1]])},
        {"rng/order": "{}"},
        {"rng/order": "[]"},
        {"rng/dropout": None},
        {"run/info": "[]"},
        {"run/info": "[" * 4000},
        {"run/info": json.dumps({"folder": "\0"})},
        {"run/info": json.dumps({"folder": 3})},
        {"run/info": json.dumps({"folder": ".", "seconds": -1})},
        {"run/info": json.dumps({"folder": ".", "seconds": "inf"})},
        {"preprocessing/scale": np.zeros(4)},
        {"spec/source": None},
        {"spec/included": "[" * 4000},
        {"spec/included": "[]"},
        {"spec/included": json.dumps({"base.nnspec": 3})},
    ],
)
def test_entries_that_no_run_writes_are_refused(changed: Callable[..., Path], entries: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="its contents do not fit its spec"):
        load_checkpoint(changed(entries))


@pytest.mark.parametrize(
    "meta",
    [
        {"dtype": "object"},
        {"dtype": ["float32"]},
        {"dtype": "float64"},
        {"counters": {}},
        {"counters": []},
        {"best": {"value": 1.0}},
        {"best": {"value": "nan", "step": 1}},
        {"best": {"value": 1.0, "step": 1.5}},
        {"plateau": {"best": 1.0}},
        {"plateau": {"best": "inf", "wait": -1, "factor": 1.0}},
        {"environment": None},
        {"spec_digest": "0" * 64},
        {"data_digest": 3},
        {"data_digest": "0" * 63},
        {"environment": {"numpy": [1]}},
    ],
)
def test_numbers_of_meta_that_no_run_has_are_refused(changed: Callable[..., Path], meta: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="its contents do not fit its spec"):
        load_checkpoint(changed(**meta))


def test_counters_are_taken_as_they_are() -> None:
    assert validated.counters(dict(GOOD), 4) == GOOD


@pytest.mark.parametrize(
    "changed",
    [
        {"position": 5},
        {"step": -1},
        {"step": True},
        {"step": 2**63},
        {"epoch": 1.0},
        {"samples": None},
        {"loss_sum": "inf"},
        {"loss_sum": True},
        {"stopped": 1},
        {"more": 1},
    ],
)
def test_a_counter_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="counter"):
        validated.counters(GOOD | changed, 4)


def test_a_plateau_before_its_first_loss_comes_back() -> None:
    assert validated.plateau({"best": "inf", "wait": 0, "factor": 1.0}) == PlateauState()


def test_inspect_says_what_it_cannot_show(changed: Callable[..., Path], tmp_path: Path) -> None:
    metas: tuple[dict[str, Any], ...] = ({"counters": {}}, {"best": 3}, {"environment": 1})
    for meta in metas:
        path = changed(**meta)
        for more in ((), ("--json",)):
            shown = nnspec(tmp_path, "inspect", path, *more)
            assert shown.exit_code in (0, 1) and (
                shown.exit_code == 0 or "not a run written by nnspec train" in shown.stderr
            )
    assert nnspec(tmp_path, "inspect", changed(counters={})).exit_code == 1


@pytest.mark.parametrize(
    "found", [3, {}, {"name": "mean"}, {"name": 1, "split": "test"}, {"name": "mean", "split": "test", "rmse": "much"}]
)
def test_a_measured_baseline_is_a_name_a_split_and_numbers(found: object) -> None:
    with pytest.raises(ValueError, match="baseline"):
        validated.run_info(json.dumps({"baseline": found}))


def test_a_run_of_an_earlier_version_has_no_baseline() -> None:
    assert validated.run_info("{}")["baseline"] is None
    known = {"name": "mean", "split": "test", "rmse": 2.5}
    assert validated.run_info(json.dumps({"baseline": known}))["baseline"] == known
