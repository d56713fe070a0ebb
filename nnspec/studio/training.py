"""The training that the studio has begun: a process of its own, what it reports, and how it is stopped."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from nnspec.serving.limits import Refusal
from nnspec.studio.hub import Hub
from nnspec.studio.runs import measured

MOST_LOSSES = 600
"""The most losses of steps that are kept for tabs that come later; of more, every second one."""

MOST_NOTES = 20
_LAST = {"end": "done", "diverged": "diverged", "interrupted": "stopped", "error": "failed"}
_STATUS = ("event", "format_version")


class Training:
    """At most one training at a time. Each event of it is a message of the hub."""

    def __init__(self, root: Path, hub: Hub, changed: Callable[[], None]):
        self.root = root
        self.hub = hub
        self.changed = changed
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._status: dict[str, Any] | None = None
        self._losses: list[tuple[int, float]] = []
        self._stride = 1
        self._seen = 0
        self.weights: dict[str, Any] | None = None
        self.reader: Thread | None = None

    @property
    def running(self) -> bool:
        """Whether a process trains."""
        return self._process is not None

    def status(self, losses: bool = True) -> dict[str, Any] | None:
        """Return what is known of the training that runs, or of the last one; None before the first."""
        if self._status is None:
            return None
        return {**self._status, **({"losses": list(self._losses)} if losses else {})}

    def start(self, request: dict[str, Any], label: str) -> None:
        """Begin a training. `label` is what is trained. Raises Refusal where one runs."""
        with self._lock:
            if self._process is not None:
                raise Refusal(409, "a training is running: stop it first")
            errors = tempfile.TemporaryFile()  # noqa: SIM115 closed by the thread that reads
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "nnspec.studio.worker", json.dumps(request)],
                cwd=self.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8",
                **_apart(),
            )  # fmt: skip
            self._status = {
                "file": request.get("file"), "run": request.get("run"), "label": label, "phase": "starting", "step": 0,
                "total": None, "loss": None, "error": None, "notes": [], "end": None,
            }  # fmt: skip
            self._losses, self._stride, self._seen, self.weights = [], 1, 0, None
        self._tell()
        self.reader = Thread(target=self._read, args=(process, errors), name="training", daemon=True)
        self.reader.start()

    def stop(self) -> None:
        """Ask the run to save and stop, as Ctrl-C does, or at once if asked again. Raises Refusal where none runs."""
        with self._lock:
            process = self._process
            if process is None or self._status is None:
                raise Refusal(409, "no training is running")
            self._status["phase"] = "stopping"
            self._signal(process)
        self._tell()

    def end(self, seconds: float) -> None:
        """Stop the run, if one runs, and wait until it is saved, at most so long."""
        process = self._process
        if process is None:
            return
        self._signal(process)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        if self.reader is not None:
            self.reader.join(5)

    def _signal(self, process: "subprocess.Popen[str]") -> None:
        if sys.platform == "win32":
            assert process.stdin is not None
            process.stdin.write("stop\n")
            process.stdin.flush()
        else:
            process.send_signal(signal.SIGINT)

    def _read(self, process: "subprocess.Popen[str]", errors: IO[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                self._take(json.loads(line))
            except (ValueError, LookupError, TypeError):
                continue
        process.stdout.close()
        code = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        assert self._status is not None
        with self._lock, errors:
            self._process = None
            if self._status["phase"] == "stopping":  # before its first step, or asked twice
                self._status.update(phase="stopped")
            elif self._status["phase"] not in _LAST.values():
                self._status.update(phase="failed", error=_crash(code, errors))
        self._tell()
        self.changed()

    def _take(self, event: dict[str, Any]) -> None:
        kind, status = event["event"], self._status
        assert status is not None
        if kind == "weights":
            self.weights = event["weights"]
            self.hub.tell("weights", run=status["run"], weights=self.weights)
            return
        if kind == "start":
            run = Path(event["out"])
            name = (run if run.is_absolute() else self.root / run).resolve().relative_to(self.root).as_posix()
            phase = "running" if status["phase"] == "starting" else status["phase"]
            status.update(run=name, phase=phase, step=event["step"], total=event["total"], batch=event["batch"])
            self.changed()
        elif kind in ("note", "warning"):
            status["notes"] = [*status["notes"], {"kind": kind, "text": event["text"]}][-MOST_NOTES:]
        elif kind == "progress":
            status.update(step=event["step"], loss=event["loss"])
            self._keep(event["step"], event["loss"])
        elif kind == "evaluation":
            status.update(step=event["step"], epoch=event["epoch"])
            self.hub.tell("evaluation", run=status["run"], step=event["step"], metrics=measured(event))
        elif kind in _LAST:
            if kind == "error":  # the sentence on what has ended the run, which may have been told already
                status["error"] = event["text"]
            if status["phase"] != "diverged":
                said = {name: value for name, value in event.items() if name not in _STATUS}
                status.update(phase=_LAST[kind], end=said, step=event.get("steps", status["step"]))
        self._tell()

    def _keep(self, step: int, loss: float | None) -> None:
        self._seen += 1
        if loss is not None and self._seen % self._stride == 0:
            self._losses.append((step, loss))
        if len(self._losses) > MOST_LOSSES:
            self._losses, self._stride = self._losses[::2], self._stride * 2

    def _tell(self) -> None:
        self.hub.tell("training", training=self.status(losses=False))


def _apart() -> dict[str, Any]:
    """Return the settings that keep a terminal's Ctrl-C from the process: the studio ends it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _crash(code: int, errors: IO[bytes]) -> str:
    """Return a sentence on a process that ended without its last event."""
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip().splitlines()
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    last = f": {said[-1][:500]}" if said else ""
    return f"the training process ended {how}{last}; what it had saved can be resumed"
