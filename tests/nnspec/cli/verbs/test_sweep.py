"""nnspec sweep."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.nnspec.conftest import Command
from tests.runtime.sweep.conftest import TEXT
from tests.support.commands import at_step, child_command, child_environment, write_data

GRID = "sweep optimizer.lr = 0.1, 1e39\n"


@pytest.fixture(autouse=True)
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec with a grid beside its data, in the folder of the command; no pictures, which take longer than it."""
    write_data(tmp_path)
    path = tmp_path / "net.nnspec"
    path.write_text(TEXT + GRID)
    monkeypatch.setattr("nnspec.api.draw_curves", lambda sweep: None)
    return path


def test_it_prints_a_ranking_with_mean_and_deviation_and_exits_with_1_for_a_diverged_trial(nnspec: Command) -> None:
    done = nnspec("sweep", "net.nnspec", "--seeds", "1..3", "--jobs", "1")
    assert done.code == 1
    head, best, diverged, where = done.out.splitlines()
    assert head.split() == ["validation", "accuracy", "±", "deviation", "seeds"]
    assert re.fullmatch(r"lr=0\.1 +\d+\.\d\d % +\d+\.\d\d % +3", best)
    assert diverged.split() == ["lr=1e+39", "3", "diverged"]
    assert where == "6 trials in sweeps/net: sweep.csv has them all"
    lines = done.err.splitlines()
    assert lines[0] == "sweeping 6 trials, into sweeps/net"
    assert re.fullmatch(r"1/6 \[00:\d\d<.*\] lr=0\.1,seed=1: done, validation accuracy \d+\.\d\d %, \d\.\d s", lines[1])
    assert re.fullmatch(r"4/6 .* lr=1e\+39,seed=1: diverged at step \d+: the loss is nan; .*", lines[4])


def test_json_is_one_object_with_trials_and_ranking(nnspec: Command, spec: Path) -> None:
    spec.write_text(f"{TEXT}sweep optimizer.lr = 0.1, 0.01")
    done = nnspec("sweep", "net.nnspec", "--jobs", "1", "--json", "--quiet", "--out", "here")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert found["format_version"] == 1 and found["out"] == "here" and found["metric"] == "validation_accuracy"
    assert {"name", "variant", "settings", "seed", "state", "metrics", "out"} <= found["trials"][0].keys()
    assert found["trials"][0]["settings"] == {"optimizer.lr": "0.1"}
    assert found["ranking"][0].keys() == {"name", "mean", "deviation", "seeds"}


def test_a_stopped_sweep_says_what_goes_on_with_it(nnspec: Command) -> None:
    with at_step(5):
        stopped = nnspec("sweep", "net.nnspec", "--jobs", "1")
    assert stopped.code == 130
    assert stopped.err.endswith("stopped with 0 of 2 trials at their end: nnspec sweep sweeps/net goes on\n")
    assert "1 interrupted" in stopped.out and "1 pending" in stopped.out
    with at_step(3):
        assert nnspec("sweep", "sweeps/net", "--jobs", "1", "--json").json["trials"][0]["state"] == "interrupted"
    assert nnspec("sweep", "sweeps/net", "--jobs", "1").code == 1


def test_a_failed_trial_has_its_error_in_words(nnspec: Command, spec: Path) -> None:
    spec.write_text(f'{TEXT}variant a {{ init he }}\nvariant b {{ data npz "none.npz" }}')
    done = nnspec("sweep", "net.nnspec", "--jobs", "1")
    assert done.code == 1
    assert "b,seed=0: failed: " in done.err and "none.npz" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("net.nnspec", "--seeds", "1,x"), "'x' is not a seed: write 1,2,3 or 1..3"),
        (("net.nnspec", "--seeds", "1..2000"), "at most 1,000 seeds"),
        ((".", "--variant", "a"), ". is a sweep, which has its spec and settings"),
        ((".",), ". is not a sweep: it has no sweep.json"),
        (("none.nnspec",), "none.nnspec: there is no such file"),
        (("net.nnspec", "--metric", "auc"), "the trials do not measure auc: use loss, validation_loss"),
        (("net.nnspec", "--jobs", "0"), "0 is not in the range"),
    ],
)
def test_wrong_use_is_said_in_words(nnspec: Command, arguments: tuple[str, ...], said: str) -> None:
    done = nnspec("sweep", *arguments)
    assert done.code == 2
    assert said in done.err


def test_every_error_of_the_spec_is_reported_before_anything_is_trained(nnspec: Command, spec: Path) -> None:
    spec.write_text(TEXT + "optimizer adm\nsweep optimizer.lr = 0.1, much\n")
    done = nnspec("sweep", "net.nnspec")
    assert done.code == 1
    assert "adm" in done.err and not Path("sweeps").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_shows_a_table_of_the_running_trials(tmp_path: Path, spec: Path) -> None:
    text = (
        TEXT.replace("train 10 iterations", "train 40000 iterations")
        .replace("every=2", "every=4000")
        .replace("every=3", "every=9000")
    )
    spec.write_text(f"{text}sweep optimizer.lr = 0.1, 0.01")
    ours, theirs = pty.openpty()
    environment = child_environment(TERM="xterm")
    command = child_command("sweep", "net.nnspec", "--jobs", 2)
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown, until = b"", time.monotonic() + 120
        while process.poll() is None or select.select([ours], [], [], 0.2)[0]:
            assert time.monotonic() < until
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    shown += os.read(ours, 4096)
                except OSError:  # the last process has closed the terminal
                    break
    os.close(ours)
    assert process.returncode == 0
    screen = shown.decode()
    assert re.search(r"lr=0\.1,seed=0 +\d+% █* +loss \d\.\d{4}, validation accuracy \d+\.\d\d %", screen)
    assert re.search(r"lr=0\.01,seed=0: done, validation accuracy", screen)
    assert "\x1b[J" in screen and "2/2" in screen
