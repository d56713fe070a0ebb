"""nnspec verify."""

import shutil
from pathlib import Path

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
