"""The folder of a run: its files, how a new one is made, and how a checkpoint in it is found.

The loop, the commands and resuming use it. It does not know what is in a checkpoint.
"""

import csv
import io
import json
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

from nnspec.runtime.errors import CheckpointError, TrainingError
from nnspec.runtime.train.checkpointing import folder_identity, fsync_folder, replace_file, temporary_path
from nnspec.spec_lang.regular_file import open_regular_file

LAST, BEST, METRICS, TABLE = "last.h5", "best.h5", "metrics.jsonl", "metrics.csv"
INITIAL = "initial.h5"
"""The network at step 0 of a run that began with the weights of another checkpoint."""
STEP_FILES = "step-*.h5"
SPEC, RESOLVED, LOCK = "spec.nnspec", "resolved.nnspec", "run.lock"

_LEFT_BEHIND = re.compile(r"run\.lock|initial\.h5|.*\.nnspec-[0-9a-f]{16}\.tmp")

PROBE_BYTES = 65536
"""Size of the file that is written to find whether a folder can be written to."""


@dataclass(frozen=True)
class RunFolder:
    """`runs/NAME/`, or the folder that the user named.

    `made_in` is the identity of the folder in which the run was made, None where it is not known. A run that is copied
    keeps it.
    """

    path: Path
    made_in: int | None = None

    @property
    def last(self) -> Path:
        """The newest checkpoint, from which a run is resumed."""
        return self.path / LAST

    @property
    def best(self) -> Path:
        """The checkpoint of the best evaluation."""
        return self.path / BEST

    @property
    def initial(self) -> Path:
        """The network before the first step, of a run that began with the weights of another checkpoint."""
        return self.path / INITIAL

    @property
    def pictures(self) -> Path:
        """The folder of the pictures."""
        return self.path / "pictures"

    def at_step(self, step: int) -> Path:
        """Return the path of the checkpoint that `keep=` asks for after this step."""
        return self.path / f"step-{step:09d}.h5"

    def keep_steps(self, count: int) -> None:
        """Remove all but the last `count` checkpoints of `at_step`. Raises TrainingError where the system refuses."""
        for old in sorted(self.path.glob(STEP_FILES))[:-count]:
            try:
                old.unlink(missing_ok=True)
            except OSError as error:
                raise _refused(old, error) from None

    def write_text(self, name: str, text: str) -> None:
        """Write a small file atomically. Raises TrainingError that names the path where the system refuses."""
        target = self.path / name
        try:
            replace_file(target, text.encode())
        except OSError as error:
            raise _refused(target, error) from None

    def log(self, events: list[dict[str, object]]) -> None:
        """Append events to metrics.jsonl, NaN and infinity as null, and fsync it.

        A checkpoint written afterwards is therefore never ahead of the log. Raises TrainingError where the system
        refuses.
        """
        path = self.path / METRICS
        lines = [json.dumps({key: _number(value) for key, value in event.items()}, allow_nan=False) for event in events]
        try:
            with path.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
                _sync(file)
            self._tabulate(events)
        except OSError as error:
            raise _refused(path, error) from None

    def _tabulate(self, events: list[dict[str, object]]) -> None:
        """Append evaluations to metrics.csv, a column for each metric. It is made of the log again on resume."""
        evaluations = [event for event in events if event["event"] == "evaluation"]
        if evaluations:
            path = self.path / TABLE
            begins = not path.exists()
            with path.open("a", encoding="utf-8", newline="") as file:
                file.write(_table(evaluations, begins))

    def truncate_log(self, step: int) -> None:
        """Remove what a run resumed at `step` writes again: later evaluations, the end event, an incomplete line."""
        path = self.path / METRICS
        if path.exists():
            lines = _content(path).decode("utf-8", "replace").splitlines(keepends=True)
            kept = [line for line in lines if _is_evaluation_until(step, line)]
            if kept != lines:
                self.write_text(METRICS, "".join(kept))
            if kept:
                self.write_text(TABLE, _table([json.loads(line) for line in kept], True))
            else:
                (self.path / TABLE).unlink(missing_ok=True)

    def events(self) -> list[dict[str, Any]]:
        """Return the events of metrics.jsonl that can be read, in order; none where there is no such file."""
        try:
            lines = _content(self.path / METRICS).decode("utf-8", "replace").splitlines()
        except (OSError, TrainingError, ValueError):
            return []
        return [event for event in map(_event, lines) if event is not None]

    def last_event(self) -> Mapping[str, object]:
        """Return the last event of metrics.jsonl, an empty one where there is none or it cannot be read."""
        try:
            lines = _content(self.path / METRICS).splitlines()
        except (OSError, TrainingError, ValueError):
            return {}
        return (_event(lines[-1]) if lines else None) or {}

    def require_no_run(self) -> None:
        """Raise TrainingError where the folder already holds a run."""
        if any((self.path / file).exists() for file in (LAST, BEST, METRICS)):
            advice = f"continue it by nnspec resume {self.path}, or choose another --out"
            raise TrainingError(f"{self.path} already holds a run: {advice}", exit_code=2)

    def require_empty(self, texts: Mapping[str, str] | None = None) -> None:
        """Raise TrainingError unless a run can have the folder for itself: it is new or empty.

        What a run killed before its first save leaves behind does not count: its lock, its initial weights, temporary
        files, and next to the lock files with these `texts`, by name, which the new run writes too.
        """
        self.require_no_run()
        try:
            found = sorted(entry for entry in os.listdir(self.path) if not _LEFT_BEHIND.fullmatch(entry))
            if (self.path / LOCK).exists():
                found = [entry for entry in found if not self._holds(entry, (texts or {}).get(entry))]
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _refused(self.path, error) from None
        if found:
            advice = "a run takes a new or an empty folder, choose another --out"
            raise TrainingError(f"{self.path} is not empty, it has {found[0]}: {advice}", exit_code=2)

    def _holds(self, name: str, text: str | None) -> bool:
        path = self.path / name
        return text is not None and path.is_file() and path.read_bytes() == text.encode()

    def edited_spec_warning(self, text: str) -> str | None:
        """Return a warning where spec.nnspec is no longer `text`, the spec that the run's checkpoint holds."""
        path = self.path / SPEC
        try:
            now = _content(path)
        except TrainingError:
            return None
        if now == text.encode():
            return None
        return f"{path} was edited after the run began; the run continues with the spec in its checkpoint"

    def disk_space_warning(self) -> str | None:
        """Return a warning where the disk has no room for the next saves; None where it has, or the folder is gone.

        A save needs room for a new file next to the one that it replaces, and the first save of a kind also for the
        former file that it keeps.
        """
        kept = (self.path / f"{LAST}.prev", self.best, self.path / f"{BEST}.prev")
        try:
            needed = self.last.stat().st_size * (1 + sum(not path.exists() for path in kept))
            free = shutil.disk_usage(self.path).free
        except OSError:
            return None
        if free >= needed:
            return None
        return f"{self.path}: the next save needs {needed:,} bytes and the disk has {free:,}: free disk space now"


def resolve_checkpoint(path: str | Path) -> Path:
    """Return the checkpoint that a path means: the file itself, or the last.h5 of a run's folder.

    Raises CheckpointError where a folder has none, with a hint at the run in it or the former checkpoint.
    """
    path = Path(path)
    if not os.path.isdir(path):  # unlike Path.is_dir, it never raises
        return path
    if (path / LAST).exists():
        return path / LAST
    runs = sorted(path.glob(f"*/{LAST}"), key=lambda file: file.stat().st_mtime)
    former = path / f"{LAST}.prev"
    hint = f"; did you mean {former if former.exists() else runs[-1].parent}?" if runs or former.exists() else ""
    raise CheckpointError(f"{path} is not a run: it has no {LAST}{hint}", exit_code=2)


def is_step_file(path: Path) -> bool:
    """Return whether a file is a checkpoint that `keep=` asks for, which a training run may remove at any time."""
    return path.match(STEP_FILES)


def checkpoints_in(folder: Path) -> list[Path]:
    """Return every checkpoint of a run's folder. Raises CheckpointError where it has none."""
    found = sorted(folder.glob("*.h5"))
    return found or [resolve_checkpoint(folder)]


def new_folder(name: str, out: str | Path | None, texts: Mapping[str, str] | None = None) -> RunFolder:
    """Make the folder of a new run and check that it can be written to.

    Arguments:
        name: the name of the spec.
        out: the folder; None for the first of runs/NAME, runs/NAME-2 and so on that does not exist.
        texts: the files that the run writes first, by name.

    Raises TrainingError where `out` already holds a run, or the folder cannot be made or written to.
    """
    if out is not None:
        folder = _named_folder(out)
        folder.require_empty(texts)
        _make(folder.path, exist_ok=True)
    else:
        for folder in _default_folders(name):
            try:
                _make(folder.path, exist_ok=False)
                break
            except FileExistsError:
                continue
    _probe(folder.path)
    return RunFolder(folder.path, folder_identity(folder.path))


def preview_new_folder(name: str, out: str | Path | None) -> tuple[Path, str | None]:
    """Return the folder that `new_folder` would make, and why it could not be written to; None where it could.

    Writes a small file to the folder, or to the parent in which it would be made, and removes it.
    """
    if out is None:
        folder = next(folder for folder in _default_folders(name) if not os.path.lexists(folder.path))
    else:
        folder = _named_folder(out)
    try:
        folder.require_empty()
        existing = next(path for path in (folder.path, *folder.path.absolute().parents) if os.path.lexists(path))
        if not existing.is_dir():
            raise _is_a_file(existing)
        _probe(existing)
    except TrainingError as error:
        return folder.path, str(error)
    return folder.path, None


def _named_folder(out: str | Path) -> RunFolder:
    if not str(out):
        raise TrainingError("--out is empty: name a folder, or leave --out out", exit_code=2)
    return RunFolder(Path(out))


def _default_folders(name: str) -> Iterator[RunFolder]:
    """Yield runs/NAME, runs/NAME-2, and so on."""
    yield RunFolder(Path("runs") / name)
    yield from (RunFolder(Path("runs") / f"{name}-{number}") for number in count(2))


def _make(path: Path, exist_ok: bool) -> None:
    """Make a folder and its parents, and fsync the entries of each: a crash must not lose the files saved in it."""
    missing = [folder for folder in (path.absolute(), *path.absolute().parents) if not os.path.lexists(folder)]
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
        for folder in missing:
            with suppress(PermissionError):  # a parent that can be written to but not opened
                fsync_folder(folder.parent)
    except FileExistsError:
        if path.is_dir():
            raise
        raise _is_a_file(path) from None
    except OSError as error:
        raise _refused(path, error) from None


def _is_a_file(path: Path) -> TrainingError:
    return TrainingError(f"{path} is a file: a run needs a folder, choose another --out", exit_code=2)


def _probe(path: Path) -> None:
    """Write, sync and remove a small file, so that a full disk or a read-only folder is reported before training."""
    probe = temporary_path(path / "probe")
    try:
        with probe.open("wb") as file:
            file.write(b"\0" * PROBE_BYTES)
            _sync(file)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        try:
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(path, error) from None


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _table(evaluations: list[dict[str, object]], begins: bool) -> str:
    """Return evaluations as rows of CSV, with the names of the columns where the table begins."""
    text = io.StringIO()
    columns = [name for name in evaluations[0] if name != "event"]
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    if begins:
        writer.writeheader()
    writer.writerows(evaluations)
    return text.getvalue()


def _number(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _content(path: Path) -> bytes:
    """Return the bytes of a file. Raises TrainingError where it is not a regular file that can be read."""
    try:
        with open_regular_file(path) as file:
            return file.read()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror} (errno {error.errno})") from None


def _event(line: str | bytes) -> dict[str, Any] | None:
    """Return the event of a line of the log, None where it cannot be read."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _refused(path: Path, error: OSError) -> TrainingError:
    return TrainingError(f"{path} cannot be written: {error.strerror} (errno {error.errno})")


def _is_evaluation_until(step: int, line: str) -> bool:
    try:
        event = json.loads(line)
        return line.endswith("\n") and event["event"] == "evaluation" and event["step"] <= step
    except (ValueError, LookupError, TypeError):
        return False
