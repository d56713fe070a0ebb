"""A Dask cluster: a real scheduler and two worker processes over TCP, one of which may be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import nnspec
from nnspec.runtime.errors import Interrupted, TrainingError
from nnspec.runtime.sweep.backends import _parcel
from tests.runtime.sweep.conftest import Sweep, states, weights
from tests.runtime.sweep.test_local import GRID, LONG, await_that
from tests.support.commands import child_environment

distributed = pytest.importorskip("distributed", reason="the extra nnspec[dask] is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


class Processes:
    """A scheduler and two workers of one thread each, without nannies that would start a killed one again."""

    def __init__(self, folder: Path):
        self.folder = folder
        file = folder / "scheduler.json"
        scheduler = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.scheduler = self.start(*scheduler, "--scheduler-file", str(file))
        await_that(file.exists)
        self.workers = [self.worker(number) for number in (1, 2)]
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            self.address = str(client.scheduler.address)
            self.pids = client.run(os.getpid)

    def worker(self, number: int, **environment: str) -> "subprocess.Popen[bytes]":
        own = self.folder / f"worker-{number}"
        own.mkdir(exist_ok=True)
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        place = ("--scheduler-file", str(self.folder / "scheduler.json"), "--local-directory", str(own))
        return self.start("distributed.cli.dask_worker", *place, *options, cwd=own, **environment)

    def start(self, module: str, *arguments: str, cwd: Path | None = None, **more: str) -> "subprocess.Popen[bytes]":
        log = (self.folder / "log.txt").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=cwd or self.folder,
                env=child_environment(**more),
                stdout=log,
                stderr=log,
            )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    made = Processes(tmp_path_factory.mktemp("cluster"))
    yield made
    made.close()


@pytest.mark.parametrize("shared", [False, True], ids=["without a shared folder", "with a shared folder"])
def test_a_worker_that_is_killed_in_the_middle_changes_no_weight(
    sweep: Sweep, cluster: Processes, tmp_path: Path, shared: bool
) -> None:
    (tmp_path / "long.nnspec").write_text(LONG + GRID)
    expected = weights(sweep(on="long.nnspec", out="alone"))
    begun: list[int] = []
    victim = cluster.workers[0]

    def listen(event: dict[str, object]) -> None:
        sweep.events.append(event)
        if event["event"] == "start":
            begun.append(int(str(event["step"])))
        evaluations = [e for e in sweep.events if e["event"] == "evaluation"]
        if len(evaluations) >= 4 and victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            victim.wait()

    options = {"shared": tmp_path / "shared"} if shared else {}
    found = sweep(
        on="long.nnspec", out="cluster", jobs=None, backend="dask", scheduler=cluster.address, listen=listen, **options
    )
    assert victim.returncode == -signal.SIGKILL
    assert states(found) == dict.fromkeys(("lr=0.001,seed=0", "lr=0.002,seed=0"), "done")
    assert weights(found) == expected
    assert len(begun) == 3  # the trial of the killed worker began, or went on, once more
    assert (begun[2] > 0) == shared
    assert [e["text"] for e in sweep.events if e["event"] == "warning"] == []
    for trial in found.trials:  # the folder is a run like any other
        run = nnspec.resume(trial.path)
        assert run.end["validation_accuracy"] == trial.metrics["validation_accuracy"]


def test_a_sweep_that_is_stopped_saves_its_trials_at_home_and_goes_on_here(
    sweep: Sweep, cluster: Processes, tmp_path: Path
) -> None:
    (tmp_path / "long.nnspec").write_text(LONG + GRID)
    expected = weights(sweep(on="long.nnspec", out="alone"))

    def listen(event: dict[str, object]) -> None:
        if event["event"] == "evaluation":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="nnspec sweep cluster goes on"):
        sweep(on="long.nnspec", out="cluster", backend="dask", scheduler=cluster.address, jobs=None, listen=listen)
    assert weights(sweep(on="cluster")) == expected


def test_a_worker_of_other_versions_is_told(sweep: Sweep, cluster: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    import_module("nnspec.runtime.sweep.backends.dask")  # so that workers are asked for their own versions
    ours = _parcel.versions()
    monkeypatch.setattr(_parcel, "versions", lambda: {**ours, "numpy": "1.0"})
    found = sweep("", backend="dask", scheduler=cluster.address)
    said = [event["text"] for event in sweep.events if event["event"] == "warning"]
    assert states(found) == {"net,seed=0": "done"}
    assert len(said) == 2 and all(f"may give other bits: numpy is {ours['numpy']}, here 1.0" in text for text in said)


def test_a_scheduler_that_does_not_answer_is_said(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnspec.runtime.sweep.backends.dask.CONNECT", 1)
    with pytest.raises(TrainingError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        sweep("", backend="dask", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(TrainingError, match="give --scheduler tcp://HOST:8786"):
        sweep("", backend="dask")
