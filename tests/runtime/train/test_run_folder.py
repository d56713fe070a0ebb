"""A run's folder: what is left in it, whatever happens to it or to the process."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nnspec.checkpoints import system
from nnspec.runtime.errors import CheckpointError, TrainingError
from nnspec.runtime.train import run_folder as runs
from nnspec.runtime.train.run_folder import RunFolder, new_folder, preview_new_folder, resolve_checkpoint
from nnspec.runtime.train.step import Stepper
from tests.support.commands import child_environment, nnspec, write_data, write_spec

LENGTH = "train 12 iterations batch=8 evaluate_every=4 checkpoint_every=4"

KILLED = """
import os, signal, sys
from nnspec.checkpoints import system
import nnspec.cli
setattr({"os": os, "system": system}[sys.argv[1]], sys.argv[2], lambda *arguments: os.kill(os.getpid(), signal.SIGKILL))
nnspec.cli.command_line(sys.argv[3:])
"""
"""The command, killed at its first such call for a small file of the run's folder; saves have calls of their own."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a spec."""
    write_data(tmp_path)
    write_spec(tmp_path, "dense 6 relu -> dense 3 softmax", "optimizer adam", "schedule constant", LENGTH)
    return tmp_path


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("call", ["os fsync", "system replace"])
def test_what_a_kill_leaves_of_a_small_file_is_gone_after_the_next_start(folder: Path, call: str) -> None:
    """The probe of the folder when killed at the fsync, the copy of the spec when killed at the rename."""
    command = [sys.executable, "-c", KILLED, *call.split(), "train", "net.nnspec", "--out", "run", "--quiet"]
    assert subprocess.run(command, cwd=folder, env=child_environment()).returncode == -signal.SIGKILL
    assert len(left_over(folder / "run")) == 1
    assert nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet").exit_code == 0
    assert left_over(folder / "run") == []


def test_the_names_of_new_folders_are_on_the_disk_before_anything_is_saved_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(system, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    runs.new_folder("net", tmp_path / "mine" / "first")
    assert sorted(synced) == sorted(path.stat().st_ino for path in (tmp_path, tmp_path / "mine"))
    synced.clear()
    runs.new_folder("net", tmp_path / "mine" / "first")
    assert synced == []


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(runs.os, "fsync", refuse)
    with pytest.raises(TrainingError, match=r"run cannot be written: No space left on device \(errno 28\)"):
        runs.new_folder("net", tmp_path / "run")
    assert left_over(tmp_path / "run") == []


def test_a_folder_with_a_run_in_it_is_refused_untouched(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("")
    for ask in (runs.new_folder, runs.preview_new_folder):
        refused = _refusal(ask, tmp_path)
        assert "already holds a run: continue it by nnspec resume" in refused
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def _refusal(ask: Any, path: Path) -> str:
    try:
        return str(ask("net", path)[1])
    except TrainingError as error:
        return str(error)


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    for path in (tmp_path / "notes", tmp_path / "notes" / "run"):
        assert "notes is a file: a run needs a folder" in _refusal(runs.preview_new_folder, path)
    with pytest.raises(TrainingError, match="notes is a file"):
        runs.new_folder("net", tmp_path / "notes")


def test_runs_of_one_name_get_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [str(runs.new_folder("net", None).path) for _ in range(3)] == ["runs/net", "runs/net-2", "runs/net-3"]
    assert str(runs.preview_new_folder("net", None)[0]) == "runs/net-4"


def test_a_file_stands_for_itself_and_a_folder_for_its_last_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.h5").touch()
    assert runs.resolve_checkpoint(tmp_path / "run") == tmp_path / "run" / "last.h5"
    assert runs.resolve_checkpoint(tmp_path / "run" / "best.h5") == tmp_path / "run" / "best.h5"
    with pytest.raises(CheckpointError, match=r"is not a run: it has no last\.h5; did you mean") as told:
        runs.resolve_checkpoint(tmp_path)
    assert told.value.exit_code == 2


def test_a_small_file_that_the_system_refuses_leaves_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path)
    run.write_text("spec.nnspec", "former")

    def refuse(*_: object) -> None:
        raise OSError(5, os.strerror(5))

    for call in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(system, call, refuse)
            with pytest.raises(TrainingError, match=r"spec.nnspec cannot be written: Input/output error \(errno 5\)"):
                run.write_text("spec.nnspec", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("spec.nnspec", "former")]


def test_lines_of_the_log_are_json_whatever_was_measured(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.log([{"event": "end", "test_loss": math.nan, "test_rmse": math.inf, "steps": 3, "out": None}])

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    read = json.loads(line, parse_constant=refuse)
    assert read == {"event": "end", "test_loss": None, "test_rmse": None, "steps": 3, "out": None}


def test_lines_of_the_log_are_on_the_disk_before_a_checkpoint_can_be_ahead_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(runs.os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    RunFolder(tmp_path).log([{"event": "evaluation", "step": 1}])
    assert sizes == [(tmp_path / "metrics.jsonl").stat().st_size]


@pytest.mark.parametrize("at", [2, 4, 6])
def test_a_run_whose_folder_vanishes_ends_with_a_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    advance = Stepper.advance

    def vanishing(self: Stepper, most: int) -> list[float]:
        losses = advance(self, most)
        if self.state.step - len(losses) < at <= self.state.step:
            shutil.rmtree(folder / "run")
        return losses

    monkeypatch.setattr(Stepper, "advance", vanishing)
    failed = nnspec(folder, "train", "net.nnspec", "--out", "run", "--quiet")
    assert failed.exit_code == 1
    assert "Traceback" not in failed.stderr
    assert "run/metrics.jsonl cannot be written: No such file or directory" in failed.stderr
    assert not (folder / "run").exists()


def test_what_follows_a_save_leaves_it_to_the_next_one_to_tell_that_the_folder_vanished(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "none")
    assert run.disk_space_warning() is None
    run.keep_steps(1)


def test_only_the_last_checkpoints_by_step_are_kept_and_a_refusal_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunFolder(tmp_path)
    for step in (9, 10, 200):
        run.at_step(step).touch()
    run.keep_steps(2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000010.h5", "step-000000200.h5"]

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(TrainingError, match=r"step-000000010\.h5 cannot be written: Permission denied"):
        run.keep_steps(1)


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_the_prospect_is_the_folder_that_a_run_then_gets(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(taken):
        new_folder("net", None)
    path, problem = preview_new_folder("net", None)
    assert problem is None and not path.exists()
    assert new_folder("net", None).path == path


def test_a_prospect_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    for out in (None, "there", "a/b/c", tmp_path / "there" / "deep"):
        assert preview_new_folder("net", out)[1] is None
    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*")] == [Path("there")]


def test_a_folder_that_holds_a_run_a_file_and_a_full_disk_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    new_folder("net", "mine").last.write_text("")
    (tmp_path / "file").write_text("")
    assert "mine already holds a run" in str(preview_new_folder("net", "mine")[1])
    assert "file is a file" in str(preview_new_folder("net", "file")[1])
    assert "file is a file" in str(preview_new_folder("net", "file/run")[1])

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device (errno 28)" in str(preview_new_folder("net", "new")[1])


def test_a_pipe_in_a_runs_folder_is_not_waited_for(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    os.mkfifo(tmp_path / "spec.nnspec")
    os.mkfifo(tmp_path / "metrics.jsonl")
    assert folder.edited_spec_warning("dense 3") is None
    with pytest.raises(TrainingError, match=r"metrics\.jsonl cannot be read: it is a pipe or a device"):
        folder.truncate_log(3)


def test_a_name_that_is_too_long_is_not_a_folder() -> None:
    assert resolve_checkpoint("x" * 300) == Path("x" * 300)
