"""Worker processes: the weights of this process, Ctrl-C, and kills of a worker or of the sweep itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

import nnspec
from tests.runtime.sweep.conftest import TEXT, Sweep, states, weights
from tests.support.commands import child_command, child_environment, write_data

pytestmark = pytest.mark.slow

LONG = (
    TEXT.replace("train 10 iterations", "train 8000 iterations")
    .replace("every=2", "every=1000")
    .replace("every=3", "every=800")
)
GRID = "sweep optimizer.lr = 0.001, 0.002\n"


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Sweep in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        child_command("sweep", *arguments, "--jobs", 2),
        cwd=folder,
        env=child_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def await_that(condition: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def workers(parent: int) -> list[int]:
    """The worker processes of a sweep that train."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            text = (folder / "cmdline").read_bytes()
            line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("PPid:"))
            if b"popen_loky" in text and int(line.split()[1]) == parent:
                found.append(int(folder.name))
    return found


def evaluated(folder: Path) -> bool:
    """Whether both trials have been evaluated once."""
    logs = list(folder.glob("trials/*/metrics.jsonl"))
    return len(logs) == 2 and all(log.read_text().count("\n") >= 1 for log in logs)


def test_worker_processes_make_the_weights_of_this_process_and_start_no_process_of_their_own(sweep: Sweep) -> None:
    wide = "sweep init = he, zeros\nsweep optimizer.lr = 0.1, 1e39"
    alone, together = sweep(wide, seeds=(1, 2), out="one"), sweep(wide, seeds=(1, 2), out="two", jobs=2)
    assert states(together) == states(alone)
    assert weights(together) == weights(alone)
    events = {event["event"] for event in sweep.events}
    assert {"sweep", "start", "evaluation", "trial", "swept"} <= events
    assert {event["trial"] for event in sweep.events if event["event"] == "evaluation"} >= {"init=he,lr=0.1,seed=1"}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The weights of the long trials where nothing stops them."""
    folder = tmp_path_factory.mktemp("whole")
    write_data(folder)
    (folder / "long.nnspec").write_text(LONG + GRID)
    return weights(nnspec.sweep(folder / "long.nnspec", out=folder / "whole", jobs=1))


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_ctrl_c_saves_all_and_the_sweep_goes_on_to_the_same_bits(
    sweep: Sweep, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    (tmp_path / "long.nnspec").write_text(LONG + GRID)
    process = start(tmp_path, "long.nnspec", "--out", "cut", "--json")
    await_that(lambda: evaluated(tmp_path / "cut"))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "goes on" in err and "Traceback" not in err
    assert {trial["state"] for trial in json.loads(out)["trials"]} <= {"interrupted", "done"}
    assert weights(sweep(on="cut", jobs=2)) == expected


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_a_killed_worker_costs_no_trial(sweep: Sweep, tmp_path: Path, expected: dict[str, bytes]) -> None:
    (tmp_path / "long.nnspec").write_text(LONG + GRID)
    process = start(tmp_path, "long.nnspec", "--out", "cut")
    await_that(lambda: evaluated(tmp_path / "cut"))
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "a worker process was killed" in err
    assert weights(sweep(on="cut")) == expected


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_a_sweep_that_is_killed_leaves_no_process_and_goes_on_to_the_same_bits(
    sweep: Sweep, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    (tmp_path / "long.nnspec").write_text(LONG + GRID)
    process = start(tmp_path, "long.nnspec", "--out", "cut")
    await_that(lambda: evaluated(tmp_path / "cut"))
    left = workers(process.pid)
    assert len(left) == 2
    process.kill()
    process.communicate()
    assert weights(sweep(on="cut", jobs=2)) == expected
    await_that(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
