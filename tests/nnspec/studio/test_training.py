"""Training in a process of its own: what it tells, how it stops and goes on, and that nothing is lost with it."""

import json
import os
import signal
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.run import train
from nnspec.runtime.train.signals import StopRequest
from nnspec.spec_lang.check.spec_request import Request
from nnspec.studio.training import MOST_LOSSES, Training
from nnspec.studio.worker import Reporter
from tests.nnspec.studio.conftest import LONG, SPEC, Asked
from tools.studio_picture import running_studio

STEPS = SPEC.replace("2 epochs", "1000000 iterations evaluate_every=5000 checkpoint_every=500")


def running(asked: Asked, step: int, seconds: float = 60) -> None:
    """Wait until the run has come to a step."""
    until = time.monotonic() + seconds
    while (status := asked.studio.training.status()) is None or status["step"] < step:
        assert time.monotonic() < until and asked.studio.training.running, status
        time.sleep(0.02)


def test_a_run_of_the_studio_is_that_of_the_command(asked: Asked, folder: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    tell = asked.studio.hub.tell
    asked.studio.hub.tell = lambda kind, **content: heard.append(kind) or tell(kind, **content)  # type: ignore[method-assign]
    assert asked.begin("digits.nnspec").status_code == 200
    end = asked.wait()
    assert (end["phase"], end["run"], end["error"]) == ("done", "runs/digits", None) and end["step"] == end["total"]
    assert {"training", "evaluation", "weights", "folder"} <= set(heard)
    alone = nnspec.train(folder / "digits.nnspec", tmp_path / "alone")
    made = nnspec.load(folder / "runs" / "digits" / "last.h5")
    assert all(np.array_equal(made.parameters[name], alone.network.parameters[name]) for name in made.parameters)
    (run,) = asked.get("/api/state").json()["runs"]
    assert (
        run["state"] == "done"
        and not run["resumable"]
        and run["metrics"]["test_accuracy"] == alone.end["test_accuracy"]
    )
    history = asked.get("/api/runs/history/runs/digits").json()
    assert history["validation_accuracy"] == [list(series) for series in _series(alone, "validation_accuracy")]
    assert asked.get("/api/runs/weights/runs/digits").json()["shape"] == [10, 7, 7, 1]


def _series(run: nnspec.Run, name: str) -> tuple[list[int], list[float]]:
    return [int(step) for step in run.history[name].steps], [float(value) for value in run.history[name].values]


def test_a_run_that_is_stopped_resumed_and_killed_has_the_bits_of_one_that_was_not(
    asked: Asked, folder: Path, tmp_path: Path
) -> None:
    (folder / "digits.nnspec").write_text(STEPS)
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup and background jobs of scripts have it
    asked.begin("digits.nnspec")
    signal.signal(signal.SIGINT, former)
    running(asked, 1)
    assert asked.send("/api/stop", {}).status_code == 200
    stopped = asked.wait()
    first = stopped["end"]["steps"]
    assert stopped["phase"] == "stopped" and 0 < first < 1_000_000
    (run,) = asked.get("/api/state").json()["runs"]
    assert run["state"] == "unfinished" and run["resumable"]
    assert asked.send("/api/resume", {"run": "runs/digits"}).status_code == 200
    running(asked, first + 1200)  # beyond a checkpoint
    process = asked.studio.training._process
    assert process is not None
    process.kill()
    killed = asked.wait()
    assert killed["phase"] == "failed" and "signal 9" in killed["error"] and not asked.studio.training.running
    (run,) = asked.get("/api/state").json()["runs"]
    assert run["resumable"]
    saved = load_run(folder / "runs" / "digits" / "last.h5")
    assert saved.state.step > first
    alone = train(Request(folder / "digits.nnspec"), tmp_path / "alone", until=saved.state.step)
    for name, values in alone.network.parameters.items():
        assert np.array_equal(saved.network.parameters[name], values), name


@pytest.mark.long
def test_the_end_of_the_studio_saves_the_run(asked: Asked, folder: Path) -> None:
    (folder / "digits.nnspec").write_text(LONG)
    asked.begin("digits.nnspec")
    running(asked, 1)
    asked.studio.training.end(60)
    assert asked.wait()["phase"] == "stopped"
    assert nnspec.load(folder / "runs" / "digits" / "last.h5") is not None


def test_what_training_refuses_is_told_in_its_words(asked: Asked, folder: Path) -> None:
    (folder / "digits.nnspec").write_text('dense 3 softmax\ndata csv "none.csv" target=a\n')
    asked.begin("digits.nnspec")
    status = asked.wait()
    assert status["phase"] == "failed" and "none.csv" in status["error"] and "Traceback" not in status["error"]


@pytest.mark.long
def test_a_run_that_diverges_says_so(asked: Asked, folder: Path) -> None:
    (folder / "digits.nnspec").write_text(
        "dense 9 relu -> dense 9 relu -> dense 10 softmax\ndata mnist_sample\noptimizer sgd lr=1e30\n"
    )
    asked.begin("digits.nnspec")
    status = asked.wait()
    assert status["phase"] == "diverged" and "rate" in status["error"]
    assert asked.get("/api/state").json()["runs"][0]["state"] == "diverged"


def test_a_run_stops_where_its_studio_is_gone(tmp_path: Path) -> None:
    with open(tmp_path / "events", "w") as output:
        stop = StopRequest()
        report = Reporter(output, stop)
        report({"event": "progress", "loss": float("nan")})
        assert stop.signal is None
        report.parent = -1  # the process that began it has ended
        report({"event": "progress"})
        assert stop.signal == signal.SIGTERM
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(OSError), os.fdopen(writer, "w") as closed:  # noqa: PT011 the file cannot be flushed at its end
        stop = StopRequest()
        Reporter(closed, stop)({"event": "progress"})
        assert stop.signal == signal.SIGTERM
    assert '"loss": null' in (tmp_path / "events").read_text()


def test_losses_of_a_long_run_are_thinned(tmp_path: Path) -> None:
    from nnspec.studio.hub import Hub

    training = Training(tmp_path, Hub(), lambda: None)
    training._status = {"run": "a"}
    for step in range(20 * MOST_LOSSES):
        training._keep(step, 1.0)
    status = training.status()
    assert status is not None and MOST_LOSSES / 3 < len(status["losses"]) <= MOST_LOSSES
    assert status["losses"][-1][0] > 19 * MOST_LOSSES


@pytest.mark.long
def test_a_studio_that_is_killed_leaves_a_run_that_is_saved(tmp_path: Path) -> None:
    spec = tmp_path / "net.nnspec"
    spec.write_text(LONG)
    with running_studio(spec) as (link, studio):
        address = link.partition("/?")[0]
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        browser.open(link).close()
        with browser.open(f"{address}/api/files/net.nnspec") as answer:
            revision = json.load(answer)["revision"]
        headers = {"Origin": address, "Content-Type": "application/json"}
        body = json.dumps({"file": "net.nnspec", "revision": revision}).encode()
        browser.open(urllib.request.Request(f"{address}/api/train", body, headers)).close()
        log = tmp_path / "runs" / "net" / "metrics.jsonl"
        until = time.monotonic() + 60
        while not log.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        studio.kill()
    last, before = tmp_path / "runs" / "net" / "last.h5", 0
    while before == 0:  # the run saves when it finds itself alone
        assert time.monotonic() < until
        time.sleep(0.1)
        before = load_run(last).state.step
    assert before >= 200  # LONG has no checkpoint before its end but this one
