"""Ray, through joblib's backend."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.sweep.conftest import Sweep, weights
from tests.support.commands import child_command, child_environment

pytest.importorskip("ray", reason="the extra nnspec[ray] is not installed")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a cluster on one machine is of Linux")
def test_trials_on_ray_come_home_with_the_weights_of_this_process(sweep: Sweep, tmp_path: Path) -> None:
    grid = "sweep optimizer.lr = 0.1, 0.01"
    expected = weights(sweep(grid, out="alone"))
    command = child_command("sweep", "net.nnspec", "--backend", "ray", "--jobs", 2, "--out", "ray", "--json")
    environment = child_environment(RAY_USAGE_STATS_ENABLED="0")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert weights(sweep(on="ray")) == expected
    assert [event for event in sweep.events if event["event"] == "trial"] == []
