"""What holds for every test."""

import gc
import os
import signal
import threading

import pytest
from hypothesis import HealthCheck, settings

from nnspec.checkpoints import system
from nnspec.runtime.execute.processors import worker_pays

# No test fails because the machine was busy for a moment: neither a single example nor its drawing has a time limit.
settings.register_profile("no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")

# A shell that starts the tests in the background makes them ignore Ctrl-C, which many of them send.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test in this process waits for a disk. What fsync is for, tools/soak/crash_points.py tries with a log of the calls.
os.fsync = system.fsync = lambda fd: None


def pytest_collection_finish() -> None:
    """Take what has been collected out of the search for garbage, which so many tests make slow."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests of worker processes out of parallel runs, whose own threads forbid the fork; else skip them where
    the system has none."""
    marked = [item for item in items if item.get_closest_marker("worker")]
    if hasattr(config, "workerinput"):
        items[:] = [item for item in items if item not in set(marked)]
        config.hook.pytest_deselected(items=marked)
    elif marked and not worker_pays():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs Linux, a second core and no other thread"))
