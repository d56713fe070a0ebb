"""A run stopped in the middle of an epoch and gone on with ends in the bytes of one that never stopped."""

from pathlib import Path

import pytest

from nnspec import checkpoints
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.errors import Interrupted
from nnspec.runtime.execute.in_turn import IN_TURN
from nnspec.runtime.infer import program_cache
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.spec_lang.check.spec_request import Request
from tests.support.commands import LENGTH, at_step, statements, write_data, write_spec

STOP = 6
"""Of ten steps, four to an epoch of 27 samples: the second epoch has just begun its second half."""

NETWORK = "dense 6 relu -> dropout 0.3 -> batchnorm -> dense 3 softmax"
IMAGES = "reshape 2x2x1 -> conv 2x2 x3 pad=same relu -> maxpool 2 stride=1 -> dropout 0.3 -> dense 3 softmax"

BRANCHES = (
    "reshape 2x2x1 -> conv 1x1 x3 bias=no -> repeat 2 ((conv 3x3 x3 pad=same -> batchnorm -> relu + skip)) "
    "-> (conv 1x1 x2 | conv 2x2 x3 pad=same relu | maxpool 3 stride=1 pad=same) -> dense 3 softmax"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data, where nothing waits for a disk."""
    write_data(tmp_path)
    return tmp_path


def run_whole(folder: Path) -> None:
    train(Request(folder / "net.nnspec"), folder / "whole")


def run_in_parts(folder: Path) -> None:
    with at_step(STOP), pytest.raises(Interrupted):
        train(Request(folder / "net.nnspec"), folder / "parts")
    counters = checkpoints.read(folder / "parts" / "last.h5").meta["counters"]
    assert counters["step"] == STOP
    assert 0 < counters["position"] < 27
    resume(folder / "parts")


def assert_the_same(folder: Path) -> None:
    for name in ("last.h5", "best.h5"):
        whole, parts = (checkpoints.read(folder / run / name) for run in ("whole", "parts"))
        assert checkpoints.differing_entries(whole, parts) == []
        assert whole.meta["counters"]["step"] == (10 if name == "last.h5" else whole.meta["best"]["step"])


PAIRS = [
    *((optimizer, "schedule plateau factor=0.5 patience=0") for optimizer in statements("optimizer")),
    *(("optimizer adam", schedule) for schedule in statements("schedule")),
]


@pytest.mark.parametrize(("optimizer", "schedule"), PAIRS)
def test_stopping_changes_no_byte_whatever_the_optimizer_and_the_schedule(
    optimizer: str, schedule: str, folder: Path
) -> None:
    write_spec(folder, NETWORK, optimizer, schedule, LENGTH)
    run_whole(folder)
    run_in_parts(folder)
    assert_the_same(folder)


@pytest.mark.parametrize("network", [IMAGES, BRANCHES], ids=["images", "branches"])
def test_stopping_changes_no_byte_where_lanes_have_threads_and_going_on_has_but_one(
    network: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_THREAD", 0)
    write_spec(folder, network, "optimizer adam", "schedule cosine warmup=3", LENGTH)
    run_whole(folder)
    monkeypatch.setattr(program_cache, "executor_for", lambda _: IN_TURN)
    run_in_parts(folder)
    assert_the_same(folder)


def test_another_seed_is_another_run(folder: Path) -> None:
    """What is compared above would show a difference."""
    write_spec(folder, NETWORK, "optimizer adam", "schedule cosine", LENGTH)
    run_whole(folder)
    write_spec(folder, NETWORK, "optimizer adam", "schedule cosine", LENGTH.replace("seed=5", "seed=6"))
    run_in_parts(folder)
    whole, parts = (checkpoints.read(folder / run / "last.h5") for run in ("whole", "parts"))
    assert {"data/order", "rng/dropout", "weights/dense1/weight"} <= set(checkpoints.differing_entries(whole, parts))
