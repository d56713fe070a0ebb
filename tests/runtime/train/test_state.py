"""Orders of samples, and states that are carried from batch to batch."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnspec
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.state import stateful_order
from tests.support.commands import at_step
from tests.support.commands import nnspec as nnspec_command
from tools.soak.experiments import Tally
from tools.soak.resuming import stopped_at_every_batch

STATEFUL = """
rnn 4 return=sequence -> dense 1
data sine length=301 window=10 predict=every
optimizer sgd lr=1e-30
train 1 epochs batch=3 stateful=yes
"""


def test_each_place_of_the_batch_reads_a_stretch_of_its_own() -> None:
    assert stateful_order(7, 2).tolist() == [0, 3, 1, 4, 2, 5]
    with pytest.raises(TrainingError, match="reads 8 stretches of the series at once, and there are 7 windows"):
        stateful_order(7, 8)


def test_a_stateful_epoch_of_short_windows_is_one_pass_over_long_ones(tmp_path: Path) -> None:
    """With nothing learnt the loss tells what the state was: ten windows of 10 with it carried are one of 100."""
    settings: dict[str, Any] = {"data.split": "1/0"}
    short = nnspec.train(STATEFUL, out=tmp_path / "short", dtype="float64", settings=settings).end
    settings |= {"data.window": 100, "train.stateful": "no"}
    long = nnspec.train(STATEFUL, out=tmp_path / "long", dtype="float64", settings=settings).end
    assert short["loss"] == pytest.approx(long["loss"], rel=1e-12)


def test_evaluation_carries_the_state_through_the_whole_split(tmp_path: Path) -> None:
    run = nnspec.train(STATEFUL, out=tmp_path / "a", dtype="float64")
    split = run.data.validation
    assert split is not None
    whole = nnspec.compile(f"input {split.inputs.shape[0] * 10}x1 {STATEFUL.split('data')[0]}", dtype="float64")
    whole.set_parameters(run.network.parameters)
    answers = whole.predict(split.inputs.reshape(1, -1, 1))
    loss = float(np.mean((answers.reshape(split.targets.shape) - split.targets) ** 2))
    assert run.end["validation_loss"] == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize(
    ("layers", "data"),
    [
        ("lstm 4 return=sequence -> dropout 0.2 -> gru 3 return=sequence -> dense 1", "sine length=80 window=4"),
        ("embed 3 -> rnn 4 relu return=sequence -> dense 4 softmax", 'text "text.txt" window=5'),
    ],
)
def test_a_run_that_carries_states_and_stops_at_every_batch_ends_in_the_same_bytes(
    layers: str, data: str, tmp_path: Path
) -> None:
    every = " predict=every" if data.startswith("sine") else ""
    (tmp_path / "text.txt").write_text("abcd" * 20)
    (tmp_path / "net.nnspec").write_text(
        f"{layers}\ndata {data}{every}\noptimizer adam lr=0.01\n"
        "train 2 epochs batch=3 clip_norm=0.5 clip_value=0.4 stateful=yes checkpoint_every=2\n"
    )
    tally = Tally()
    stopped_at_every_batch(tmp_path, signal.SIGINT, tally, data)
    with at_step(3):
        nnspec_command(tmp_path, "train", "net.nnspec", "--out", "stopped", "--quiet")
    assert tally.failures == []
    assert tally.tried >= 8
    assert load_checkpoint(tmp_path / "stopped" / "last.h5").state.carried.flat.any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lstm 2 reverse=yes return=sequence -> dense 1", "lstm1 reads from the end"),
        ("dense 2 -> dense 1", "no layer keeps a state"),
    ],
)
def test_a_state_that_cannot_be_carried_is_told(text: str, said: str) -> None:
    with pytest.raises(nnspec.SpecError, match=said):
        nnspec.check(f"input 4x1\n{text}\ntrain 1 epochs stateful=yes")
