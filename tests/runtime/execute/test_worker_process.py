"""The second process of a training: the same bytes as without it, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.arrays import shared
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.data import data_from_arrays
from nnspec.runtime.errors import TrainingError
from nnspec.runtime.execute import worker_process as partner
from nnspec.runtime.execute.worker_process import Partner
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.state import initial_state
from nnspec.runtime.train.step import Stepper

pytestmark = pytest.mark.skipif(not partner.possible(), reason="needs Linux and a second core")

TEXTS = {
    "convolutions": "input 8x8x2 -> conv 3x3 x4 relu -> maxpool 2 -> dropout 0.3 -> dense 3 softmax\noptimizer adam",
    "dense": "input 300 -> dense 200 relu l2=0.01 -> dense 3 softmax\noptimizer momentum",
    "large": "input 300 -> dense 200 relu -> dense 3 softmax\noptimizer adam\nschedule cosine",
    "normalized": "input 8x8x2 -> conv 3x3 x4 bias=no -> batchnorm -> relu -> batchnorm -> dense 3 softmax",
    "sequences": "input 9 -> onehot vocab=5 -> gru 6 return=sequence -> dense 5 softmax\noptimizer adam",
}

MORE = [("large", "clip_norm=0.5"), ("large", "clip_value=0.001"), ("sequences", "stateful=yes")]


def trained(text: str, monkeypatch: pytest.MonkeyPatch, possible: bool, train: str = "") -> bytes:
    """All that 7 steps over 17 samples, in batches of 6, make of a network."""
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(partner, "possible", lambda: possible)
    spec = nnspec.check(f"{text}\ntrain 7 iterations batch=6 {train}")
    random = np.random.default_rng(0)
    if "onehot" in text:
        x = random.integers(0, 5, (17, 9))
        if "stateful" not in train:
            x[3, 5:] = x[8, 2:] = -1
        y = np.where(x < 0, -1, (x + 1) % 5)
    else:
        x, y = random.random((17, *(spec.input or ())), np.float32), random.integers(0, 3, 17)
    data = data_from_arrays(x, y, classification=True, steps="onehot" in text)
    network = Network(spec, data.preprocessing)
    network.initialize(3)
    state = initial_state(network, 17, 0)
    stepper = Stepper(state, data, 7)
    with stepper.ready():
        assert (stepper._partner is not None) == possible
        losses = [stepper.advance(1) for _ in range(7)]
    arenas = network.parameter_arena, network.buffer_arena, state.carried, *state.slots.values()
    return repr(losses).encode() + b"".join(arena.flat.tobytes() for arena in arenas)


@pytest.mark.parametrize(("name", "train"), [*((name, "") for name in TEXTS), *MORE])
def test_two_processes_compute_the_bytes_of_one(name: str, train: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, together = (trained(TEXTS[name], monkeypatch, possible, train) for possible in (False, True))
    assert alone == together


def test_what_it_writes_is_seen_here_and_in_order() -> None:
    seen = shared(3, np.int64)

    def count(other: Partner) -> None:
        seen[0] += 1
        other.meet()
        seen[2] = seen[0] + seen[1]

    pair = Partner([count, count])
    try:
        for turn in range(1, 100):
            pair.begin(turn % 2)
            seen[1] = 10 * turn
            pair.meet()
            pair.end()
            assert seen.tolist() == [turn, 10 * turn, 11 * turn]
    finally:
        pair.close()


def test_it_sleeps_where_nothing_is_asked_of_it_and_is_there_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partner, "SPIN", 0.001)
    pair = Partner([lambda _: None])
    try:
        stat, until = Path(f"/proc/{pair._child}/stat"), time.monotonic() + 5
        while stat.read_text().split()[2] != "S" and time.monotonic() < until:
            time.sleep(0.01)
        ticks = int(stat.read_text().split()[13])
        time.sleep(0.5)
        assert int(stat.read_text().split()[13]) - ticks <= 5  # hundredths of a second
        pair.begin(0)
        pair.end()
    finally:
        pair.close()


def test_an_error_in_it_is_told_and_ends_the_training(capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_: Partner) -> None:
        raise ZeroDivisionError("by nothing")

    pair = Partner([fail])
    try:
        pair.begin(0)
        with pytest.raises(TrainingError, match="second process of the training failed"):
            pair.end()
    finally:
        pair.close()
    assert "by nothing" in capfd.readouterr().err


def test_an_error_in_it_before_they_meet_is_told_where_they_would() -> None:
    def fail(other: Partner) -> None:
        raise ZeroDivisionError("by nothing")

    pair = Partner([fail])
    try:
        pair.begin(0)
        with pytest.raises(TrainingError, match="second process of the training failed"):
            pair.meet()
    finally:
        pair.close()


def test_that_it_was_killed_is_told() -> None:
    pair = Partner([lambda _: time.sleep(60)])
    try:
        pair.begin(0)
        os.kill(pair._child, signal.SIGKILL)
        with pytest.raises(TrainingError, match="ended from outside"):
            pair.end()
    finally:
        pair.close()


def test_no_more_processes_is_no_reason_not_to_train(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", none)
    assert Partner.of([lambda _: None]) is None


@pytest.mark.parametrize(("quota", "there"), [("max 100000", True), ("200000 100000", True), ("150000 100000", False)])
def test_a_container_of_less_than_two_processors_has_none(
    quota: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(partner, "QUOTA", tmp_path / "cpu.max")
    assert partner.possible() == there


KILLED = """
import fcntl, os, signal, sys
from nnspec.runtime.execute.worker_process import Partner
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
pair = Partner([lambda _: None])
pair.begin(0)
pair.end()
print(pair._child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_goes_when_the_first_process_is_killed_and_holds_nothing_of_it(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "lock"], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    taken = subprocess.run(["flock", "--nonblock", tmp_path / "lock", "true"], check=False)
    assert taken.returncode == 0
    until = time.monotonic() + 5
    child = Path(f"/proc/{int(done.stdout)}/stat")
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < until:
        time.sleep(0.02)
    assert not child.exists() or child.read_text().split()[2] == "Z"
