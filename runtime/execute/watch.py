"""Watching a child process on Linux: whether it runs, is stopped, hangs or has ended."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from nnspec.runtime.errors import TrainingError

PATIENCE = 60.0
"""Seconds for which a child may sleep without progress while its parent waits for it."""

GOES_ON = "`nnspec resume` continues from the last checkpoint"


class Watch:
    """Watches a child that this process waits for.

    It works even if other code reaps children (an ignored SIGCHLD, a handler that calls `os.wait`): unlike a process
    id, a process descriptor is never reused.
    """

    def __init__(self, pid: int):
        self.pid = pid
        self._stat = Path(f"/proc/{pid}/stat")
        self._ticks, self._since = -1, 0.0
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except OSError:  # an old kernel, or it has ended already
            self._descriptor = None

    def check(self) -> None:
        """Raise TrainingError if the child has ended or hangs; continue it if it was stopped (SIGSTOP)."""
        state, ticks = self._look()
        if self._ended() or state in "ZX":
            raise TrainingError(f"a worker process of the training was killed, perhaps for lack of memory; {GOES_ON}")
        if state in "Tt":
            self._send(signal.SIGCONT)
        now = time.monotonic()
        if ticks != self._ticks or state != "S":
            self._ticks, self._since = ticks, now
        elif now - self._since > PATIENCE:
            raise TrainingError(f"a worker process of the training hangs; {GOES_ON}")

    def kill(self) -> None:
        """Kill the child, in any state."""
        self._send(signal.SIGKILL)

    def reap(self) -> None:
        """Wait for the end of the child."""
        with suppress(ChildProcessError):  # reaped elsewhere
            os.waitpid(self.pid, 0)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _ended(self) -> bool:
        kind, which = (os.P_PID, self.pid) if self._descriptor is None else (os.P_PIDFD, self._descriptor)
        try:
            return os.waitid(kind, which, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # reaped elsewhere
            return True

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            elif not self._ended():
                os.kill(self.pid, number)

    def _look(self) -> tuple[str, int]:
        """Return the state of the child and its processor time in ticks; the state is "?" if it cannot be read."""
        try:
            fields = self._stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return "?", 0
        return fields[0], int(fields[11]) + int(fields[12])
