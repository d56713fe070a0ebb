import shutil
from pathlib import Path

import pytest

from tests.reliability.commands import nnspec
from tests.reliability.hostile import mutated, mutated_files, mutated_numbers, other_files, sample, traps


def test_sealed_files_changed_at_random_are_refused_or_read(tmp_path: Path) -> None:
    tally = mutated_files(2000, 0, tmp_path, 5)
    assert tally.failures == []
    assert tally.tried >= 200
    assert "refused" in tally.notes[0]


def test_numbers_changed_at_random_are_refused_or_read(tmp_path: Path) -> None:
    tally = mutated_numbers(500, 0, tmp_path, 3)
    assert tally.failures == []
    assert tally.tried >= 50
    assert "whole" in tally.notes[0] and "refused" in tally.notes[0]


def test_the_changes_are_the_same_for_the_same_number(tmp_path: Path) -> None:
    file = sample(tmp_path)
    image = file.read_bytes()
    assert mutated(image, 5) == mutated(image, 5) != mutated(image, 6)


def test_no_trap_opens_the_file_that_it_points_at(tmp_path: Path) -> None:
    tally = other_files(1, 0, tmp_path, 60)
    assert tally.failures == []
    assert tally.tried == (10 if shutil.which("strace") else 0)


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
    assert include.startswith("include.h5: whole, but not usable: ") and "includes another file" in include
    assert virtual.startswith("virtual.h5: not usable: ") and "not stored contiguously" in virtual
