"""nnspec verify."""

import shutil
from pathlib import Path

import pytest

from nnspec.cli import verification
from tests.nnspec.conftest import Command


def test_whole_checkpoints_are_ok(nnspec: Command, digits: Path, flowers: Path) -> None:
    checked = nnspec("verify", digits / "last.h5", flowers)
    assert (checked.code, checked.err) == (0, "")
    paths = [digits / "last.h5", flowers / "best.h5", flowers / "last.h5"]
    assert [line.partition(": OK, ")[0] for line in checked.out.splitlines()] == [str(path) for path in paths]


def test_one_flipped_bit_is_found_and_the_others_are_judged_all_the_same(
    nnspec: Command, digits: Path, tmp_path: Path
) -> None:
    content = bytearray((digits / "last.h5").read_bytes())
    content[-100] ^= 4
    (tmp_path / "flipped.h5").write_bytes(content)
    (tmp_path / "foreign.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(3000))
    shutil.copy(digits / "last.h5", tmp_path / "good.h5")
    checked = nnspec("verify", "flipped.h5", "foreign.h5", "good.h5")
    flipped, foreign, good = checked.out.splitlines()
    assert checked.code == 1
    assert flipped.startswith("flipped.h5: damaged: ") and flipped.count("damaged") == 1
    assert foreign.startswith("foreign.h5: not usable: not an nnspec checkpoint")
    assert good.startswith("good.h5: OK, ")
    assert checked.err.startswith("flipped.h5: ") and checked.err.endswith("\n2 checkpoints cannot be used\n")


def test_a_file_that_is_not_there_is_wrong_use(nnspec: Command, digits: Path, tmp_path: Path) -> None:
    checked = nnspec("verify", "none.h5", digits / "last.h5")
    assert checked.code == 2
    assert checked.out.splitlines()[0] == "none.h5: cannot be read: No such file or directory"
    (tmp_path / "empty").mkdir()
    assert nnspec("verify", "empty").code == 2


@pytest.mark.parametrize(("removed", "code"), [("step-000000003.h5", 0), ("last.h5", 2)])
def test_a_step_file_that_vanishes_while_a_run_is_verified_is_no_damage(
    nnspec: Command, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: str, code: int
) -> None:
    shutil.copytree(digits, tmp_path / "run")
    shutil.copy(digits / "last.h5", tmp_path / "run" / "step-000000003.h5")
    real = verification.verify_checkpoint

    def verify_after_removing(path: Path) -> tuple[str, str, int]:
        (tmp_path / "run" / removed).unlink(missing_ok=True)
        return real(path)

    monkeypatch.setattr(verification, "verify_checkpoint", verify_after_removing)
    checked = nnspec("verify", "run")
    assert checked.code == code
    assert len(checked.out.splitlines()) == (2 if code == 0 else 3)
    if code == 0:
        assert checked.err == f"run/{removed}: removed while the run was verified\n"


def test_a_step_file_that_is_not_there_is_wrong_use_where_it_is_named(nnspec: Command) -> None:
    assert nnspec("verify", "step-000000003.h5").code == 2


def test_json_has_a_verdict_for_each_checkpoint(nnspec: Command, flowers: Path, tmp_path: Path) -> None:
    content = bytearray((flowers / "last.h5").read_bytes())
    content[-100] ^= 4
    (tmp_path / "flipped.h5").write_bytes(content)
    checked = nnspec("verify", "flipped.h5", flowers / "last.h5", "--json")
    flipped, good = checked.json["checkpoints"]
    assert checked.code == 1
    assert flipped["ok"] is False and flipped["verdict"].startswith("damaged: ") and flipped["help"]
    assert good["ok"] is True and good["help"] is None and good["checkpoint"] == str(flowers / "last.h5")
