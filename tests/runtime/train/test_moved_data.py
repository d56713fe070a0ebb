"""runtime/train/data_files.py: the data of a run are found again by their digest, where they may be looked for."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnspec import api, checkpoints
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.train import data_files
from nnspec.runtime.train.checkpointing import load_run
from tests.support.commands import nnspec, write_data, write_spec

RUN = ("dense 3 softmax", "optimizer sgd", "schedule constant", "train 4 iterations batch=8 evaluate_every=2")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data/data.npz, net.nnspec and its run in runs/one."""
    monkeypatch.delenv("NNSPEC_DATA", raising=False)
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    write_data(folder / "data")
    write_spec(folder, *RUN)
    spec = folder / "net.nnspec"
    spec.write_text(spec.read_text().replace("data.npz", "data/data.npz"))
    assert nnspec(folder, "train", "net.nnspec", "--out", "runs/one").exit_code == 0
    return folder


def loss(folder: Path, *arguments: object) -> float:
    """What eval measures, called in a folder."""
    done = nnspec(folder, "eval", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return float(json.loads(done.stdout)["loss"])


@pytest.mark.parametrize("place", ["runs/one/data.npz", "runs/data.npz", "renamed.npz", "data.npz"])
def test_moved_data_are_found_next_to_the_run_and_the_spec(project: Path, tmp_path: Path, place: str) -> None:
    before = loss(project, "runs/one")
    (project / "data" / "data.npz").rename(project / place)
    done = nnspec(tmp_path, "eval", project / "runs" / "one", "--json")
    assert json.loads(done.stdout)["loss"] == before
    assert "data/data.npz is now " in done.stderr and "found by its SHA-256" in done.stderr
    assert nnspec(tmp_path, "resume", project / "runs" / "one").exit_code == 0


def test_they_are_found_in_the_current_folder_and_in_nnspec_data(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = loss(project, "runs/one")
    (tmp_path / "here").mkdir()
    moved = (project / "data" / "data.npz").rename(tmp_path / "here" / "mine.npz")
    assert loss(tmp_path / "here", project / "runs" / "one") == before
    refused = nnspec(tmp_path, "eval", project / "runs" / "one")
    assert refused.exit_code == 2
    monkeypatch.setenv("NNSPEC_DATA", str(moved.parent))
    assert loss(tmp_path, project / "runs" / "one") == before


def test_the_question_for_data_says_what_was_sought_and_where(project: Path, tmp_path: Path) -> None:
    moved = (project / "data" / "data.npz").rename(tmp_path / "out_of_sight.npz")
    (tmp_path / "empty").mkdir()
    file = load_run(project / "runs" / "one" / "last.h5").network.spec.data_files[0]
    for verb in ("eval", "resume"):
        refused = nnspec(tmp_path / "empty", verb, project / "runs" / "one")
        assert refused.exit_code == 2
        assert (
            f"No file of {moved.stat().st_size:,} bytes with its SHA-256, {file.digest[:16]}…, is in " in refused.stderr
        )
        for folder in (project / "runs" / "one", project / "runs", project, tmp_path / "empty"):
            assert os.path.realpath(folder) in refused.stderr.replace(str(tmp_path), os.path.realpath(tmp_path))
        assert "--data 'npz " in refused.stderr
    assert loss(tmp_path, project / "runs" / "one", "--data", f'npz "{moved}" split=75/25') == pytest.approx(
        loss(tmp_path, project / "runs" / "one")
    )


def test_changed_data_are_said_by_eval_and_the_former_ones_found_by_resume(project: Path) -> None:
    data = project / "data" / "data.npz"
    shutil.copy(data, project / "data.npz.orig")
    write_data(project / "data", samples=48)
    changed = nnspec(project, "eval", "runs/one")
    assert changed.exit_code == 0 and "data/data.npz has changed since the run was trained on it" in changed.stderr
    resumed = nnspec(project, "resume", "runs/one")
    assert resumed.exit_code == 0 and "data.npz.orig, found by its SHA-256" in resumed.stderr
    (project / "data.npz.orig").unlink()
    refused = nnspec(project, "resume", "runs/one")
    assert refused.exit_code == 1 and "data/data.npz has changed since the run" in refused.stderr
    assert "name them with --data" in refused.stderr


def test_another_file_of_the_same_size_and_name_is_not_taken(project: Path) -> None:
    content = bytearray((project / "data" / "data.npz").read_bytes())
    (project / "data" / "data.npz").unlink()
    content[len(content) // 2] ^= 1
    (project / "runs" / "one" / "data.npz").write_bytes(content)
    assert nnspec(project, "eval", "runs/one").exit_code == 2


def someone_elses(project: Path, tmp_path: Path) -> Path:
    """The run as a stranger gets it: copied, without its spec or its data."""
    shutil.copytree(project / "runs" / "one", tmp_path / "got" / "run")
    return tmp_path / "got" / "run"


def test_the_folder_of_someone_elses_run_may_have_its_data(project: Path, tmp_path: Path) -> None:
    run = someone_elses(project, tmp_path)
    shutil.copy(project / "data" / "data.npz", run / "table.npz")
    assert loss(tmp_path, run) == loss(project, "runs/one")
    assert nnspec(tmp_path, "resume", run).exit_code == 0


@pytest.mark.parametrize("place", ["current folder", "NNSPEC_DATA", "parent", "its spec's folder", "link"])
def test_no_digest_of_someone_elses_run_is_looked_for_outside_its_folder(
    project: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is such a file opened: that it is there would be an answer."""
    run = someone_elses(project, tmp_path)
    private = tmp_path / "private"
    private.mkdir()
    folder = {"parent": run.parent, "its spec's folder": run.parents[1]}.get(place, private)
    secret = Path(shutil.copy(project / "data" / "data.npz", folder / "data.npz"))
    here = private if place == "current folder" else tmp_path / "project"
    (project / "data" / "data.npz").unlink()
    if place == "NNSPEC_DATA":
        monkeypatch.setenv("NNSPEC_DATA", str(private))
    if place == "link":
        (run / "data.npz").symlink_to(secret)
        (run / "data").symlink_to(private)
    opened: list[Path] = []
    real = data_files._identity
    monkeypatch.setattr(data_files, "_identity", lambda path: (opened.append(path), real(path))[1])
    for verb in ("eval", "resume"):
        refused = nnspec(here, verb, run)
        assert refused.exit_code == 2 and "names data outside its folder" in refused.stderr
        assert refused.stderr.count(str(run)) >= 1 and str(private) not in refused.stderr.partition(" is in ")[2]
    assert not opened


def test_pipes_and_folders_with_the_name_are_passed_over(project: Path, tmp_path: Path) -> None:
    run = someone_elses(project, tmp_path)
    os.mkfifo(run / "data.npz")
    assert nnspec(tmp_path, "eval", run).exit_code == 2
    (run / "data.npz").unlink()
    (run / "data.npz").mkdir()
    assert nnspec(tmp_path, "eval", run).exit_code == 2


def test_every_file_of_a_statement_is_found_where_it_is(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, count in (("x.npy", 40), ("t.npy", 12)):
        np.save(tmp_path / name, random.normal(size=(count, 3)))
        np.save(tmp_path / name.replace(".", "y."), np.arange(count) % 2)
    named = [tmp_path / name for name in ("x.npy", "xy.npy", "t.npy", "ty.npy")]
    data = 'npy "{}" y="{}" test="{}" test_y="{}"'.format(*named)
    api.train("dense 2 softmax", tmp_path / "run", {"train.epochs": 1}, data=data)
    before = loss(tmp_path, "run")
    (tmp_path / "run" / "sub").mkdir()
    (tmp_path / "xy.npy").rename(tmp_path / "run" / "labels")
    (tmp_path / "t.npy").rename(tmp_path / "run" / "t.npy")
    assert loss(tmp_path / "run" / "sub", tmp_path / "run") == before


def test_a_large_file_is_known_by_blocks_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "WHOLE", 100)
    monkeypatch.setattr(data_files, "BLOCK", 10)
    monkeypatch.setattr(data_files, "BLOCKS", 4)
    content = bytes(range(200)) * 5
    (tmp_path / "a").write_bytes(content)
    first = data_files._file_identity(tmp_path / "a")
    for place in (0, 5, 999):
        (tmp_path / "a").write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        assert data_files._file_identity(tmp_path / "a") != first
    assert first[0] == 1000


def test_a_folder_is_known_by_the_names_and_sizes_in_it(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "cats").mkdir(parents=True)
        (tmp_path / folder / "cats" / "1.png").write_bytes(b"12345")
    assert data_files._identity(tmp_path / "a") == data_files._identity(tmp_path / "b")
    (tmp_path / "b" / "cats" / "2.png").write_bytes(b"")
    assert data_files._identity(tmp_path / "a") != data_files._identity(tmp_path / "b")


@pytest.mark.parametrize(
    "found", [[], {"secret": {}}, {"path": 3}, {"path": {"bytes": "1", "sha256": "0" * 64}}, {"path": {"bytes": 1}}]
)
def test_what_a_checkpoint_says_of_files_is_checked(project: Path, found: object) -> None:
    file = project / "runs" / "one" / "last.h5"
    made = checkpoints.read(file)
    checkpoints.write(file, checkpoints.Checkpoint({**made.meta, "data_files": found}, dict(made.entries)))
    with pytest.raises(CheckpointError, match="data_files"):
        load_run(file)


def test_a_run_of_an_earlier_version_asks_for_its_data(project: Path) -> None:
    file = project / "runs" / "one" / "last.h5"
    made = checkpoints.read(file)
    meta = {key: value for key, value in made.meta.items() if key != "data_files"}
    checkpoints.write(file, checkpoints.Checkpoint(meta, dict(made.entries)))
    assert loss(project, "runs/one")
    (project / "data" / "data.npz").rename(project / "data.npz")
    refused = nnspec(project, "eval", "runs/one")
    assert refused.exit_code == 2 and "--data 'npz " in refused.stderr and "SHA-256" not in refused.stderr
