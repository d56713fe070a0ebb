"""Runs that go on elsewhere: on arrays, through links, after a move, with an edited spec, without their lock."""

import os
from pathlib import Path

import numpy as np
import pytest

import nnspec
from nnspec.runtime.errors import CheckpointError, DataError, TrainingError
from tests.support.commands import at_step, differing, lasting, write_data, write_spec
from tests.support.commands import nnspec as command

SPEC = (
    "dense 5 tanh -> dense 3 softmax\noptimizer adam\ntrain 10 iterations batch=8 evaluate_every=2 checkpoint_every=3"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data.npz and net.nnspec."""
    write_data(tmp_path)
    write_spec(tmp_path, "dense 5 tanh -> dense 3 softmax", "optimizer adam", "schedule cosine")
    return tmp_path


def arrays(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(seed).normal(size=(36, 4)), np.arange(36) % 3


def test_a_run_on_arrays_goes_on_with_the_same_arrays_to_the_same_bytes(folder: Path) -> None:
    nnspec.train(SPEC, out=folder / "whole", data=arrays(), seed=5)
    with at_step(4), pytest.raises(TrainingError, match=r"nnspec\.resume\('.*run', data=\(x, y\)\)"):
        nnspec.train(SPEC, out=folder / "run", data=arrays(), seed=5)
    with pytest.raises(CheckpointError, match=r"trained on arrays; nnspec\.resume\(.*data=\(x, y\)\)"):
        nnspec.resume(folder / "run")
    with pytest.raises(CheckpointError, match="not those it was trained on: give the same data"):
        nnspec.resume(folder / "run", data=arrays(1))
    nnspec.resume(folder / "run", data=arrays())
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_data_that_have_moved_are_named_and_found_by_their_digest(folder: Path) -> None:
    with at_step(4):
        assert command(folder, "train", "net.nnspec", "--out", "run").exit_code == 130
    assert command(folder, "train", "net.nnspec", "--out", "whole").exit_code == 0
    (folder / "elsewhere").mkdir()
    (folder / "data.npz").rename(folder / "elsewhere" / "data.npz")
    assert command(folder, "resume", "run").exit_code == 2
    done = command(folder, "resume", "run", "--data", 'npz "elsewhere/data.npz" split=75/25')
    assert done.exit_code == 0, done.stderr
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_a_run_reached_through_a_link_of_another_depth_goes_on(folder: Path) -> None:
    (folder / "deep" / "er" / "store").mkdir(parents=True)
    (folder / "link").symlink_to(folder / "deep" / "er" / "store")
    with at_step(4):
        assert command(folder, "train", "net.nnspec", "--out", "link/run").exit_code == 130
    for run in ("link/run", "deep/er/store/run"):
        done = command(folder, "resume", run)
        assert done.exit_code == 0, done.stderr


def test_an_edited_spec_is_reported(folder: Path) -> None:
    with at_step(4):
        command(folder, "train", "net.nnspec", "--out", "run")
    (folder / "run" / "spec.nnspec").write_text("dense 9 -> dense 3 softmax\n")
    done = command(folder, "resume", "run")
    assert done.exit_code == 0 and "spec.nnspec was edited after the run began" in done.stderr


def test_a_run_whose_lock_was_removed_stops_before_it_writes_again(folder: Path) -> None:
    def remove(event: dict[str, object]) -> None:
        if event["event"] == "evaluation":
            (folder / "run" / "run.lock").unlink(missing_ok=True)

    with pytest.raises(CheckpointError, match="lock file was removed"):
        nnspec.train(SPEC, out=folder / "run", data=arrays(), listen=remove)
    nnspec.resume(folder / "run", data=arrays())


@pytest.mark.parametrize("mine", ["spec.nnspec", "notes.txt", "pictures", "report.html"])
def test_a_folder_with_files_of_the_users_own_is_not_taken(folder: Path, mine: str) -> None:
    (folder / mine).write_text("mine")
    done = command(folder, "train", "net.nnspec", "--out", ".")
    assert done.exit_code == 2 and "is not empty" in done.stderr and "--out" in done.stderr
    assert (folder / mine).read_text() == "mine" and "run.lock" not in os.listdir(folder)


def test_a_run_killed_before_its_first_save_begins_again(folder: Path) -> None:
    done = command(folder, "train", "net.nnspec", "--out", "run", "--quiet")
    assert done.exit_code == 0, done.stderr
    whole = lasting(folder / "run")
    for path in (folder / "run").iterdir():
        if path.suffix != ".nnspec":
            path.unlink()
    done = command(folder, "train", "net.nnspec", "--out", "run", "--quiet")
    assert done.exit_code == 2 and "is not empty, it has resolved.nnspec" in done.stderr
    (folder / "run" / "run.lock").touch()
    done = command(folder, "train", "net.nnspec", "--out", "run", "--quiet", "--seed", "8")
    assert done.exit_code == 2 and "is not empty, it has resolved.nnspec" in done.stderr
    done = command(folder, "train", "net.nnspec", "--out", "run", "--quiet")
    assert done.exit_code == 0, done.stderr
    assert not differing(whole, lasting(folder / "run"))


def test_an_empty_out_names_no_folder(folder: Path) -> None:
    done = command(folder, "train", "net.nnspec", "--out", "")
    assert done.exit_code == 2 and "--out is empty" in done.stderr


@pytest.mark.parametrize("data", [(1, 2, 3), 5, [1]])
def test_data_that_are_not_a_pair_are_refused_in_words(data: object) -> None:
    with pytest.raises(DataError, match=r"data=\(x, y\)"):
        nnspec.train(SPEC, data=data)
