from math import inf
from pathlib import Path

import pytest

from tools.soak.stopping import kills, kills_in_two, second_signals, signals_in_saves

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_a_run_killed_at_random_instants_ends_in_the_same_bytes(tmp_path: Path) -> None:
    tally = kills(20, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 20


def test_a_run_in_two_processes_killed_at_random_instants_ends_in_the_same_bytes(tmp_path: Path) -> None:
    tally = kills_in_two(8, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 8


def test_a_signal_inside_a_save_saves_and_the_run_goes_on(tmp_path: Path) -> None:
    tally = signals_in_saves(8, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 8


def test_a_second_interrupt_leaves_at_once_and_the_former_file_is_whole(tmp_path: Path) -> None:
    tally = second_signals(6, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 6
