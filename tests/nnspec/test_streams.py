"""Output never ends a run: closed, full and abandoned streams, and signals that are ignored or come early."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nnspec import checkpoints
from tests.support.commands import child_environment, write_data

if not Path("/dev/full").exists():
    pytest.skip("there is no /dev/full here", allow_module_level=True)

TRAIN = f"{sys.executable} -m nnspec train net.nnspec --out run"
LOST_RESULTS = "standard output cannot be written"
LOST_PROGRESS = "standard error cannot be written"
REDIRECTIONS = {
    "{} 2>&1 | head -2 >/dev/null": "",  # both streams are lost: nothing can report it
    "{} --json --quiet | true": "",
    "{} 2>/dev/full": LOST_PROGRESS,
    "{} --json 2>&-": f'"lost_progress": "{LOST_PROGRESS}',
    "{} --json >/dev/full": LOST_RESULTS,
    "{} >&-": LOST_RESULTS,
    "{} >/dev/full 2>/dev/full": "",
    "{} <&- >&- 2>&-": "",
}
"""What becomes of the streams of a training, and what the stream that is left says of it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec of fifteen epochs, each of which is reported."""
    write_data(tmp_path)
    text = 'dense 3 softmax\ndata npz "data.npz" split=75/25\ntrain 15 epochs batch=8 seed=5\n'
    (tmp_path / "net.nnspec").write_text(text)
    return tmp_path


def shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash, which fails where any part of a pipe fails."""
    line = ["bash", "-c", f"set -o pipefail; {command}"]
    return subprocess.run(line, cwd=folder, env=child_environment(), capture_output=True, text=True, check=False)


OFTEN = ("{} 2>&1 | head -2 >/dev/null", "{} --json 2>&-", "{} >/dev/full 2>/dev/full")
"""What CI tries; the others are left to make test."""


@pytest.mark.parametrize(
    ("how", "reported"),
    [pytest.param(*case, marks=() if case[0] in OFTEN else pytest.mark.long) for case in REDIRECTIONS.items()],
)
def test_training_goes_on_whatever_becomes_of_its_output(folder: Path, how: str, reported: str) -> None:
    done = shell(folder, how.format(TRAIN))
    assert done.returncode == 0, done.stderr
    assert reported in done.stdout + done.stderr if reported else not done.stdout + done.stderr
    assert checkpoints.read(folder / "run" / "last.h5").meta["counters"]["epoch"] == 15
    assert len((folder / "run" / "metrics.jsonl").read_text().splitlines()) >= 16


@pytest.mark.parametrize("stream", [">/dev/full", ">&-"])
def test_results_that_no_file_has_are_an_error_where_they_are_lost(folder: Path, stream: str) -> None:
    done = shell(folder, f"{sys.executable} -m nnspec check net.nnspec --json {stream}")
    assert done.returncode == 1
    assert "standard output cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_a_reader_that_has_enough_of_results_is_no_error(folder: Path) -> None:
    done = shell(folder, f"{sys.executable} -m nnspec explain E301 | head -1")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_ignored_sigint_stays_ignored(folder: Path) -> None:
    text = (folder / "net.nnspec").read_text().replace("15 epochs", "20000 epochs")
    (folder / "net.nnspec").write_text(text)
    command = f"trap '' INT; exec {TRAIN}"
    with subprocess.Popen(["bash", "-c", command], cwd=folder, env=child_environment(), stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        while b"step " not in run.stderr.readline():
            pass
        run.send_signal(signal.SIGINT)
        for _ in range(20):
            run.stderr.readline()
        assert run.poll() is None
        run.terminate()
        run.stderr.read()
        assert run.wait() == 143


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_signal_during_the_imports_ends_in_words(folder: Path, number: int, code: int, word: str) -> None:
    program = (
        "import os, signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'click': os.kill(os.getpid(), {int(number)})\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from nnspec.__main__ import main\n"
        "sys.argv = ['nnspec', 'train', 'net.nnspec']\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, f"{word}\n")
