import re
import shutil
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest

from nnspec.checkpoints import writing
from tests.support.commands import child_environment
from tools.soak.crash_points import Recording, crash_points

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_loss_of_power_at_any_point_of_a_save_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    tally = crash_points(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 50


def test_the_model_sees_what_a_save_without_fsync_would_lose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that finds nothing wrong must find something where something is."""
    monkeypatch.setattr(writing, "fsync_folder", lambda folder: None)
    assert crash_points(1, 0, tmp_path, inf).failures


def test_the_model_sees_a_file_that_is_not_fsynced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "fsync", _of_folders_only)
    assert crash_points(1, 0, tmp_path, inf).failures


def _of_folders_only(recording: Recording, handle: int) -> None:
    if recording.handles[handle] is None:
        recording.changes.append(("fsync", None))


SAVE = """
import os, sys, numpy as np
from nnspec import checkpoints
from unittest.mock import patch
from nnspec.checkpoints import system

def told(name, call):
    def tell(*arguments):
        made.append(name)
        return call(*arguments)
    return tell

versions = [checkpoints.Checkpoint({"step": step}, {"weights/w": np.full(300, float(step))}) for step in (1, 2)]
checkpoints.write("last.h5", versions[0])
made = []
names = ("open", "write", "fsync", "pread", "read", "link", "replace", "unlink", "flock", "ftruncate")
with patch.multiple(system, **{name: told(name, getattr(system, name)) for name in names}):
    os.rmdir("begin")
    checkpoints.write("last.h5", versions[1])
    os.rmdir("end")
print(*made)
"""
SAME = {"openat": "open", "pread64": "pread", "linkat": "link", "rename": "replace", "renameat": "replace"}
LOOKING = ("getcwd", "close", "fstat", "newfstatat", "mmap", "lseek", "ioctl", "fcntl")


def test_the_calls_that_are_recorded_and_made_to_fail_are_all_that_a_save_makes(tmp_path: Path) -> None:
    """As strace sees it: nothing else changes, syncs, reads or locks a file."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not here")
    (tmp_path / "begin").mkdir()
    (tmp_path / "end").mkdir()
    command = [strace, "-f", "-e", "trace=%desc,%file", "-o", str(tmp_path / "trace")]
    done = subprocess.run(
        [*command, sys.executable, "-c", SAVE], cwd=tmp_path, env=child_environment(), capture_output=True, text=True
    )
    trace = (tmp_path / "trace").read_text()
    (between,) = re.findall(r'"begin"\).*?\n(.*?)\n[^\n]*"end"\)', trace, re.DOTALL)
    seen = [call for line in between.splitlines() for call in re.findall(r"^\d+\s+(\w+)\(", line)]
    assert done.stdout.split() == [SAME.get(call, call) for call in seen if call not in LOOKING]
    assert {"write", "fsync", "replace"} <= set(done.stdout.split())
