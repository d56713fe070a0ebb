"""SIGINT and SIGTERM while training: the first asks for a stop after the step, a second one leaves at once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether someone has asked the run to stop, and by which signal. A caller may set it, as a signal does."""

    signal: int | None = None


@contextmanager
def stop_on_signals(request: StopRequest | None = None) -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a request. A signal that is ignored, as nohup has it, stays ignored.

    Outside the main thread no handler can be set, and none is.
    """
    request = request or StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if request.signal is not None:
            os._exit(128 + number)
        request.signal = number

    handled = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, handle) for number in handled}
    try:
        yield request
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
