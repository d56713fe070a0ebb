"""A file replaced whole or not at all, and what a killed writer leaves."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from nnspec import checkpoints
from nnspec.checkpoints import SaveFailed, system
from nnspec.checkpoints.atomic import temporary


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"former")
    checkpoints.replace_file(tmp_path / "notes", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("notes", b"new")]


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o755])
def test_a_file_keeps_its_permissions_whatever_the_umask(tmp_path: Path, mode: int) -> None:
    (tmp_path / "notes").touch()
    (tmp_path / "notes").chmod(mode)
    before = os.umask(0o077)
    try:
        checkpoints.replace_file(tmp_path / "notes", b"new")
        checkpoints.replace_file(tmp_path / "first", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "notes").stat().st_mode) == mode
    assert stat.S_IMODE((tmp_path / "first").stat().st_mode) == 0o600


def test_a_private_file_is_never_readable_by_others_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").touch()
    (tmp_path / "notes").chmod(0o600)
    modes = []
    monkeypatch.setattr(system, "fsync", lambda handle: modes.append(stat.S_IMODE(os.fstat(handle).st_mode)))
    checkpoints.replace_file(tmp_path / "notes", b"new")
    assert modes == [0o600]


@pytest.mark.parametrize("call", ["open", "flock", "write", "fsync", "replace"])
def test_a_step_that_the_system_refuses_leaves_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "notes").write_bytes(b"former")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(system, call, refuse)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.replace_file(tmp_path / "notes", b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("notes", b"former")]


def test_the_data_is_on_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    for name in ("write", "fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(system, name, lambda *given, name=name, call=call: (calls.append(name), call(*given))[1])
    checkpoints.replace_file(tmp_path / "notes", b"new")
    assert calls == ["write", "fsync", "replace"]


def test_where_open_files_cannot_be_renamed_the_file_is_closed_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: checkpoints.Checkpoint
) -> None:
    """Windows: every file is closed when it is renamed or removed."""
    opened = set()

    def open_and_note(path: Any, flags: Any, mode: Any = 0o777) -> Any:
        handle = os.open(path, flags, mode)
        opened.add(handle)
        return handle

    def close_and_note(handle: Any) -> None:
        opened.discard(handle)
        os.close(handle)

    def when_closed(call: Any) -> Any:
        def check(*paths: Any) -> Any:
            names = {os.readlink(f"/proc/self/fd/{handle}") for handle in opened}
            assert not names & {os.path.abspath(path) for path in paths}
            return call(*paths)

        return check

    monkeypatch.setattr(system, "RENAMES_OPEN_FILES", False)
    monkeypatch.setattr(system, "open", open_and_note)
    monkeypatch.setattr(system, "close", close_and_note)
    monkeypatch.setattr(system, "replace", when_closed(os.replace))
    monkeypatch.setattr(system, "unlink", when_closed(os.unlink))
    checkpoints.replace_file(tmp_path / "notes", b"new")
    for step in (1, 2):
        checkpoints.write(tmp_path / "last.h5", checkpoints.Checkpoint({"step": step}, example.entries))
    (tmp_path / temporary("last.h5")).touch()
    assert len(checkpoints.sweep(tmp_path)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.h5", "last.h5.prev", "notes"]
    assert not opened


def test_sweep_removes_what_dead_writers_left_and_nothing_else(tmp_path: Path, example: checkpoints.Checkpoint) -> None:
    path = tmp_path / "last.h5"
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


def test_sweep_leaves_the_file_of_a_living_writer(
    tmp_path: Path, example: checkpoints.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.h5"
    swept = []
    replace = os.replace

    def sweep_first(source: Any, target: Any) -> None:
        if str(target) == str(path):
            swept.append(checkpoints.sweep(tmp_path))
        replace(source, target)

    monkeypatch.setattr(system, "replace", sweep_first)
    checkpoints.write(path, example)
    assert swept == [[]]
    assert checkpoints.verify(path).format_version == 1


def test_sweep_does_not_mind_a_writer_that_is_quicker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = temporary("last.h5")
    monkeypatch.setattr(os, "listdir", lambda folder: [name])
    assert checkpoints.sweep(tmp_path) == []


def test_sweep_of_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SaveFailed, match="ENOENT"):
        checkpoints.sweep(tmp_path / "none")
