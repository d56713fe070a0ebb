from math import inf
from pathlib import Path

import pytest

from tools.soak.memory import flat_memory, room_for_a_save

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_save_needs_no_more_memory_than_its_file_is_large(tmp_path: Path) -> None:
    tally = room_for_a_save(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 1


def test_memory_is_flat_over_ten_thousand_steps(tmp_path: Path) -> None:
    tally = flat_memory(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 1
