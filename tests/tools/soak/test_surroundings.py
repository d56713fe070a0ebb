"""What surrounds a run: streams, signals, resources and the clock."""

from math import inf
from pathlib import Path

import pytest

from tools.soak.scarcity import clocks, scarce_resources
from tools.soak.signals import signals_to_each
from tools.soak.streams import streams

pytestmark = [pytest.mark.slow, pytest.mark.long]
two_processes = pytest.mark.worker


def test_a_run_ends_in_the_same_bytes_whatever_becomes_of_its_streams(tmp_path: Path) -> None:
    tally = streams(4, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 4


@two_processes
def test_a_signal_to_either_process_of_a_run_leaves_no_process_and_the_same_bytes(tmp_path: Path) -> None:
    tally = signals_to_each(12, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried >= 12


@two_processes
def test_a_run_that_gets_no_process_or_thread_ends_in_the_same_bytes(tmp_path: Path) -> None:
    tally = scarce_resources(5, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 6


def test_a_run_whose_clock_is_set_ends_in_the_same_bytes(tmp_path: Path) -> None:
    tally = clocks(5, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 5
