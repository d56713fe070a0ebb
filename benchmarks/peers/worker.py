"""A peer's process: it reads a request a line, carries it out, and writes an answer a line, both JSON.

A peer is a module with `about()` and `tasks(workload)`: the ways in which it can do a workload, by name. A task is
made again for a check, and kept from one timing to the next.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from benchmarks.workloads import Workload

REST = 0.12
"""Seconds before a timing, until the threads of the one before have stopped spinning."""


class Task(Protocol):
    """A workload as one peer does it in one way."""

    def check(self, steps: int) -> list[float]:
        """From the beginning: the losses of this number of steps, or the answers."""

    def time(self, steps: int) -> float:
        """Seconds for this number of steps."""


Tasks = Mapping[str, Callable[[], Task]]


class Steps:
    """A task whose steps are calls of `step`; `finish` waits until all are done."""

    def step(self) -> Any:
        """One step; returns its loss, in whatever the peer has."""

    def finish(self) -> None:
        """Wait for asynchronous work."""

    def check(self, steps: int) -> list[float]:
        """The losses as numbers."""
        return [float(self.step()) for _ in range(steps)]

    def time(self, steps: int) -> float:
        """One step after the other."""
        step = self.step
        began = time.perf_counter()
        for _ in range(steps):
            step()
        self.finish()
        return time.perf_counter() - began


def serve(about: Callable[[], dict[str, str]], tasks: Callable[[Workload], Tasks]) -> None:
    """Answer requests until standard input ends. What libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    kept: dict[tuple[Workload, str], Task] = {}
    for line in sys.stdin:
        try:
            answer = {"ok": _answer(json.loads(line), about, tasks, kept)}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answer(
    request: dict[str, Any],
    about: Callable[[], dict[str, str]],
    tasks: Callable[[Workload], Tasks],
    kept: dict[tuple[Workload, str], Task],
) -> Any:
    match request["do"]:
        case "about":
            return about()
        case "forget":
            kept.clear()
            return None
    workload = Workload(**request["workload"])
    if request["do"] == "list":
        return list(tasks(workload))
    way, steps = request["way"], request["steps"]
    if request["do"] == "check":
        return tasks(workload)[way]().check(steps)
    if (workload, way) not in kept:
        kept[workload, way] = tasks(workload)[way]()
    time.sleep(REST)
    return kept[workload, way].time(steps) / steps
