import errno
import os
import signal
import subprocess
import sys

import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Locked, SaveFailed, lock, system
from nnspec.checkpoints.locking import temporary

HOLDER = """
import signal, sys
from nnspec import checkpoints
with checkpoints.lock(sys.argv[1]):
    print('held', flush=True)
    signal.pause()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.h5"


@pytest.fixture
def holder(path):
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_process_is_refused_at_once_and_told_who_holds_the_lock(path, holder):
    with pytest.raises(Locked, match=rf"^{path}: another process \(pid {holder.pid}\)") as told, lock(path):
        raise AssertionError("two hold the lock")
    assert told.value.path == str(path) and told.value.help


def test_a_kill_frees_the_lock(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lock(path):
        assert path.with_name("last.h5.lock").read_text() == f"pid {os.getpid()}\n"


def test_one_process_cannot_hold_a_lock_twice_and_gives_it_back(path):
    with lock(path):
        with pytest.raises(Locked), lock(path):
            raise AssertionError("held twice")
        with lock(f"{path}.other"):
            pass
    with lock(path):
        assert os.path.exists(f"{path}.lock")


def test_the_lock_names_its_holder_and_not_a_longer_former_one(path):
    path.with_name("last.h5.lock").write_text("pid 1234567890\n")
    with lock(path):
        assert path.with_name("last.h5.lock").read_text() == f"pid {os.getpid()}\n"


def test_an_error_inside_frees_the_lock(path):
    with pytest.raises(KeyError), lock(path):
        raise KeyError
    with lock(path):
        assert os.path.exists(f"{path}.lock")


def test_a_lock_that_cannot_be_made_is_told_with_path_and_errno(path, monkeypatch):
    with pytest.raises(SaveFailed, match="ENOENT") as told, lock(path.parent / "none" / "last.h5"):
        raise AssertionError("locked nothing")
    assert told.value.errno == errno.ENOENT

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(system, "flock", refuse)
    with pytest.raises(SaveFailed, match="ENOLCK"), lock(path):
        raise AssertionError("locked nothing")


def test_sweep_removes_what_dead_writers_left_and_nothing_else(path, tmp_path, example):
    checkpoints.write(path, example)
    kept = {"last.h5", "notes.tmp", "last.h5.nnspec-12.tmp", "last.h5.lock"}
    for name in kept - {"last.h5"}:
        (tmp_path / name).touch()
    left = sorted(temporary(name) for name in ("last.h5", "best.h5"))
    for name in left:
        (tmp_path / name).write_bytes(b"half")
    assert checkpoints.sweep(tmp_path) == left
    assert {name.name for name in tmp_path.iterdir()} == kept
    assert checkpoints.sweep(tmp_path) == []


def test_sweep_leaves_the_file_of_a_living_writer(path, tmp_path, example, monkeypatch):
    swept = []
    replace = os.replace

    def sweep_first(source, target):
        if str(target) == str(path):
            swept.append(checkpoints.sweep(tmp_path))
        replace(source, target)

    monkeypatch.setattr(system, "replace", sweep_first)
    checkpoints.write(path, example)
    assert swept == [[]]
    assert checkpoints.verify(path).format_version == 1


def test_sweep_does_not_mind_a_writer_that_is_quicker(tmp_path, monkeypatch):
    name = temporary("last.h5")
    monkeypatch.setattr(os, "listdir", lambda folder: [name])
    assert checkpoints.sweep(tmp_path) == []


def test_sweep_of_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SaveFailed, match="ENOENT"):
        checkpoints.sweep(tmp_path / "none")
