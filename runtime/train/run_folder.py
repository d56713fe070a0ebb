"""The folder of a run: what lies in it, and how a new one gets its place without touching another."""

import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

from nnspec import checkpoints
from nnspec.runtime.errors import CheckpointError, TrainingError

LAST, BEST, METRICS = "last.h5", "best.h5", "metrics.jsonl"


@dataclass(frozen=True)
class RunFolder:
    """`runs/NAME/` or the folder asked for."""

    path: Path

    @property
    def last(self) -> Path:
        """The newest checkpoint: the one to resume from."""
        return self.path / LAST

    @property
    def best(self) -> Path:
        """The checkpoint of the best evaluation."""
        return self.path / BEST

    @property
    def pictures(self) -> Path:
        """Where pictures go."""
        return self.path / "pictures"

    def at_step(self, step: int) -> Path:
        """A checkpoint kept beside the last and the best."""
        return self.path / f"step-{step:09d}.h5"

    def keep_steps(self, count: int) -> None:
        """Remove all but the last so many checkpoints that `at_step` names. Raises TrainingError."""
        for old in sorted(self.path.glob("step-*.h5"))[:-count]:
            try:
                old.unlink(missing_ok=True)
            except OSError as error:
                raise _refused(old, error) from None

    def write_text(self, name: str, text: str) -> None:
        """Write a small file, whole or not at all. Raises TrainingError naming the path if the system refuses."""
        target = self.path / name
        try:
            checkpoints.replace_file(target, text.encode())
        except OSError as error:
            raise _refused(target, error) from None

    def log(self, events: list[dict[str, object]]) -> None:
        """Add lines to metrics.jsonl. They are on the disk when it returns, so no checkpoint is ever ahead of them.

        A number that JSON does not have becomes null.
        """
        path = self.path / METRICS
        lines = [json.dumps({key: _number(value) for key, value in event.items()}, allow_nan=False) for event in events]
        try:
            with path.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines)
                _to_disk(file)
        except OSError as error:
            raise _refused(path, error) from None

    def truncate_log(self, step: int) -> None:
        """Drop what a resumed run writes anew, the end and lines behind a step, and what a kill left half-written."""
        path = self.path / METRICS
        if path.exists():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            kept = [line for line in lines if _is_evaluation_until(step, line)]
            if kept != lines:
                self.write_text(METRICS, "".join(kept))

    def refuse_if_taken(self) -> None:
        """Raises TrainingError where the folder holds a run already."""
        if any((self.path / file).exists() for file in (LAST, BEST, METRICS)):
            advice = f"go on with it by nnspec resume {self.path}, or choose another --out"
            raise TrainingError(f"{self.path} holds a run already: {advice}", exit_code=2)

    def lack_of_room(self) -> str | None:
        """What to tell where the next saves will not fit on the disk: each needs room beside the file that it replaces,
        and the first of a kind also for the former file that it keeps. Of a folder that is gone the next save tells."""
        kept = (self.path / f"{LAST}.prev", self.best, self.path / f"{BEST}.prev")
        try:
            needed = self.last.stat().st_size * (1 + sum(not path.exists() for path in kept))
            free = shutil.disk_usage(self.path).free
        except OSError:
            return None
        if free >= needed:
            return None
        return f"{self.path}: the next save needs {needed:,} bytes and the disk has {free:,}: make room while it trains"


def checkpoint_at(path: str | Path) -> Path:
    """The checkpoint that a person means: the file itself, or of a run's folder the newest, last.h5.

    Raises CheckpointError where a folder holds none, naming the run in it that was most likely meant.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    if (path / LAST).exists():
        return path / LAST
    runs = sorted(path.glob(f"*/{LAST}"), key=lambda file: file.stat().st_mtime)
    former = path / f"{LAST}.prev"
    hint = f"; did you mean {former if former.exists() else runs[-1].parent}?" if runs or former.exists() else ""
    raise CheckpointError(f"{path} is no run: there is no {LAST} in it{hint}", exit_code=2)


def checkpoints_in(folder: Path) -> list[Path]:
    """Every checkpoint of a run's folder. Raises CheckpointError where it holds none."""
    found = sorted(folder.glob("*.h5"))
    return found or [checkpoint_at(folder)]


def new_folder(name: str, out: str | Path | None) -> RunFolder:
    """A folder for a new run, made and found writable before the first epoch.

    `out` must not hold a run already; without it the place is runs/NAME, or runs/NAME-2 … where that is taken. Raises
    TrainingError where the folder cannot be made or written.
    """
    if out is not None:
        folder = RunFolder(Path(out))
        folder.refuse_if_taken()
        _make(folder.path, exist_ok=True)
    else:
        for folder in _own_places(name):
            try:
                _make(folder.path, exist_ok=False)
                break
            except FileExistsError:
                continue
    _probe(folder.path)
    return folder


def prospect(name: str, out: str | Path | None) -> tuple[Path, str | None]:
    """The folder that a run begun now would get, and why it cannot be written there; None where it can.

    A small file is written to the folder, or to where it would be made, and removed again.
    """
    if out is None:
        folder = next(folder for folder in _own_places(name) if not os.path.lexists(folder.path))
    else:
        folder = RunFolder(Path(out))
    try:
        folder.refuse_if_taken()
        there = next(path for path in (folder.path, *folder.path.absolute().parents) if os.path.lexists(path))
        if not there.is_dir():
            raise _is_a_file(there)
        _probe(there)
    except TrainingError as error:
        return folder.path, str(error)
    return folder.path, None


def _own_places(name: str) -> Iterator[RunFolder]:
    """runs/NAME, runs/NAME-2, and so on."""
    yield RunFolder(Path("runs") / name)
    yield from (RunFolder(Path("runs") / f"{name}-{number}") for number in count(2))


def _make(path: Path, exist_ok: bool) -> None:
    """Make a folder and those above it, and put their names on the disk: what is saved in them is found again."""
    missing = [folder for folder in (path.absolute(), *path.absolute().parents) if not os.path.lexists(folder)]
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
        for folder in missing:
            with suppress(PermissionError):  # one that may be written to but not looked into
                checkpoints.fsync_folder(str(folder.parent))
    except FileExistsError:
        if path.is_dir():
            raise
        raise _is_a_file(path) from None
    except OSError as error:
        raise _refused(path, error) from None


def _is_a_file(path: Path) -> TrainingError:
    return TrainingError(f"{path} is a file: a run needs a folder, choose another --out", exit_code=2)


def _probe(path: Path) -> None:
    """Write, sync and remove a small file: a full disk or a read-only folder is told now, not after an epoch."""
    probe = Path(checkpoints.temporary(str(path / "probe")))  # the next start in the folder sweeps it after a kill
    try:
        with probe.open("wb") as file:
            file.write(b"\0" * 65536)
            _to_disk(file)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        try:
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(path, error) from None


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _number(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refused(path: Path, error: OSError) -> TrainingError:
    return TrainingError(f"{path} cannot be written: {error.strerror} (errno {error.errno})")


def _is_evaluation_until(step: int, line: str) -> bool:
    try:
        event = json.loads(line)
        return line.endswith("\n") and event["event"] == "evaluation" and event["step"] <= step
    except (ValueError, LookupError, TypeError):
        return False
