from math import inf
from pathlib import Path

import pytest

from tools.soak.refusals import refused_calls

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_whatever_call_of_a_run_the_system_refuses_it_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    tally = refused_calls(8, 0, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 8
