from math import inf
from pathlib import Path

import pytest

from tools.soak.hostile import mutated, mutated_files, mutated_numbers, sample

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_sealed_files_changed_at_random_are_refused_or_read(tmp_path: Path) -> None:
    tally = mutated_files(600, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 600
    assert "refused" in tally.notes[0]


def test_numbers_changed_at_random_are_refused_or_read(tmp_path: Path) -> None:
    tally = mutated_numbers(300, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 300
    assert "whole" in tally.notes[0] and "refused" in tally.notes[0]


def test_the_changes_are_the_same_for_the_same_number(tmp_path: Path) -> None:
    file = sample(tmp_path)
    image = file.read_bytes()
    assert mutated(image, 5) == mutated(image, 5) != mutated(image, 6)
