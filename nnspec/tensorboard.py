"""Event files for TensorBoard: a listener of training runs that writes what they measure.

    nnspec.train("specs/quickstart.nnspec", listen=TensorBoard("logs"))

It needs the package tensorboard, which `pip install 'nnspec[tensorboard]'` installs; the files are written by its own
writer. `nnspec train --tensorboard` uses it.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.runtime.errors import TrainingError
from nnspec.spec_lang.check.fit import TRAINING, VALIDATION

if TYPE_CHECKING:
    from nnspec.runtime.train.events import Event

FOLDER = "tensorboard"
"""The folder of the event files in a run's folder."""

_NOT_MEASURED = ("event", "step", "epoch")


class TensorBoard:
    """A listener that writes evaluations as scalars: loss/training, loss/validation, accuracy/validation, lr.

    `folder` is where the event files are written; None is tensorboard/ in the run's folder. A run that is resumed
    writes another file, and TensorBoard leaves out what the former one has after the step at which it resumes. The runs
    of several folds have a folder each.

    Raises TrainingError where the package is not installed.
    """

    def __init__(self, folder: str | Path | None = None):
        self.folder = None if folder is None else Path(folder)
        self._writer: Any = None
        self._start: Event = {}
        try:
            import tensorboard.summary.writer.event_file_writer  # noqa: F401
        except ImportError:
            raise TrainingError(
                "--tensorboard needs tensorboard: pip install 'nnspec[tensorboard]'", exit_code=2
            ) from None

    def __call__(self, event: "Event") -> None:
        """Write an event of a run."""
        match event["event"]:
            case "start":
                self.close()
                self._start = event
                if self.folder is None and event["out"] is None:
                    raise TrainingError("a run without files has no folder for event files: name one", exit_code=2)
            case "evaluation":
                values = {name: value for name, value in event.items() if name not in _NOT_MEASURED}
                self._scalars({_tag(name, values): value for name, value in values.items()}, event["step"])
            case "end":
                tests = {name: value for name, value in event.items() if name.startswith("test_")}
                self._scalars(
                    {f"{name.removeprefix('test_')}/test": value for name, value in tests.items()}, event["steps"]
                )
                self.close()
            case "diverged" | "interrupted":
                self.close()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _begin(self) -> None:
        """Open the file, once the run has its folder."""
        from tensorboard.compat.proto.event_pb2 import Event as Record
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        out, event = self._start["out"], self._start
        folder = Path(out) / FOLDER if self.folder is None else self.folder / Path(out or event["network"]).name
        try:
            self._writer = EventFileWriter(str(folder))
        except OSError as error:
            raise TrainingError(f"{folder} cannot be written: {error.strerror or error}", exit_code=2) from None
        if event["step"]:
            restart = SessionLog(status=SessionLog.START)
            self._writer.add_event(Record(wall_time=time.time(), step=event["step"] + 1, session_log=restart))

    def _scalars(self, values: dict[str, Any], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event as Record
        from tensorboard.compat.proto.summary_pb2 import Summary

        found = [
            Summary.Value(tag=tag, simple_value=value) for tag, value in values.items() if isinstance(value, float)
        ]
        if found:
            if self._writer is None:
                self._begin()
            self._writer.add_event(Record(wall_time=time.time(), step=step, summary=Summary(value=found)))
            self._writer.flush()


def _tag(name: str, measured: dict[str, Any]) -> str:
    """Return the tag of a metric: its quantity, then its split, so that TensorBoard groups the splits."""
    for prefix in (TRAINING, VALIDATION):
        if name.startswith(prefix):
            return f"{name.removeprefix(prefix)}/{prefix.rstrip('_')}"
    if name == "loss":
        return "loss/steps" if f"{TRAINING}loss" in measured else "loss/training"
    return name
