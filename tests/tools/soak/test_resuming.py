from math import inf
from pathlib import Path

import pytest

from tools.soak.resuming import blocks, every_batch, sequences

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_run_stopped_at_every_batch_ends_in_the_bytes_of_one_that_never_stopped(tmp_path: Path) -> None:
    tally = every_batch(6, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 60


def test_a_run_over_time_stopped_at_every_batch_ends_in_the_same_bytes(tmp_path: Path) -> None:
    tally = sequences(4, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 40


def test_a_run_stopped_between_blocks_of_steps_ends_in_the_same_bytes(tmp_path: Path) -> None:
    tally = blocks(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 6
