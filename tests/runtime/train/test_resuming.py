import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.checkpoints import Checkpoint
from nnspec.runtime.errors import CheckpointError
from nnspec.runtime.infer.network_file import program_version
from nnspec.runtime.train import resuming
from nnspec.runtime.train.checkpointing import load_run
from nnspec.runtime.train.resuming import resume
from tests.support.commands import (
    at_step,
    child_command,
    child_environment,
    differing,
    lasting,
    nnspec,
    write_data,
    write_spec,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a spec, a run of it that came to its end in whole/, and one stopped after step 5 of 10 in run/."""
    write_data(tmp_path)
    length = "train 10 iterations batch=8 evaluate_every=2 checkpoint_every=3"
    write_spec(tmp_path, "dense 6 relu -> dropout 0.2 -> dense 3 softmax", "optimizer adam", "schedule cosine", length)
    assert nnspec(tmp_path, "train", "net.nnspec", "--out", "whole").exit_code == 0
    with at_step(5):
        assert nnspec(tmp_path, "train", "net.nnspec", "--out", "run").exit_code == 130
    return tmp_path


def step_of(file: Path) -> int:
    return int(checkpoints.read(file).meta["counters"]["step"])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_damaged_last_file_names_the_former_one_and_going_on_with_that_ends_in_the_same_bytes(folder: Path) -> None:
    flip(folder / "run" / "last.h5")
    failed = nnspec(folder, "resume", "run")
    assert failed.exit_code == 1
    command = re.search(r"run/last.h5.prev is whole: nnspec (resume run/last.h5.prev)", failed.stderr)
    assert command is not None
    assert step_of(folder / "run" / "last.h5.prev") == 3
    assert nnspec(folder, *command[1].split()).exit_code == 0
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_a_run_stopped_at_once_after_going_on_from_the_former_file_leaves_a_whole_last_one(folder: Path) -> None:
    flip(folder / "run" / "last.h5")
    former = (folder / "run" / "last.h5.prev").read_bytes()
    with at_step(1):
        assert nnspec(folder, "resume", "run/last.h5.prev").exit_code == 130
    assert step_of(folder / "run" / "last.h5") == 4
    assert (folder / "run" / "last.h5.prev").read_bytes() != former, "the damaged file is not kept, a whole one is"
    assert checkpoints.is_whole(str(folder / "run" / "last.h5.prev"))


def test_a_folder_whose_last_file_is_gone_names_the_former_one(folder: Path) -> None:
    (folder / "run" / "last.h5").unlink()
    failed = nnspec(folder, "resume", "run")
    assert failed.exit_code == 2 and "did you mean run/last.h5.prev?" in failed.stderr


def test_a_stop_at_a_save_does_not_save_the_same_step_twice(folder: Path) -> None:
    with at_step(1):
        assert nnspec(folder, "resume", "run").exit_code == 130
    steps = [step_of(folder / "run" / name) for name in ("last.h5", "last.h5.prev")]
    assert steps == [6, 5]


def test_verify_makes_the_last_interval_once_more_and_finds_every_bit_the_same(folder: Path) -> None:
    done = nnspec(folder, "resume", "run", "--verify")
    assert done.exit_code == 0
    assert "steps 4 to 5 repeated: every bit is the same" in done.stderr
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_verify_finds_one_bit_that_is_not_computed_again(folder: Path) -> None:
    file = folder / "run" / "last.h5"
    checkpoint = checkpoints.read(file)
    name = next(name for name in checkpoint.entries if name.startswith("optimizer/"))
    checkpoint.entries[name].reshape(-1).view("u4")[0] ^= 1
    checkpoints.write(file, checkpoint, keep_previous=False)
    failed = nnspec(folder, "resume", "run", "--verify")
    assert failed.exit_code == 1
    assert f"steps 4 to 5 repeated give other bits, in {name}\n" in failed.stderr
    assert "--allow-inexact" in failed.stderr
    warned = nnspec(folder, "resume", "run", "--verify", "--allow-inexact", "--quiet")
    assert warned.exit_code == 0
    assert "warning: " in warned.stderr and "give other bits" in warned.stderr


def test_a_run_of_an_earlier_version_with_its_moving_averages_goes_on_and_says_that_its_last_bits_are_others(
    folder: Path,
) -> None:
    file = folder / "run" / "last.h5"
    checkpoint = checkpoints.read(file)
    entries = dict(checkpoint.entries)
    for now, then, share in (("sum", "mean", 0.1), ("square_sum", "square", 0.001)):
        for name in [name for name in entries if name.startswith(f"optimizer/{now}/")]:
            entries[name.replace(now, then, 1)] = np.asarray(entries.pop(name), np.float32) * np.float32(share)
    meta = {**checkpoint.meta, "program_version": "0.1.0"}
    checkpoints.write(file, Checkpoint(meta, entries), keep_previous=False)
    done = nnspec(folder, "resume", "run")
    assert done.exit_code == 0
    versions = f"it was saved by nnspec 0.1.0, and this is {program_version()}"
    assert f"warning: {versions}: training goes on, with other last bits\n" in done.stderr
    straight, resumed = (load_run(folder / name / "last.h5") for name in ("whole", "run"))
    found, wanted = resumed.state, straight.state
    np.testing.assert_allclose(found.slots["sum"].flat, wanted.slots["sum"].flat, rtol=1e-3, atol=1e-6)
    moved, right = found.network.parameter_arena.flat, wanted.network.parameter_arena.flat
    np.testing.assert_allclose(moved, right, rtol=1e-4, atol=1e-6)
    assert resumed.run["resumed"] == ((5, ("nnspec",)),)
    assert nnspec(folder, "resume", "run").exit_code == 0, "what it saved is in the present form"


def test_verify_without_a_former_file_says_so(folder: Path) -> None:
    (folder / "run" / "last.h5.prev").unlink()
    failed = nnspec(folder, "resume", "run", "--verify")
    assert failed.exit_code == 2 and "there is no last.h5.prev, so there is nothing to replay" in failed.stderr
    shutil.copy(folder / "run" / "last.h5", folder / "run" / "last.h5.prev")
    failed = nnspec(folder, "resume", "run", "--verify")
    assert failed.exit_code == 2 and "is at step 5, so there is nothing to replay" in failed.stderr


def test_another_trainer_in_the_folder_is_refused_at_once_and_free_after_a_kill(folder: Path) -> None:
    spec = (folder / "net.nnspec").read_text().replace("train 10 ", "train 1000000 ")
    (folder / "long.nnspec").write_text(spec)
    command = child_command("train", "long.nnspec", "--out", "long", "--quiet")
    with (
        subprocess.Popen(command, cwd=folder, env=child_environment(), stderr=subprocess.PIPE) as first,
        contextlib.ExitStack() as ended,
    ):
        ended.callback(first.kill)  # whatever fails below
        while not (folder / "long" / "last.h5").exists():
            assert first.poll() is None
        left = folder / "long" / "last.h5.nnspec-0123456789abcdef.tmp"
        left.write_bytes(b"half a file of a killed process")
        before = sorted(path.name for path in (folder / "long").glob("*.nnspec"))
        with at_step(1):  # where it is not refused, it need not come to an end
            refused = nnspec(folder, "resume", "long")
        assert refused.exit_code == 1
        assert f"another process (pid {first.pid}) is writing" in refused.stderr and "help:" in refused.stderr
        again = nnspec(folder, "train", "long.nnspec", "--out", "long")
        assert again.exit_code == 2 and "already holds a run" in again.stderr
        assert left.exists() and before == sorted(path.name for path in (folder / "long").glob("*.nnspec"))
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert first.stderr is not None
    with at_step(1):
        assert nnspec(folder, "resume", "long").exit_code == 130
    assert not left.exists()
    assert [path.name for path in (folder / "long").iterdir() if path.suffix == ".tmp"] == []


def test_a_run_that_went_on_while_its_folder_was_locked_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the lock must not go on from what it read before."""
    lock = resuming.run_lock

    def finished_by_another_first(path: Path) -> object:
        monkeypatch.setattr(resuming, "run_lock", lock)
        resume(folder / "run")
        return lock(path)

    monkeypatch.setattr(resuming, "run_lock", finished_by_another_first)
    heard: list[dict[str, object]] = []
    resume(folder / "run", listen=heard.append)
    assert [event["step"] for event in heard if event["event"] == "start"] == [10]
    assert differing(lasting(folder / "whole"), lasting(folder / "run")) == []


def test_nothing_is_written_beside_a_file_that_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "notes.h5").write_text("no checkpoint")
    for name in ("notes.h5", "none.h5"):
        with pytest.raises(CheckpointError):
            resume(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.h5"]


def test_other_data_are_refused(folder: Path) -> None:
    write_data(folder, samples=40)
    failed = nnspec(folder, "resume", "run")
    assert failed.exit_code == 1 and "the data are not those it was trained on" in failed.stderr
