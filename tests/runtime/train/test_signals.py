"""SIGINT and SIGTERM while training."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from nnspec.runtime.train.signals import stop_on_signals
from tests.support.commands import child_environment

TWICE = """
import os, signal
from nnspec.runtime.train.signals import stop_on_signals
with stop_on_signals() as stop:
    signal.raise_signal(signal.{first})
    assert stop.signal == signal.{first}
    signal.raise_signal(signal.{second})
    os._exit(1)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_a_request_and_the_former_handler_comes_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert stop.signal is None
        os.kill(os.getpid(), number)
        assert stop.signal == number
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("first", "second", "code"), [("SIGINT", "SIGINT", 130), ("SIGINT", "SIGTERM", 143)])
def test_the_second_leaves_at_once(first: str, second: str, code: int) -> None:
    program = TWICE.format(first=first, second=second)
    assert subprocess.run([sys.executable, "-c", program], env=child_environment()).returncode == code


def test_in_another_thread_than_the_main_one_no_handler_is_set() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def inside() -> None:
        with stop_on_signals() as stop:
            seen.extend((stop.signal, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [None, before]
