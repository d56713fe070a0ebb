"""A run's folder says what it was made from, and its resolved.nnspec trains the same run again from anywhere."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnspec import api, checkpoints
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.infer.network_file import network_from_bytes
from nnspec.runtime.train.checkpointing import load_run
from tests.support.commands import nnspec, write_data

SPEC = """network points
dense 4 relu -> dense 3 softmax
data npz "data.npz" split=75/25
train 4 iterations batch=8 seed=3
variant wide {
  dense 9 relu -> dense 3 softmax
}
"""
WIDE = ("--variant", "wide", "--set", "optimizer.lr=0.02", "--seed", 5)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with data.npz, net.nnspec and a run of its variant."""
    folder = tmp_path / "project"
    folder.mkdir()
    write_data(folder)
    (folder / "net.nnspec").write_text(SPEC)
    assert nnspec(folder, "train", "net.nnspec", *WIDE).exit_code == 0
    return folder


def weights(run: Path) -> bytes:
    """The parameters of a run as bytes."""
    return load_run(run / "last.h5").state.network.parameter_arena.flat.tobytes()


def test_a_variant_names_its_run(project: Path) -> None:
    run = project / "runs" / "points-wide"
    spec = load_run(run / "last.h5").network.spec
    assert (spec.name, spec.variant, spec.title) == ("points", "wide", "points-wide")
    again = nnspec(project, "train", "net.nnspec", *WIDE)
    assert (
        "training points-wide: " in again.stderr and "the run of points-wide is in runs/points-wide-2" in again.stdout
    )
    assert nnspec(project, "plan", "net.nnspec", "--variant", "wide", "--json").stdout.count("runs/points-wide-3") == 1


def test_what_was_asked_for_is_in_the_checkpoint_and_in_the_folder(project: Path) -> None:
    run = project / "runs" / "points-wide"
    shown = json.loads(nnspec(project, "inspect", run, "--json").stdout)
    assert shown["variant"] == "wide"
    assert shown["overrides"] == [["optimizer.lr", "0.02"], ["train.seed", "5"]]
    lines = nnspec(project, "inspect", run).stdout.splitlines()
    assert "  variant      wide" in lines and "  changed by   optimizer.lr=0.02, train.seed=5" in lines
    assert any(line.split()[:4] == ["baseline", "majority", "class,", "on"] for line in lines)
    first = (run / "resolved.nnspec").read_text().splitlines()[0]
    assert first == "# net.nnspec, variant wide, with --set optimizer.lr=0.02 --set train.seed=5"


def test_a_network_keeps_its_variant_without_a_run(project: Path) -> None:
    network = load_run(project / "runs" / "points-wide" / "last.h5").network
    assert network_from_bytes(network.to_bytes()).spec.title == "points-wide"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("variant", "no name"),
        ("variant", "\x1b[31m"),
        ("overrides", "{}"),
        ("overrides", '[["a"]]'),
        ("overrides", "[" * 9000),
        ("overrides", "x"),
    ],
)
def test_a_stored_variant_is_a_name_and_settings_are_texts(project: Path, entry: str, text: str) -> None:
    file = project / "runs" / "points-wide" / "last.h5"
    made = checkpoints.read(file)
    checkpoints.write(file, checkpoints.Checkpoint(made.meta, {**made.entries, f"spec/{entry}": text}))
    with pytest.raises(CheckpointError, match=f"spec/{entry}|Expecting value"):
        load_run(file)


@pytest.mark.parametrize("where", [".", "..", "runs", "runs/points-wide"])
def test_the_resolved_spec_trains_the_same_run_from_anywhere(project: Path, tmp_path: Path, where: str) -> None:
    run = project / "runs" / "points-wide"
    done = nnspec(project / where, "train", run / "resolved.nnspec", "--out", tmp_path / "again")
    assert done.exit_code == 0
    assert weights(tmp_path / "again") == weights(run)


def test_it_does_so_after_the_project_has_moved(project: Path, tmp_path: Path) -> None:
    project.rename(tmp_path / "elsewhere")
    run = tmp_path / "elsewhere" / "runs" / "points-wide"
    assert nnspec(tmp_path, "train", run / "resolved.nnspec", "--out", "again").exit_code == 0
    assert weights(tmp_path / "again") == weights(run)


def test_a_statement_from_outside_is_in_force_there_too(project: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write_data(tmp_path / "other", samples=60)
    data = ("--data", 'npz "other/data.npz" split=50/50')
    assert nnspec(tmp_path, "train", project / "net.nnspec", *data, "--out", "run").exit_code == 0
    text = (tmp_path / "run" / "resolved.nnspec").read_text()
    assert 'npz "../other/data.npz"' in text and "split=50/50" in text.partition("\n")[2]
    assert nnspec(project, "train", tmp_path / "run" / "resolved.nnspec", "--out", tmp_path / "again").exit_code == 0
    assert weights(tmp_path / "again") == weights(tmp_path / "run")


def test_a_run_on_arrays_asks_for_data(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    api.train("dense 2 softmax", tmp_path / "run", {"train.epochs": 1}, data=(x, np.arange(20) % 2))
    refused = nnspec(tmp_path, "train", "run/resolved.nnspec", "--out", "again")
    assert refused.exit_code == 2 and "the data are arrays" in refused.stderr and "--data" in refused.stderr


def test_a_run_folder_moved_alone_asks_for_data(project: Path, tmp_path: Path) -> None:
    shutil.move(project / "runs" / "points-wide", tmp_path / "alone")
    refused = nnspec(tmp_path, "train", "alone/resolved.nnspec", "--out", "again")
    assert refused.exit_code == 2 and "there is no file " in refused.stderr and "--data " in refused.stderr
