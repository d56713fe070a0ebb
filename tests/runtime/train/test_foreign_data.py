"""A checkpoint from someone else names data: they are opened in its own folder, elsewhere only with --data."""

import json
import shutil
from pathlib import Path

import pytest

from nnspec import checkpoints
from nnspec.runtime.train.checkpointing import folder_identity
from tests.support.commands import nnspec, write_data, write_spec

RUN = ("dense 3 softmax", "optimizer sgd", "schedule constant", "train 4 iterations batch=8 evaluate_every=2")
SECRET = "root:x:0:0:root:/root:/bin/bash"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with data.npz, net.nnspec and its run, and a secret file next to it."""
    folder = tmp_path / "project"
    folder.mkdir()
    write_data(folder)
    write_spec(folder, *RUN)
    assert nnspec(folder, "train", "net.nnspec", "--out", "run").exit_code == 0
    (tmp_path / "secret.csv").write_text(f"{SECRET}\n{SECRET}\n")
    return folder


def sealed_by_someone_else(project: Path, target: Path, data: str, folder: str = ".", **info: object) -> None:
    """Write a sealed run that names other data."""
    made = checkpoints.read(project / "run" / "last.h5")
    entries = dict(made.entries)
    before = str(entries["spec/resolved"])
    after = "\n".join(data if line.startswith("data ") else line for line in before.splitlines()) + "\n"
    entries["spec/resolved"] = after
    entries["run/info"] = json.dumps({"folder": folder, "seconds": 1.0, **info})
    from nnspec.runtime.infer.network_file import text_digest

    target.parent.mkdir(exist_ok=True)
    meta = {**made.meta, "spec_digest": text_digest(after)}
    checkpoints.write(target, checkpoints.Checkpoint(meta, entries))


def test_a_run_is_measured_where_it_was_made_also_after_a_rename(project: Path) -> None:
    (project / "net.nnspec").unlink()
    assert nnspec(project, "eval", "run").exit_code == 0
    (project / "run").rename(project / "renamed")
    assert nnspec(project, "eval", "renamed").exit_code == 0
    assert nnspec(project, "resume", "renamed").exit_code == 0
    assert nnspec(project, "eval", "renamed/best.h5").exit_code == 0


def test_a_project_is_copied_with_its_spec(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy")
    assert nnspec(tmp_path, "eval", "copy/run").exit_code == 0
    (tmp_path / "copy" / "net.nnspec").write_text("dense 3 softmax")
    refused = nnspec(tmp_path, "eval", "copy/run")
    assert refused.exit_code == 2 and "names data outside its folder" in refused.stderr
    statement = refused.stderr.strip().partition("give --data ")[2].strip("'")
    assert nnspec(tmp_path, "eval", "copy/run", "--data", statement).exit_code == 0


@pytest.mark.parametrize("way", ["absolute", "relative", "recorded folder", "link"])
def test_a_file_outside_its_folder_is_not_opened(project: Path, tmp_path: Path, way: str) -> None:
    target, secret = tmp_path / "got" / "last.h5", tmp_path / "secret.csv"
    path, folder = {
        "absolute": (str(secret), "."),
        "relative": ("../secret.csv", "."),
        "recorded folder": ("secret.csv", ".."),
        "link": ("link.csv", "."),
    }[way]
    sealed_by_someone_else(project, target, f'data csv "{path}" target=y', folder)
    (target.parent / "link.csv").symlink_to(secret)
    for arguments in (("eval", "got"), ("resume", "got", "--allow-inexact"), ("plot", "confusion", "got")):
        refused = nnspec(tmp_path, *arguments)
        assert refused.exit_code == 2, arguments
        assert "names data outside its folder" in refused.stderr and "--data" in refused.stderr
        assert SECRET not in refused.stdout + refused.stderr


def test_a_pipe_in_its_own_folder_is_not_waited_for(project: Path, tmp_path: Path) -> None:
    import os

    target = tmp_path / "got" / "last.h5"
    sealed_by_someone_else(project, target, 'data csv "pipe" target=y')
    os.mkfifo(target.parent / "pipe")
    refused = nnspec(tmp_path, "eval", "got")
    assert refused.exit_code == 2 and "it is a pipe or a device" in refused.stderr


def test_data_in_its_own_folder_are_read(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "got" / "last.h5"
    sealed_by_someone_else(project, target, 'data npz "data.npz" split=75/25')
    shutil.copy(project / "data.npz", target.parent)
    assert nnspec(tmp_path, "eval", "got").exit_code == 0


def test_a_spec_with_its_text_and_other_data_does_not_help(project: Path, tmp_path: Path) -> None:
    sealed_by_someone_else(project, project / "got" / "last.h5", 'data csv "../secret.csv" target=y', "..")
    refused = nnspec(project, "eval", "got")
    assert refused.exit_code == 2 and SECRET not in refused.stderr


def test_the_folder_of_another_user_does_not_help(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "net.nnspec").unlink()
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert nnspec(project, "eval", "run").exit_code == 2


def test_the_root_of_a_file_system_does_not_help(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "net.nnspec").unlink()
    monkeypatch.setattr("os.path.ismount", lambda path: True)
    assert nnspec(project, "eval", "run").exit_code == 2


def test_resuming_with_other_data_does_not_make_a_file_ones_own(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "got" / "last.h5"
    sealed_by_someone_else(project, target, f'data npz "{project / "data.npz"}" split=75/25')
    given = ("--data", f'npz "{project / "data.npz"}" split=75/25')
    assert nnspec(tmp_path, "resume", "got", *given).exit_code == 0
    assert nnspec(tmp_path, "eval", "got").exit_code == 2
    info = json.loads(str(checkpoints.read(target).entries["run/info"]))
    assert info.get("made_in") != folder_identity(target.parent)
