"""The command in processes that can be killed: forked from one that has imported everything, so each starts at once."""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from nnspec.checkpoints import system
from tests.support.commands import child_environment, no_fsync

LONGEST = 300
"""Seconds on the clock after which a process is taken for one that hangs."""

CALLS = ("open", "flock", "write", "fsync", "pread", "read", "link", "replace", "unlink")


@contextmanager
def at_call(count: int, act: Callable[[], None], of: Sequence[str] = CALLS) -> Iterator[list[str]]:
    """Do something right before the `count`-th system call of saving, or of those named; yields their names so far."""
    made: list[str] = []
    watched: dict[str, Any] = {name: _watched(name, made, count, act) for name in of}
    with patch.multiple(system, **watched):
        yield made


def _watched(name: str, made: list[str], count: int, act: Callable[[], None]) -> Callable[..., Any]:
    call = getattr(system, name)

    def watch(*arguments: Any) -> Any:
        made.append(name)
        if len(made) == count:
            act()
        return call(*arguments)

    return watch


class Children:
    """Starts the command, one process at a time. `start` gives its id, `end` its exit code, below 0 a signal's."""

    def __init__(self) -> None:
        code = "from tools.soak.children import serve; serve()"
        self.server = subprocess.Popen(
            [sys.executable, "-c", code],
            env=child_environment(OPENBLAS_NUM_THREADS="1"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def start(self, folder: Path, *arguments: object, twice_at: int = 0) -> int:
        """Start `nnspec ARGUMENTS` in a folder; before that system call it sends itself SIGINT twice."""
        assert self.server.stdin is not None
        order = {"folder": str(folder), "arguments": [str(a) for a in arguments], "twice_at": twice_at}
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        return self._answer()

    def end(self) -> int:
        """Wait for the process that was started last. Until then its id is its own, whether it has ended or not."""
        assert self.server.stdin is not None
        self.server.stdin.write("null\n")
        self.server.stdin.flush()
        return self._answer()

    def run(self, folder: Path, *arguments: object, twice_at: int = 0) -> int:
        """Start and wait."""
        self.start(folder, *arguments, twice_at=twice_at)
        return self.end()

    def run_and_kill(self, folder: Path, after: float, *arguments: object) -> int:
        """Start the command, and send SIGKILL after `seconds` if it has not ended."""
        process = self.start(folder, *arguments)
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        return self.end()

    def _answer(self) -> int:
        assert self.server.stdout is not None
        return int(self.server.stdout.readline())


@contextmanager
def children() -> Iterator[Children]:
    """Children, and their server's end."""
    made = Children()
    try:
        yield made
    finally:
        assert made.server.stdin is not None and made.server.stdout is not None
        made.server.stdin.close()
        made.server.wait()
        made.server.stdout.close()


def serve() -> None:
    """Fork a child for every order on standard input and print its id; at null wait for it and print its exit code."""
    import nnspec.__main__
    import nnspec.api
    import nnspec.cli.verbs.resume
    import nnspec.cli.verbs.train  # noqa: F401

    print(0, flush=True)
    process = 0
    for line in sys.stdin:
        order = json.loads(line)
        if order is None:
            print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
            continue
        process = os.fork()
        with suppress(OSError):  # the child may have ended; whichever does it first, it has a group of its own
            os.setpgid(process, process)
        if process == 0:
            _become_the_command(order)
        print(process, flush=True)


def _become_the_command(order: dict[str, Any]) -> None:
    """In the child: run the command and end with its exit code, 99 for an error that is not the user's."""
    code = 99
    try:
        os.chdir(order["folder"])
        sys.argv = ["nnspec", *order["arguments"]]
        nowhere = os.open(os.devnull, os.O_RDWR)
        errors = os.open("errors.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for old, new in ((0, nowhere), (1, nowhere), (2, errors)):
            os.dup2(new, old)
        from nnspec.__main__ import main

        def twice() -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

        with no_fsync(), at_call(order["twice_at"], twice):  # a kill leaves what the system holds to it
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def run_apart_within(module: str, *arguments: str, limit: float = LONGEST, **environment: str) -> tuple[int, str, int]:
    """Run `serve` of a module in a process of its own; end it and all that it started after `limit` seconds.

    Returns its exit code (below 0 for a signal, SIGKILL where it hung), its output, and how many processes it left.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {module} import serve; serve()", *arguments],
        env=child_environment(**environment),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return process.returncode, output, len(left_in_group(process.pid))


def left_in_group(group: int, patience: float = 10.0) -> list[int]:
    """Return the processes of a group that still run after `patience` seconds, and end them. Linux."""
    until = time.monotonic() + patience
    while (left := list(_in_group(group))) and time.monotonic() < until:
        time.sleep(0.01)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return left


def _in_group(group: int) -> Iterator[int]:
    for status in process_states():
        if status.group == group and status.state not in "ZX":
            yield status.process


class ProcessState(NamedTuple):
    """A process as /proc has it."""

    process: int
    state: str
    parent: int
    group: int


def process_states() -> Iterator[ProcessState]:
    """Yield the state of every process; nothing where there is no /proc."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = file.read_text(errors="replace").rpartition(")")[2].split()
            yield ProcessState(int(file.parent.name), fields[0], int(fields[1]), int(fields[2]))
