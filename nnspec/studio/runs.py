"""The runs in the studio's folder, as their logs have them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnspec.runtime.train.run_folder import LAST, METRICS, SPEC, RunFolder
from nnspec.serving.limits import Refusal
from nnspec.studio.folder import Folder

MOST_RUNS = 200
"""The most runs that are listed, the newest."""

MOST_POINTS = 2000
"""The most evaluations of a curve."""

_NO_METRICS = {"event", "step", "epoch", "lr"}
_ENDS = ("end", "diverged")


@dataclass
class Runs:
    """The runs of a folder: those in runs/, and the folders next to it that hold one."""

    folder: Folder
    _known: dict[Path, tuple[tuple[int, int], dict[str, Any]]] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Return the folder of a run. Raises Refusal where it is outside, or not a run."""
        path = self.folder.inside(name)
        if not _holds_run(path):
            raise Refusal(404, f"{name} is not a run: it has no {LAST}")
        return path

    def listed(self) -> list[dict[str, Any]]:
        """Return what is known of each run, the newest first: name, network, state, step, metrics and its time."""
        found = [self._summary(path) for path in self._folders()]
        return sorted(found, key=lambda run: (-run["modified"], run["name"]))[:MOST_RUNS]

    def history(self, name: str) -> dict[str, tuple[list[int], list[float | None]]]:
        """Return the steps and the values of each metric of a run."""
        events = [event for event in RunFolder(self.path(name)).events() if event["event"] == "evaluation"]
        found: dict[str, tuple[list[int], list[float | None]]] = {}
        for event in events[:: max(1, math.ceil(len(events) / MOST_POINTS))]:
            for metric, value in measured(event).items():
                steps, values = found.setdefault(metric, ([], []))
                steps.append(int(event["step"]))
                values.append(value)
        return found

    def spec(self, name: str) -> str:
        """Return the spec that a run was trained with."""
        return (self.path(name) / SPEC).read_text("utf-8", "replace")

    def _folders(self) -> list[Path]:
        root = self.folder.root
        patterns = (f"{where}/{file}" for where in ("runs/*", "*") for file in (METRICS, LAST))
        found = {file.parent for pattern in patterns for file in root.glob(pattern)}
        return [path for path in found if path.resolve().is_relative_to(root)]

    def _summary(self, path: Path) -> dict[str, Any]:
        mark = _mark(path)
        known = self._known.get(path)
        if known is None or known[0] != mark:
            known = self._known[path] = (mark, _summary(path, path.relative_to(self.folder.root).as_posix(), mark))
        return known[1]


def measured(event: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the metrics of an evaluation, NaN as None; the mean loss of the steps before it is training_loss."""
    renamed = {"training_loss" if name == "loss" else name: value for name, value in event.items()}
    return {
        name: value if math.isfinite(value) else None
        for name, value in renamed.items()
        if name not in _NO_METRICS and isinstance(value, int | float) and not isinstance(value, bool)
    }


def _summary(path: Path, name: str, mark: tuple[int, int]) -> dict[str, Any]:
    events = RunFolder(path).events()
    last = events[-1] if events else {}
    ended = last.get("event") in _ENDS
    evaluation: Mapping[str, Any] = next((event for event in reversed(events) if event["event"] == "evaluation"), {})
    return {
        "name": name,
        "state": {"end": "done", "diverged": "diverged"}.get(str(last.get("event")), "unfinished"),
        "step": last.get("steps") if ended else last.get("step", 0),
        "seconds": last.get("seconds") if ended else None,
        "metrics": measured(evaluation) | (_tested(last) if ended else {}),
        "reason": last.get("reason") if last.get("event") == "diverged" else None,
        "resumable": (path / LAST).exists() and last.get("event") != "end",
        "modified": max(mark) / 1e9,
    }


def _tested(end: Mapping[str, Any]) -> dict[str, float | None]:
    return {name: value for name, value in measured(end).items() if name.startswith("test_")}


def _holds_run(path: Path) -> bool:
    return (path / LAST).is_file() or (path / METRICS).is_file()


def _mark(path: Path) -> tuple[int, int]:
    """Return when the log and the last checkpoint of a run were written."""
    found = []
    for name in (METRICS, LAST):
        try:
            found.append((path / name).stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return found[0], found[1]
