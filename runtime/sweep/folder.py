"""The folder of a sweep: the runs of its trials, and sweep.json, which says what it sweeps and what came of each trial.

sweep.csv is the same as a table, for people. Nothing is read from it.
"""

import csv
import io
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnspec.runtime.errors import TrainingError
from nnspec.runtime.sweep.ranking import Rank
from nnspec.runtime.sweep.trial import TrialResult
from nnspec.runtime.train.run_folder import RunFolder, new_folder
from nnspec.spec_lang.source import Source

SWEEP, TABLE, SPEC, TRIALS, JOURNAL = "sweep.json", "sweep.csv", "spec.nnspec", "trials", "journal.log"
FORMAT_VERSION = 1

SAVE_EVERY = 1.0
"""The least seconds between two writes of sweep.json while trials end. What a kill leaves unsaid the runs say."""


@dataclass(frozen=True)
class Asked:
    """What a sweep was called with, so that its folder alone can go on.

    `spec` is the name of the spec's file, `folder` that of its relative paths, from the sweep's folder. `lag` is how
    many trials of a search run at once: trial n is chosen from the outcomes of trials up to n − lag.
    """

    spec: str
    folder: str | None
    settings: Mapping[str, str] = field(default_factory=dict)
    variant: str | None = None
    data: str | None = None
    in_memory: bool = False
    seeds: tuple[int, ...] = ()
    metric: str = ""
    trials: int | None = None
    method: str | None = None
    lag: int = 1
    digest: str = ""


@dataclass
class SweepFolder:
    """The folder of a sweep. `results` are its trials by name, in order."""

    path: Path
    asked: Asked | None = None
    results: dict[str, TrialResult] = field(default_factory=dict)
    _saved: float = 0.0

    @property
    def pictures(self) -> Path:
        """The folder of the pictures."""
        return self.path / "pictures"

    @property
    def journal(self) -> Path:
        """The journal of a search, which Optuna writes and its dashboard opens."""
        return self.path / JOURNAL

    def of_trial(self, name: str) -> Path:
        """Return the folder of a trial's run."""
        return self.path / TRIALS / name

    def save(self, ranks: Sequence[Rank], now: bool = True) -> None:
        """Write sweep.json and sweep.csv, unless they were written a moment ago and it need not be now."""
        if not now and time.monotonic() - self._saved < SAVE_EVERY:
            return
        assert self.asked is not None
        results = list(self.results.values())
        document = {
            "format_version": FORMAT_VERSION,
            "asked": {**asdict(self.asked), "settings": dict(self.asked.settings)},
            "trials": [self._relative(result) for result in results],
            "ranking": [rank.as_json() for rank in ranks],
        }
        folder = RunFolder(self.path)
        folder.write_text(SWEEP, json.dumps(document, indent=1) + "\n")
        folder.write_text(TABLE, table(results))
        self._saved = time.monotonic()

    def _relative(self, result: TrialResult) -> dict[str, Any]:
        return {**result.as_json(), "out": f"{TRIALS}/{result.name}"}


def open_sweep(path: Path) -> SweepFolder | None:
    """Return the sweep in a folder, None where there is none. Raises TrainingError where sweep.json is damaged."""
    file = path / SWEEP
    try:
        found = json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise _damaged(file, error) from None
    try:
        if found["format_version"] > FORMAT_VERSION:
            raise TrainingError(f"{file} was written by a later version of nnspec: use that one", exit_code=2)
        asked = Asked(**{**found["asked"], "seeds": tuple(found["asked"]["seeds"])})
        results = {}
        for entry in found["trials"]:
            name = str(entry["name"])
            if re.search(r'[\\/:*?"<>|\0]', name) or name in ("", ".", ".."):
                raise ValueError(f"{name!r} is not the name of a trial")
            results[name] = TrialResult.from_json(entry, path / TRIALS / name)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(file, error) from None
    return SweepFolder(path, asked, results)


def make_folder(path: Path, spec: str) -> SweepFolder:
    """Make the folder of a new sweep of a text. Raises TrainingError where it is not empty or cannot be written to."""
    return SweepFolder(new_folder("sweep", path, {SPEC: spec}).path)


def kept_source(folder: SweepFolder) -> Source:
    """Return the spec that a sweep began with, as it was then. Raises TrainingError where it is gone."""
    assert folder.asked is not None
    path = folder.path / SPEC
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror}", exit_code=2) from None
    home = Path(os.path.normpath(folder.path / folder.asked.folder)) if folder.asked.folder is not None else None
    return Source(folder.asked.spec, content, home)


def table(results: Iterable[TrialResult]) -> str:
    """Return the trials as CSV: a row each, a column for each setting and each metric of any of them."""
    results = list(results)
    settings = list(dict.fromkeys(key for result in results for key in result.settings))
    metrics = list(dict.fromkeys(name for result in results for name in result.metrics))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["name", "variant", *settings, "seed", "state", *metrics, "steps", "seconds", "out", "error"])
    for result in results:
        chosen = [result.settings.get(key, "") for key in settings]
        measured = ["" if name not in result.metrics else repr(result.metrics[name]) for name in metrics]
        outcome, error = result.outcome, (result.error or "").splitlines()
        row = [*chosen, result.seed, result.state, *measured, outcome.steps, outcome.seconds]
        out = f"{TRIALS}/{result.name}" if result.state != "pending" else ""
        rows.writerow([result.name, result.variant or "", *row, out, error[0] if error else ""])
    return text.getvalue()


def _damaged(file: Path, error: Exception) -> TrainingError:
    reason = error.strerror if isinstance(error, OSError) else str(error) or type(error).__name__
    advice = "remove it, and the sweep is found again from its trials, or name another --out"
    return TrainingError(f"{file} cannot be read: {reason}\n  help: {advice}")
