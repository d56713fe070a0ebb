"""What plan accepts, train trains."""

from math import inf
from pathlib import Path

import pytest

from tools.soak.accepted import accepted

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_300_specs_that_plan_accepts_train_three_steps(tmp_path: Path) -> None:
    tally = accepted(300, 3, tmp_path, inf)
    assert tally.failures == []
    assert tally.tried == 300
