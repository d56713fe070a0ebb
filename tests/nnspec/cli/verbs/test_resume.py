"""nnspec resume."""

import json
import shutil
from pathlib import Path

import pytest

from nnspec import checkpoints
from tests.nnspec.conftest import DIGITS, Command
from tests.support.commands import nnspec as nnspec_in

RUN = ("train", DIGITS, "--data", "mnist_sample", "--set", "train=300 iterations keep=5", "--seed", 3)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole run. No test writes into it."""
    folder = tmp_path_factory.mktemp("whole")
    assert nnspec_in(folder, *RUN, "--out", "whole").exit_code == 0
    return folder / "whole"


@pytest.fixture
def halfway(whole: Path, tmp_path: Path) -> Path:
    """The folder of a run that was killed after step 180 of 300; the whole run is in whole/ of the same folder."""
    folder = tmp_path / "half"
    shutil.copytree(whole, tmp_path / "whole")
    shutil.copytree(whole, folder)
    shutil.copy(next(folder.glob("step-*180.h5")), folder / "last.h5")
    return folder


def test_a_run_goes_on_to_the_very_bits_of_one_that_never_stopped(
    nnspec: Command, halfway: Path, tmp_path: Path
) -> None:
    resumed = nnspec("resume", "half")
    assert resumed.code == 0
    assert "from step 180 on, 300 steps in all, into half" in resumed.err
    assert "the run is in half" in resumed.out and "nnspec plot curves half" in resumed.out
    whole, half = (checkpoints.read(tmp_path / name / "last.h5") for name in ("whole", "half"))
    assert checkpoints.differing_entries(whole, half) == []


def test_json_and_quiet_are_those_of_train(nnspec: Command, halfway: Path) -> None:
    resumed = nnspec("resume", "half/last.h5", "--json", "--quiet")
    events = [json.loads(line) for line in resumed.out.splitlines()]
    assert [event["event"] for event in events] == ["evaluation"] * 4 + ["end"]
    assert (events[-1]["steps"], resumed.err) == (300, "")


def test_a_run_that_is_finished_says_so(nnspec: Command, halfway: Path) -> None:
    nnspec("resume", "half")
    again = nnspec("resume", "half")
    assert again.code == 0
    assert again.err == "half is complete after 300 steps: nothing is left to train\n"


def test_a_folder_without_a_run_names_the_one_in_it(nnspec: Command, halfway: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "whole")
    failed = nnspec("resume", tmp_path)
    assert failed.code == 2 and f"did you mean {halfway}?" in failed.err
    assert nnspec("resume", "none").code == 2


def test_another_arithmetic_is_refused_unless_it_is_allowed(
    nnspec: Command, halfway: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnspec.runtime.train import resuming

    here = resuming.environment()
    monkeypatch.setattr(resuming, "environment", lambda: here | {"blas_kernel": "Z80"})
    failed = nnspec("resume", "half")
    assert failed.code == 1 and "Z80" in failed.err and "--allow-inexact" in failed.err
    assert nnspec("resume", "half", "--allow-inexact").code == 0


def test_a_damaged_checkpoint_is_refused_and_stays_as_it_is(nnspec: Command, halfway: Path) -> None:
    file = halfway / "last.h5"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    failed = nnspec("resume", "half")
    assert failed.code == 1 and "help:" in failed.err
    assert file.read_bytes() == content
