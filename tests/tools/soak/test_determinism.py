from math import inf
from pathlib import Path

import pytest

from tools.soak.determinism import core_types, lanes, processes

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_processes_folders_hash_seeds_and_threads_change_no_byte(tmp_path: Path) -> None:
    tally = processes(8, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 8


@pytest.mark.worker
def test_lanes_in_turn_in_threads_and_in_processes_give_the_same_bytes(tmp_path: Path) -> None:
    tally = lanes(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 2


def test_another_kernel_of_the_blas_is_refused_and_goes_on_where_that_is_allowed(tmp_path: Path) -> None:
    tally = core_types(1, 5, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 1 and "apart after eight steps" in tally.notes[0]
