"""The process in which the studio trains: `python -m nnspec.studio.worker REQUEST`. It writes events, one a line.

A run is that of `nnspec train` or `nnspec resume`: SIGINT saves it and stops, and so does the end of the studio.
It reads no thread and no pipe while it trains: where there is a thread, training has no second process.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from nnspec._arguments import request_for
from nnspec.cli.output import without_nan
from nnspec.runtime.errors import Interrupted
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.events import Event
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.runtime.train.signals import StopRequest
from nnspec.spec_lang.report.errors import NNSpecError
from nnspec.studio.arrays import weight_tiles

WEIGHTS_SECONDS = 0.25
"""The least time between two pictures of the weights."""


class Reporter:
    """Writes events for the studio, and asks the run to stop where nobody reads them any more."""

    def __init__(self, output: IO[str], stop: StopRequest):
        self.output = output
        self.stop = stop
        self.parent = os.getppid()
        self.shown = 0.0

    def __call__(self, event: Event) -> None:
        """Write an event; NaN and infinity become null."""
        if os.getppid() != self.parent:
            self._alone()
        line = json.dumps(without_nan(event), allow_nan=False)
        try:
            self.output.write(f"{line}\n")
            self.output.flush()
        except OSError:
            self._alone()

    def watch(self, network: Network) -> None:
        """Write the weights of the first layer, if it is time."""
        now = time.monotonic()
        if now - self.shown >= WEIGHTS_SECONDS:
            self.shown = now
            self({"event": "weights", "weights": weight_tiles(network)})

    def _alone(self) -> None:
        self.stop.signal = self.stop.signal or signal.SIGTERM


def main(asked: dict[str, Any], output: IO[str]) -> int:
    """Train or resume a run, and return the exit code."""
    stop = StopRequest()
    report = Reporter(output, stop)
    if sys.platform == "win32":  # there is no SIGINT from another process
        threading.Thread(target=lambda: sys.stdin.readline() and _ask(stop), daemon=True).start()
    try:
        if asked["do"] == "resume":
            run = resume(asked["run"], listen=report, stop=stop, watch=report.watch)
        else:
            request = request_for(Path(asked["file"]), asked["settings"], asked["variant"], None, asked["seed"])
            run = train(request, listen=report, stop=stop, watch=report.watch)
    except Interrupted:
        return 0
    except KeyboardInterrupt:  # before the first step
        report({"event": "interrupted", "out": None, "steps": 0})
        return 0
    except NNSpecError as error:
        report({"event": "error", "text": str(error)})
        return 1
    report.shown = 0.0
    report.watch(run.network)
    return 0


def _ask(stop: StopRequest) -> None:
    stop.signal = signal.SIGINT


if __name__ == "__main__":
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what is printed by mistake is not an event
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a studio that ignores it, as nohup's do, still sends it
    raise SystemExit(main(json.loads(sys.argv[1]), events))
