import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnspec.checkpoints import Locked, SaveFailed, lock, system

HOLDER = """
import signal, sys
from nnspec import checkpoints
with checkpoints.lock(sys.argv[1]):
    print('held', flush=True)
    signal.pause()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last.h5"


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_refused_at_once_and_told_who_holds_the_lock(
    path: Path, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(Locked, match=rf"^{path}: another process \(pid {holder.pid}\)") as told, lock(path):
        raise AssertionError("two hold the lock")
    assert told.value.path == str(path) and told.value.help


def test_a_kill_frees_the_lock(path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lock(path):
        assert path.with_name("last.h5.lock").read_text() == f"pid {os.getpid()}\n"


def test_one_process_cannot_hold_a_lock_twice_and_gives_it_back(path: Path) -> None:
    with lock(path):
        with pytest.raises(Locked), lock(path):
            raise AssertionError("held twice")
        with lock(f"{path}.other"):
            pass
    with lock(path):
        assert os.path.exists(f"{path}.lock")


def test_the_lock_names_its_holder_and_not_a_longer_former_one(path: Path) -> None:
    path.with_name("last.h5.lock").write_text("pid 1234567890\n")
    with lock(path):
        assert path.with_name("last.h5.lock").read_text() == f"pid {os.getpid()}\n"


def test_an_error_inside_frees_the_lock(path: Path) -> None:
    with pytest.raises(KeyError), lock(path):
        raise KeyError
    with lock(path):
        assert os.path.exists(f"{path}.lock")


def test_a_lock_that_cannot_be_made_is_told_with_path_and_errno(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SaveFailed, match="ENOENT") as told, lock(path.parent / "none" / "last.h5"):
        raise AssertionError("locked nothing")
    assert told.value.errno == errno.ENOENT

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(system, "flock", refuse)
    with pytest.raises(SaveFailed, match="ENOLCK"), lock(path):
        raise AssertionError("locked nothing")


def test_where_the_system_has_no_locks_nothing_is_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(system, "flock", none)
    with lock(path), lock(path):
        assert path.with_name("last.h5.lock").read_text() == f"pid {os.getpid()}\n"


def test_a_holder_that_cannot_be_read_is_not_named(
    path: Path, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where the lock covers the text in the file."""

    def locked(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(system, "pread", locked)
    with pytest.raises(Locked, match=rf"^{path}: another process is writing this file"), lock(path):
        raise AssertionError("two hold the lock")
