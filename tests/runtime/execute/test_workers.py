"""Any number of worker processes makes the bytes that one makes, and no process outlives a run."""

import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnspec.checkpoints import differing_entries, read
from nnspec.runtime.data import data_from_arrays
from nnspec.runtime.errors import Interrupted
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.source import Source
from tests.support.commands import at_step, child_command, child_environment, write_data, write_spec

pytestmark = pytest.mark.worker

IMAGES = "input 8x8x2\n"
TEXTS = {
    "dense, whose optimizer has parts": "input 300\ndense 350 relu -> dense 3 softmax\noptimizer adam",
    "convolutions, dropout": f"{IMAGES}conv 3x3 x4 relu -> maxpool 2 -> dropout 0.3 -> dense 3 softmax",
    "batchnorm": f"{IMAGES}conv 3x3 x4 bias=no -> batchnorm -> relu -> dense 3 softmax\noptimizer momentum",
    "sequences": "input 9\nonehot vocab=5 -> gru 6 return=sequence -> dense 5 softmax\noptimizer adam",
    "dense, whose inputs have parts": "input 320\ndense 350 relu -> dense 3 softmax\noptimizer adam",
    "blocks": "input 300\ndense 64 relu -> dense 3 softmax\noptimizer sgd lr=0.01",
}
LENGTH = "train 12 iterations evaluate_every=5 checkpoint_every=4"
TRAINS = dict.fromkeys(TEXTS, "batch=9") | {
    "blocks": "batch=1",
    "dense, whose inputs have parts": "batch=16",
    "dense, whose optimizer has parts": "batch=5 accumulate=2 clip_norm=0.5",
}


def request(name: str, lanes: int) -> Request:
    text = f"{TEXTS[name]}\n{LENGTH} {TRAINS[name]} lanes={lanes} seed=4\n"
    return Request(Source("net.nnspec", text, None), in_memory=True)


def samples(name: str) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    if "onehot" in TEXTS[name]:
        x: np.ndarray = random.integers(0, 5, (40, 9))
        x[3, 5:] = -1
        return x, np.where(x < 0, -1, (x + 1) % 5)
    shape = (8, 8, 2) if IMAGES in TEXTS[name] else (int(TEXTS[name].split()[1]),)
    return random.random((40, *shape), np.float32), random.integers(0, 3, 40)


@pytest.mark.parametrize("name", TEXTS)
def test_one_two_four_and_eight_workers_make_the_same_bytes(name: str, tmp_path: Path) -> None:
    """In a whole run and in one that is stopped, and resumed with another number of workers."""
    x, y = samples(name)
    data = data_from_arrays(x, y, classification=True, steps="onehot" in TEXTS[name])
    data = replace(data, validation=data.train)
    for workers in (1, 2, 4, 8):
        train(request(name, 8), tmp_path / f"{workers}", data, workers=workers)
    with at_step(5), pytest.raises(Interrupted):
        train(request(name, 8), tmp_path / "parts", data, workers=4)
    resume(tmp_path / "parts", given=data, workers=2)
    first = read(tmp_path / "1" / "last.h5")
    for other in ("2", "4", "8", "parts"):
        assert differing_entries(first, read(tmp_path / other / "last.h5")) == []


def test_a_checkpoint_and_resolved_nnspec_have_the_number_of_lanes(tmp_path: Path) -> None:
    write_data(tmp_path, features=300)
    write_spec(
        tmp_path, "dense 400 relu -> dense 3 softmax", "optimizer adam", "", "train 2 iterations batch=32 lanes=auto"
    )
    train(Request(tmp_path / "net.nnspec"), tmp_path / "run")
    lanes = load_run(tmp_path / "run" / "last.h5").network.spec.train.lanes
    assert lanes in (1, 2, 4)
    assert f"lanes={lanes}" in (tmp_path / "run" / "resolved.nnspec").read_text()


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_four_workers_end_with_the_run_and_it_resumes_to_the_same_bytes(kind: signal.Signals, tmp_path: Path) -> None:
    write_data(tmp_path, features=300)
    length = "train 4000 iterations batch=16 evaluate_every=4000 checkpoint_every=20 lanes=4"
    write_spec(tmp_path, "dense 64 relu -> dropout 0.4 -> dense 3 softmax", "optimizer adam", "", length)
    command = child_command("train", "net.nnspec", "--out", "run", "--workers", "4", "--quiet")
    process = subprocess.Popen(command, cwd=tmp_path, env=child_environment(), stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (tmp_path / "run" / "last.h5").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    workers = children_of(process.pid)
    assert len(workers) == 3
    process.send_signal(kind)
    assert process.wait(60) == (-kind if kind == signal.SIGKILL else 128 + kind)
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    stopped = load_run(tmp_path / "run" / "last.h5").state.step
    request = Request(tmp_path / "net.nnspec")
    train(request, tmp_path / "whole", workers=1, until=stopped)
    assert differing_entries(read(tmp_path / "whole" / "last.h5"), read(tmp_path / "run" / "last.h5")) == []


def test_a_killed_worker_of_four_ends_the_run_and_no_other_stays(tmp_path: Path) -> None:
    write_data(tmp_path, features=300)
    length = "train 100000 iterations batch=16 evaluate_every=100000 checkpoint_every=20 lanes=4"
    write_spec(tmp_path, "dense 64 relu -> dense 3 softmax", "optimizer adam", "", length)
    command = child_command("train", "net.nnspec", "--out", "run", "--workers", "4", "--quiet")
    process = subprocess.Popen(command, cwd=tmp_path, env=child_environment(), stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (tmp_path / "run" / "last.h5").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    workers = children_of(process.pid)
    os.kill(workers[1], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a worker process of the training was killed" in err
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
