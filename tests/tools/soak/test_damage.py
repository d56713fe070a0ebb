from math import inf
from pathlib import Path

import pytest

from tools.soak.damage import damage, damage_in_time

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_missing_and_flipped_bits_are_told_before_hdf5_reads_a_byte(tmp_path: Path) -> None:
    tally = damage(1000, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried > 7_000


def test_damage_to_ten_megabytes_is_told_in_a_moment(tmp_path: Path) -> None:
    tally = damage_in_time(6, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 6
