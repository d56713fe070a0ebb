from math import inf
from pathlib import Path

import pytest

from tools.soak.forks import forks
from tools.soak.pools import POOLS, pools
from tools.soak.threads import threads
from tools.soak.training_threads import training_threads

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_four_threads_get_the_answers_of_one(tmp_path: Path) -> None:
    tally = threads(200, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 200


@pytest.mark.worker
def test_a_fork_has_a_network_of_its_own(tmp_path: Path) -> None:
    tally = forks(6, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 6


def test_pools_of_every_kind_find_what_one_process_finds(tmp_path: Path) -> None:
    tally = pools(len(POOLS), 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == len(POOLS)


def test_trainings_next_to_other_threads_end_in_the_same_bytes(tmp_path: Path) -> None:
    tally = training_threads(1, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 1
