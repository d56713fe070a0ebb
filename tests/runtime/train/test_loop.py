import errno
import json
import os
import resource
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import system
from nnspec.runtime.train import run as training
from nnspec.runtime.train import run_folder as runs
from nnspec.runtime.train.divergence import first_nonfinite_array
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec_request import Request
from tests.support.commands import (
    child_command,
    child_environment,
    differing,
    lasting,
    nnspec,
    write_data,
    write_spec,
)

LENGTH = "train 12 iterations batch=8 evaluate_every=4 checkpoint_every=4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a spec that trains twelve steps and saves after every fourth."""
    write_data(tmp_path)
    write_spec(tmp_path, "dense 6 relu -> dense 3 softmax", "optimizer adam", "schedule constant", LENGTH)
    return tmp_path


def train(folder: Path, *more: object, out: str = "run") -> Any:
    return nnspec(folder, "train", "net.nnspec", "--out", out, *more)


def step_of(file: Path) -> int:
    return int(checkpoints.read(file).meta["counters"]["step"])


def spoil(monkeypatch: pytest.MonkeyPatch, at: int, change: Any) -> None:
    """Let a step end otherwise than it was computed: `change(stepper, losses)` gives the losses."""
    advance = Stepper.advance

    def spoiled(self: Stepper, most: int) -> list[float]:
        losses = advance(self, most)
        return change(self, losses) if self.state.step == at else losses

    monkeypatch.setattr(Stepper, "advance", spoiled)


def test_a_run_is_saved_before_its_first_step(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, 1, lambda stepper, losses: [np.nan])
    failed = train(folder)
    assert failed.exit_code == 1
    assert "training diverged at step 1: the loss is nan" in failed.stderr
    assert "run/last.h5 holds step 0" in failed.stderr
    assert step_of(folder / "run" / "last.h5") == 0
    monkeypatch.undo()
    assert nnspec(folder, "resume", "run").exit_code == 0
    assert train(folder, out="whole").exit_code == 0
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_stops_before_it_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """Though the loss has not shown it: the step after it never comes."""

    def change(stepper: Stepper, losses: list[float]) -> list[float]:
        stepper.state.network.parameter_arena["dense2/bias"][1] = value
        return losses

    spoil(monkeypatch, 8, change)
    failed = train(folder)
    assert failed.exit_code == 1
    assert "training diverged at step 8: " in failed.stderr and "Traceback" not in failed.stderr
    assert "dense2/bias is not finite" in failed.stderr
    assert "help: lower the learning rate, try another init" in failed.stderr and "data" in failed.stderr
    assert "run/last.h5 holds step 4" in failed.stderr
    assert step_of(folder / "run" / "last.h5") == 4
    assert nnspec(folder, "verify", "run").exit_code == 0


@pytest.mark.parametrize(
    ("at", "keep", "before"), [(4, 0, 3), (3, 0, 0), (3, 1, 0)], ids=["measuring", "saving", "keeping"]
)
def test_a_moment_that_is_no_number_stops_before_anything_is_told_or_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: int, keep: int, before: int
) -> None:
    """No loss shows it yet, and a file of the format would refuse it in other words."""

    def change(stepper: Stepper, losses: list[float]) -> list[float]:
        stepper.state.slots["sum"]["dense2/bias"][0] = np.inf
        return losses

    spoil(monkeypatch, at, change)
    settings = ("train.evaluate_every=4", "train.checkpoint_every=3", f"train.keep={keep}")
    failed = train(folder, *(part for setting in settings for part in ("--set", setting)))
    assert failed.exit_code == 1
    assert f"training diverged at step {at}: the loss does not show it yet; sum of dense2/bias is not" in failed.stderr
    assert step_of(folder / "run" / "last.h5") == before
    logged = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(event["event"], event["steps"]) for event in logged] == [("diverged", at)]
    assert not list((folder / "run").glob("step-*" if keep else "best*"))


def test_a_run_without_files_writes_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    run = training.train(Request(folder / "net.nnspec", settings={"train.keep": 2}), files=False)
    assert (run.path, run.end["steps"], run.end["out"]) == (None, 12, None)
    assert sorted(folder.rglob("*")) == before


def test_a_run_that_another_began_in_the_folder_meanwhile_is_not_written_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look at the folder and its lock."""
    lock = training.run_lock

    def another_first(path: Path) -> object:
        monkeypatch.setattr(training, "run_lock", lock)
        assert train(folder, out="run").exit_code == 0
        return lock(path)

    monkeypatch.setattr(training, "run_lock", another_first)
    failed = train(folder, "--seed", "7")
    assert failed.exit_code == 2 and "run already holds a run" in failed.stderr
    assert train(folder, out="whole").exit_code == 0
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_early_stopping_on_what_is_not_measured_is_told_with_what_is(folder: Path) -> None:
    failed = train(folder, "--set", "early_stop=patience=2", "--set", "data.split=100/0")
    assert failed.exit_code == 1 and "Traceback" not in failed.stderr
    assert "early_stop watches validation_loss, and data.npz has no validation split" in failed.stderr


def test_a_gradient_that_is_no_number_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(stepper: Stepper, losses: list[float]) -> list[float]:
        stepper.gradients["dense1/weight"][0, 0] = np.inf
        return [np.inf]

    spoil(monkeypatch, 6, change)
    failed = train(folder)
    assert "diverged at step 6: the loss is inf; the gradient of dense1/weight is not finite" in failed.stderr
    assert step_of(folder / "run" / "last.h5") == 4


def test_where_all_numbers_are_finite_the_largest_weight_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(stepper: Stepper, losses: list[float]) -> list[float]:
        stepper.state.network.parameter_arena["dense2/weight"][0, 0] = -1e30
        return [np.inf]

    spoil(monkeypatch, 6, change)
    assert "every weight is finite, and the largest, 1e+30, is in dense2/weight" in train(folder).stderr


def test_a_moment_that_is_no_number_is_found() -> None:
    network = SimpleNamespace(parameter_arena={}, buffer_arena={})
    state: Any = SimpleNamespace(
        network=network, averaged=None, slots={"velocity": {"dense1/bias": np.array([0.0, np.nan])}}
    )
    assert first_nonfinite_array(state, {}) == "velocity of dense1/bias"


def test_a_real_divergence_is_told(folder: Path) -> None:
    failed = train(folder, "--set", "optimizer=sgd lr=1e30")
    assert failed.exit_code == 1 and "training diverged at step " in failed.stderr
    assert nnspec(folder, "verify", "run").exit_code == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_save_that_the_disk_refuses_is_told_and_the_former_file_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    assert train(folder, out="whole").exit_code == 0
    write, made = os.write, []

    def full(handle: int, data: bytes) -> int:
        made.append(handle)
        if len(made) > 6:  # the lock, two texts, the save at the start, and two at step 4
            raise OSError(number, os.strerror(number))
        return write(handle, data)

    monkeypatch.setattr(system, "write", full)
    failed = train(folder)
    assert failed.exit_code == 1 and "Traceback" not in failed.stderr
    assert os.strerror(number) in failed.stderr and "run/" in failed.stderr and "help:" in failed.stderr
    assert step_of(folder / "run" / "last.h5") == 4
    assert [path.name for path in (folder / "run").iterdir() if path.suffix == ".tmp"] == []
    monkeypatch.undo()
    assert nnspec(folder, "resume", "run").exit_code == 0
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_a_process_that_may_not_write_files_so_large_is_told_too(folder: Path) -> None:
    """A limit of the system's own, in a process of its own: the first save is the first to meet it."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    command = child_command("train", "net.nnspec", "--out", "run", "--quiet")
    (folder / "run").mkdir()
    done = subprocess.run(
        command, cwd=folder, env=child_environment(), capture_output=True, text=True, preexec_fn=limited
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "run cannot be written: File too large" in done.stderr or "EFBIG" in done.stderr
    assert not list((folder / "run").glob("*.tmp"))


Usage = namedtuple("Usage", "total used free")


def test_a_disk_on_which_the_next_save_will_not_fit_is_told_once_while_it_trains(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.shutil, "disk_usage", lambda path: Usage(0, 0, 1000))
    done = train(folder, "--quiet")
    assert done.exit_code == 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert "run: the next save needs " in line and "the disk has 1,000" in line
    monkeypatch.undo()
    assert "warning" not in train(folder, out="other").stderr


def test_a_sweep_that_is_left_out_is_told_unless_each_of_its_keys_is_set(folder: Path) -> None:
    with (folder / "net.nnspec").open("a") as spec:
        spec.write("\nsweep optimizer.lr = 0.1, 0.01\nsweep train.seed = 1, 2\n")
    warned = train(folder, "--quiet", "--set", "train.seed=2").stderr
    assert (
        "without the spec's sweep of optimizer.lr: use --set optimizer.lr=0.1 to train with one of its values" in warned
    )
    both = ("--set", "train.seed=2", "--set", "optimizer.lr=0.1")
    assert "warning" not in train(folder, "--quiet", *both, out="other").stderr


def test_the_room_that_saves_need_is_counted_with_the_former_files_that_they_keep(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train(folder).exit_code == 0
    run = runs.RunFolder(folder / "run")
    size = run.last.stat().st_size
    kept = sum(not (folder / "run" / name).exists() for name in ("last.h5.prev", "best.h5", "best.h5.prev"))
    for free, enough in ((size * (1 + kept), True), (size * (1 + kept) - 1, False)):
        monkeypatch.setattr(runs.shutil, "disk_usage", lambda path, free=free: Usage(0, 0, free))
        assert (run.disk_space_warning() is None) == enough
    (folder / "run" / "last.h5.prev").unlink()
    monkeypatch.setattr(runs.shutil, "disk_usage", lambda path: Usage(0, 0, size * (1 + kept)))
    assert run.disk_space_warning() is not None


def test_kept_checkpoints_are_the_last_so_many_and_have_no_former_versions(folder: Path) -> None:
    assert train(folder, "--set", "train.keep=2", "--set", "train.checkpoint_every=3").exit_code == 0
    names = sorted(path.name for path in (folder / "run").glob("step-*"))
    assert names == ["step-000000009.h5", "step-000000012.h5"]


def test_the_best_file_holds_the_state_that_the_last_one_held_then(folder: Path) -> None:
    """So it can be gone on from as well: what an evaluation changes is all in it."""
    assert train(folder, "--set", "train.keep=9").exit_code == 0
    best = checkpoints.read(folder / "run" / "best.h5")
    at = checkpoints.read(folder / "run" / f"step-{best.meta['counters']['step']:09d}.h5")
    assert checkpoints.differing_entries(best, at) == []


def test_a_line_of_the_log_that_a_kill_left_half_written_is_dropped(folder: Path) -> None:
    assert train(folder, out="whole").exit_code == 0
    shutil.copytree(folder / "whole", folder / "run")
    log = folder / "run" / "metrics.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:-1]) + lines[-1][:20])
    assert nnspec(folder, "resume", "run").exit_code == 0
    steps = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert steps == ["evaluation"] * 3 + ["end"]
