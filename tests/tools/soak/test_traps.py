import shutil
from math import inf
from pathlib import Path

import pytest

from tests.support.commands import nnspec
from tools.soak.hostile import sample
from tools.soak.traps import hostile_files, traps

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_hostile_files_are_refused_in_a_second_and_300_megabytes_and_nothing_else_is_opened(tmp_path: Path) -> None:
    tally = hostile_files(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 55
    if shutil.which("strace") is None:
        pytest.skip("time and memory are as they should be; strace is not here, so nobody looked at opened files")


@pytest.mark.parametrize("more", [(), ("--untrusted",)])
def test_traps_are_told_and_whole_files_are_good(tmp_path: Path, more: tuple[str, ...]) -> None:
    file = sample(tmp_path)
    canary = tmp_path / "canary.txt"
    canary.write_text("dense 2 softmax")
    found = traps(file, canary)
    (tmp_path / "include.h5").write_bytes(found["an include"])
    (tmp_path / "virtual.h5").write_bytes(found["a virtual dataset"])
    done = nnspec(tmp_path, "verify", *more, "run/last.h5", "include.h5", "virtual.h5")
    assert done.exit_code == 1
    good, include, virtual = done.stdout.splitlines()
    assert good.startswith("run/last.h5: OK, ")
    assert include.startswith("include.h5: intact, but not usable: ") and "includes another file" in include
    assert virtual.startswith("virtual.h5: not usable: ") and "not stored contiguously" in virtual
