import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint, Refused, SaveFailed, layout, system

CALLS = ["open", "flock", "write", "fsync", "pread", "link", "replace", "read", "unlink"]


@pytest.fixture
def saved(example: checkpoints.Checkpoint, tmp_path: Path) -> "Saved":
    """A folder with a file and its former version, and the bytes of the three versions there are to be."""
    return Saved(tmp_path / "last.h5", example)


class Saved:
    def __init__(self, path: Any, example: checkpoints.Checkpoint) -> None:
        self.path, self.former = path, Path(f"{path}.prev")
        self.oldest, self.old, self.new = (Checkpoint({**example.meta, "step": s}, example.entries) for s in (1, 2, 3))
        checkpoints.write(path, self.oldest)
        checkpoints.write(path, self.old)

    def contents(self, last: Any, former: Any) -> Any:
        """The files of two versions, by name, as `files` returns them."""
        versions = {"last.h5": getattr(self, last), "last.h5.prev": getattr(self, former)}
        return {name: checkpoints.to_bytes(version) for name, version in versions.items()}

    def files(self) -> Any:
        return {path.name: path.read_bytes() for path in self.path.parent.iterdir()}


class Faults:
    """Count the system calls; let the `at`-th of a kind fail, or the process die before the `at`-th of all."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, kind: Any = None, at: Any = None, number: Any = 0, dies: Any = False
    ) -> None:
        self.calls: list[str] = []
        self.kind, self.at, self.number, self.dies, self.dead = kind, at, number, dies, False
        for name in CALLS:
            monkeypatch.setattr(system, name, self.watched(name, getattr(os, name, None) or system.flock))

    def watched(self, name: Any, call: Any) -> Any:
        def watch(*arguments: object) -> Any:
            self.calls.append(name)
            mine = [one for one in self.calls if self.kind in (None, one)]
            if self.dead or (self.dies and len(mine) == self.at):
                self.dead = True
                raise Killed
            if name == self.kind and len(mine) == self.at:
                raise OSError(self.number, os.strerror(self.number))
            return call(*arguments)

        return watch


class Killed(BaseException):
    """What stands for SIGKILL: nothing that touches the disk works after it."""


def count_calls(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> Any:
    with monkeypatch.context() as patch:
        faults = Faults(patch)
        checkpoints.write(saved.path, saved.new)
    return faults.calls


def test_a_save_keeps_the_former_file_and_leaves_nothing_else(saved: Saved) -> None:
    checkpoints.write(saved.path, saved.new)
    assert saved.files() == {
        "last.h5": checkpoints.to_bytes(saved.new),
        "last.h5.prev": checkpoints.to_bytes(saved.old),
    }


def test_the_first_save_has_no_former_file(example: checkpoints.Checkpoint, tmp_path: Path) -> None:
    checkpoints.write(tmp_path / "last.h5", example)
    assert [path.name for path in tmp_path.iterdir()] == ["last.h5"]


def test_keep_previous_off_leaves_the_former_version_as_it_is(saved: Saved) -> None:
    checkpoints.write(saved.path, saved.new, keep_previous=False)
    assert saved.files() == {
        "last.h5": checkpoints.to_bytes(saved.new),
        "last.h5.prev": checkpoints.to_bytes(saved.oldest),
    }


def test_a_damaged_file_never_replaces_a_whole_former_one(saved: Saved) -> None:
    saved.path.write_bytes(saved.path.read_bytes()[:-1])
    checkpoints.write(saved.path, saved.new)
    assert saved.files() == {
        "last.h5": checkpoints.to_bytes(saved.new),
        "last.h5.prev": checkpoints.to_bytes(saved.oldest),
    }


def test_a_former_version_that_is_the_file_itself_is_replaced(saved: Saved) -> None:
    saved.former.unlink()
    os.link(saved.path, saved.former)
    checkpoints.write(saved.path, saved.new)
    assert saved.files() == {
        "last.h5": checkpoints.to_bytes(saved.new),
        "last.h5.prev": checkpoints.to_bytes(saved.old),
    }


def test_a_plain_file_name_is_written_in_the_current_folder(
    example: checkpoints.Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoints.write("last.h5", example)
    assert checkpoints.differing_entries(checkpoints.read("last.h5"), example) == []


def test_the_file_has_the_permissions_that_the_user_gives_to_new_files(
    example: checkpoints.Checkpoint, tmp_path: Path
) -> None:
    before = os.umask(0o027)
    try:
        checkpoints.write(tmp_path / "last.h5", example)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "last.h5").stat().st_mode) == 0o640


def test_what_cannot_be_held_is_refused_before_the_disk_is_touched(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults(monkeypatch)
    before = saved.files()
    with pytest.raises(Refused, match="weights/w holds NaN") as told:
        checkpoints.write(saved.path, Checkpoint({}, {"weights/w": np.array([np.nan])}))
    assert told.value.path == str(saved.path)
    assert (faults.calls, saved.files()) == ([], before)


def test_a_file_larger_than_readers_take_is_not_written(saved: Saved) -> None:
    before = saved.files()
    size = len(checkpoints.to_bytes(saved.new))
    for limit in (10, size - 1):
        with pytest.raises(Refused, match=f"at most {limit}"):
            checkpoints.write(saved.path, saved.new, max_bytes=limit)
    assert saved.files() == before
    checkpoints.write(saved.path, saved.new, max_bytes=size)
    assert checkpoints.differing_entries(checkpoints.read(saved.path, max_bytes=size), saved.new) == []


def test_arrays_that_are_too_large_are_refused_before_an_image_is_built(
    monkeypatch: pytest.MonkeyPatch, example: checkpoints.Checkpoint
) -> None:
    monkeypatch.delattr(layout, "build_image")
    with pytest.raises(Refused, match="at most 100"):
        checkpoints.to_bytes(example, max_bytes=100)


def test_a_file_that_readers_would_refuse_is_not_written_even_if_it_was_built(
    monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    before, build_image = saved.files(), layout.build_image
    monkeypatch.setattr(layout, "build_image", lambda stored: build_image({**stored, "data/order": np.zeros(3)}))
    with pytest.raises(Refused, match="data/order is not what the table in /meta says"):
        checkpoints.write(saved.path, saved.new)
    assert saved.files() == before


def test_the_steps_come_in_the_order_that_makes_them_safe(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> None:
    calls = count_calls(monkeypatch, saved)
    steps = [name for name in calls if name in ("write", "fsync", "link", "replace")]
    assert steps == ["write", "fsync", "link", "replace", "fsync", "replace"]
    assert calls.index("fsync") < calls.index("pread") < calls.index("link")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("kind", ["open", "flock", "write", "fsync", "pread", "link", "replace"])
def test_whichever_step_the_system_refuses_the_former_files_stay_byte_for_byte(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example: checkpoints.Checkpoint, kind: str, number: Any
) -> None:
    calls = count_calls(monkeypatch, Saved(tmp_path / "counted.h5", example))
    failures = 0
    for at in range(1, calls.count(kind) + 1):
        folder = tmp_path / f"{kind}{at}"
        folder.mkdir()
        saved = Saved(folder / "last.h5", example)
        before = saved.files()
        with monkeypatch.context() as patch:
            faults = Faults(patch, kind, at, number)
            try:
                checkpoints.write(saved.path, saved.new)
            except SaveFailed as failed:
                failures += 1
                assert (failed.path, failed.errno) == (str(saved.path), number)
                assert str(saved.path) in str(failed) and os.strerror(number) in str(failed) and failed.help
                assert saved.files() == before
                assert kind != "fsync" or faults.calls.count("fsync") == at, "a failed fsync was tried again"
            else:  # it could not look at the former file, which then is not kept
                assert saved.files() == {**before, "last.h5": checkpoints.to_bytes(saved.new)}
                assert kind == "open"
    assert failures >= 2 if kind in ("open", "fsync", "pread", "replace") else failures == 1


@pytest.mark.parametrize("kind", ["write", "fsync", "pread", "replace"])
def test_a_first_save_that_fails_leaves_no_file_at_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example: checkpoints.Checkpoint, kind: str
) -> None:
    with monkeypatch.context() as patch:
        Faults(patch, kind, at=1 if kind != "fsync" else 2, number=errno.EIO)
        with pytest.raises(SaveFailed, match="EIO"):
            checkpoints.write(tmp_path / "last.h5", example)
    assert list(tmp_path.iterdir()) == []


def test_a_save_killed_before_any_system_call_leaves_the_old_or_the_new_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example: checkpoints.Checkpoint
) -> None:
    steps = len(count_calls(monkeypatch, Saved(tmp_path / "counted.h5", example)))
    seen = set()
    for at in range(1, steps + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        saved = Saved(folder / "last.h5", example)
        with monkeypatch.context() as patch:
            Faults(patch, at=at, dies=True)
            with pytest.raises(Killed):
                checkpoints.write(saved.path, saved.new)
        checkpoints.sweep(folder)
        files = saved.files()
        oldest, old, new = (checkpoints.to_bytes(version) for version in (saved.oldest, saved.old, saved.new))
        state = (files.pop("last.h5"), files.pop("last.h5.prev"))
        assert state in [(old, oldest), (new, oldest), (new, old)] and not files
        seen.add(state)
        with checkpoints.lock(saved.path):
            checkpoints.write(saved.path, saved.new)
        assert saved.files()["last.h5"] == new
    assert len(seen) == 3


def test_there_is_a_whole_file_at_every_instant(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> None:
    oldest, old, new = (checkpoints.to_bytes(version) for version in (saved.oldest, saved.old, saved.new))
    seen = []

    def watched(call: Any) -> Any:
        def watch(*arguments: object) -> Any:
            result = call(*arguments)
            seen.append((saved.path.read_bytes(), saved.former.read_bytes()))
            return result

        return watch

    for name in CALLS:
        monkeypatch.setattr(system, name, watched(getattr(system, name)))
    checkpoints.write(saved.path, saved.new)
    assert set(seen) == {(old, oldest), (new, oldest), (new, old)}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_where_there_are_no_hard_links_the_former_file_is_copied(
    monkeypatch: pytest.MonkeyPatch, saved: Saved, number: Any
) -> None:
    faults = Faults(monkeypatch, "link", at=1, number=number)
    checkpoints.write(saved.path, saved.new)
    assert faults.calls.count("fsync") == 3, "the new file, the copy, the folder"
    assert saved.files() == {
        "last.h5": checkpoints.to_bytes(saved.new),
        "last.h5.prev": checkpoints.to_bytes(saved.old),
    }


def test_where_folders_have_no_handles_only_the_new_file_is_fsynced(
    monkeypatch: pytest.MonkeyPatch, saved: Saved
) -> None:
    """As on Windows."""
    monkeypatch.setattr(system, "FOLDER", None)
    assert count_calls(monkeypatch, saved).count("fsync") == 1
    assert saved.files() == saved.contents("new", "old")


def test_a_folder_that_cannot_be_fsynced_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> None:
    Faults(monkeypatch, "fsync", at=2, number=errno.EINVAL)
    checkpoints.write(saved.path, saved.new)
    assert saved.path.read_bytes() == checkpoints.to_bytes(saved.new)


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"x", lambda data: data[:-1], lambda data: data + b"\0"])
def test_a_disk_that_gives_back_something_else_is_told(
    monkeypatch: pytest.MonkeyPatch, saved: Saved, change: Any
) -> None:
    before = saved.files()
    monkeypatch.setattr(system, "pread", lambda handle, size, at: change(os.pread(handle, 2**20, 0))[at : at + size])
    with pytest.raises(SaveFailed, match="differs from what was written") as told:
        checkpoints.write(saved.path, saved.new)
    assert told.value.errno == 0
    assert saved.files() == before


def test_a_disk_that_takes_few_bytes_at_a_time_gets_them_all(monkeypatch: pytest.MonkeyPatch, saved: Saved) -> None:
    write = os.write
    monkeypatch.setattr(system, "write", lambda handle, data: write(handle, data[:1000]))
    checkpoints.write(saved.path, saved.new)
    assert saved.path.read_bytes() == checkpoints.to_bytes(saved.new)


@pytest.mark.parametrize(
    ("number", "help"), [(errno.ENOSPC, "make room in"), (errno.EROFS, "writable"), (errno.EIO, "another disk")]
)
def test_the_help_fits_what_went_wrong(monkeypatch: pytest.MonkeyPatch, saved: Saved, number: Any, help: str) -> None:
    Faults(monkeypatch, "write", at=1, number=number)
    with pytest.raises(SaveFailed) as told:
        checkpoints.write(saved.path, saved.new)
    assert help in told.value.help


def test_a_folder_that_is_not_there_and_a_path_that_is_a_folder_are_told(
    example: checkpoints.Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(SaveFailed, match="ENOENT"):
        checkpoints.write(tmp_path / "none" / "last.h5", example)
    (tmp_path / "last.h5").mkdir()
    with pytest.raises(SaveFailed, match=r"EISDIR|EPERM"):
        checkpoints.write(tmp_path / "last.h5", example)
    assert [path.name for path in tmp_path.iterdir()] == ["last.h5"]


WRITER = """
import sys, numpy as np
from nnspec import checkpoints
step = 0
while True:
    step += 1
    checkpoints.write(sys.argv[1], checkpoints.Checkpoint({"step": step}, {"weights/w": np.full(20_000, float(step))}))
    print(step, flush=True)
"""


def test_a_writer_that_is_killed_leaves_a_whole_file_of_its_last_saves(tmp_path: Path) -> None:
    path = tmp_path / "last.h5"
    for saves in (1, 2, 5):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(saves):
                told = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
        checkpoint = checkpoints.read(path)
        assert checkpoint.meta["step"] >= told
        assert (checkpoint.entries["weights/w"] == checkpoint.meta["step"]).all()
        checkpoints.sweep(tmp_path)
        assert {name.name for name in tmp_path.iterdir()} <= {"last.h5", "last.h5.prev"}
