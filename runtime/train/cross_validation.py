"""Cross-validation: a run for each fold of the data, and the mean and deviation of its metrics."""

import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nnspec.runtime.data.given import Arrays
from nnspec.runtime.errors import CheckpointError, DataError, Interrupted, TrainingError
from nnspec.runtime.execute.processors import Workers
from nnspec.runtime.infer.network_file import text_digest
from nnspec.runtime.train.events import Event, Listener, silent
from nnspec.runtime.train.expectations import Outcome, outcomes
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import Run, train
from nnspec.runtime.train.run_folder import LAST, RunFolder, new_folder
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request

FOLDS = "folds.json"
MOST_FOLDS = 1000


class OverFolds(NamedTuple):
    """A metric over the folds: its mean, its standard deviation (of the sample, n − 1) and the value of each fold."""

    mean: float
    deviation: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class CrossValidation:
    """The runs of all folds, in order. `path` is their folder, None for runs without files."""

    runs: tuple[Run, ...]
    path: Path | None

    @property
    def metrics(self) -> dict[str, OverFolds]:
        """Each metric of the splits at the end of the runs, by name."""
        names = [name for name in self.runs[0].end if name.startswith(("validation_", "training_", "test_"))]
        return {name: _over_folds([float(run.end[name]) for run in self.runs]) for name in names}

    @property
    def expectations(self) -> tuple[Outcome, ...]:
        """What the means over the folds reach of what the spec expects."""
        means = {name: found.mean for name, found in self.metrics.items()}
        return outcomes(self.runs[0].network.spec.expectations, means)

    def event(self) -> Event:
        """Return the event that reports the outcome."""
        expected = [outcome.as_json() for outcome in self.expectations]
        return {
            "event": "folds",
            "out": str(self.path) if self.path is not None else None,
            "folds": len(self.runs),
            "metrics": {name: found._asdict() for name, found in self.metrics.items()},
            **({"expectations": expected} if expected else {}),
        }


def cross_validate(
    request: Request,
    folds: int,
    out: str | Path | None = None,
    given: Arrays | None = None,
    dtype: Any = np.float32,
    listen: Listener = silent,
    files: bool = True,
    workers: Workers = "auto",
) -> CrossValidation:
    """Train a spec once for each fold, which is the validation split of that run; a test split is the same in all.

    Arguments:
        request: the spec, its settings and variant.
        folds: how many.
        out: the folder of the runs fold-1, fold-2 and so on; runs/NAME-folds where it is None. Called again on a folder
            of the same spec it goes on: finished folds are kept, begun ones resumed.
        given: samples and targets to use instead of the data that the spec names.
        dtype: the type of parameters and activations, float32 or float64.
        listen: called with each event of each run, and with a "folds" event at the end.
        files: whether to write folders at all.
        workers: how many processes train a run, or "auto" for as many as pay.

    Raises as `train` and `resume` do.
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise DataError(f"{folds} folds: write 2 to {MOST_FOLDS:,}", exit_code=2)
    request = replace(request, in_memory=given is not None)
    spec = request.check()
    digest = _digest(spec, request)
    folder = _folder(spec.title, digest, folds, out) if files else None
    runs: list[Run] = []
    for number in range(1, folds + 1):
        listen({"event": "note", "text": f"fold {number} of {folds}"})
        path = folder / f"fold-{number}" if folder is not None else None
        try:
            if path is not None and (path / LAST).exists():
                runs.append(resume(path, listen=listen, given=given, workers=workers))
            else:
                of_fold = _of_fold(request, number, folds)
                runs.append(train(of_fold, path, given, None, dtype, listen, files, workers))
        except Interrupted as stopped:
            again = f"; the same call with --out {folder} goes on" if folder is not None else ""
            raise Interrupted(f"stopped in fold {number} of {folds}{again}", stopped.signal) from None
    result = CrossValidation(tuple(runs), folder)
    if folder is not None:
        _write(folder, digest, folds, result)
    listen(result.event())
    return result


def holds_folds(path: str | Path) -> bool:
    """Return whether a folder is that of a cross-validation."""
    return (Path(path) / FOLDS).is_file()


def folds_in(path: Path) -> tuple[int, dict[int, Path]]:
    """Return how many folds a cross-validation has, and the folder of each that has a checkpoint, by its number.

    Raises CheckpointError where its folds.json cannot be read, or no fold has a checkpoint.
    """
    try:
        folds = json.loads((path / FOLDS).read_bytes())["folds"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        folds = None
    if type(folds) is not int or not 2 <= folds <= MOST_FOLDS:
        raise CheckpointError(f"{path / FOLDS} does not say how many folds there are: name the run of one fold")
    folders = {number: path / f"fold-{number}" for number in range(1, folds + 1)}
    found = {number: folder for number, folder in folders.items() if (folder / LAST).exists()}
    if not found:
        raise CheckpointError(f"{path}: no fold has a {LAST} yet", exit_code=2)
    return folds, found


def folds_of(request: Request) -> int | None:
    """Return how many folds the data statement of a spec asks for without naming one, None if it does not."""
    data = request.check().data
    return data.folds_to_train if data is not None else None


def _of_fold(request: Request, number: int, folds: int) -> Request:
    return replace(request, settings={**request.settings, "data.folds": folds, "data.fold": number})


def _folder(title: str, digest: str, folds: int, out: str | Path | None) -> Path:
    """Return the folder of the runs: a new one, or one that holds folds of the same spec."""
    if out is not None and (Path(out) / FOLDS).is_file():
        try:
            known = json.loads((Path(out) / FOLDS).read_bytes())
        except (OSError, ValueError):
            known = None
        if not isinstance(known, dict) or (known.get("spec_digest"), known.get("folds")) != (digest, folds):
            raise TrainingError(f"{out} holds the folds of another spec or another number of folds: name a new folder")
        return Path(out)
    folder = new_folder(f"{title}-folds", out).path
    _write(folder, digest, folds, None)
    return folder


def _digest(spec: Spec, request: Request) -> str:
    """Return a digest of the spec with its settings; of its text too, for data may have to give the sample shape."""
    settings = sorted((key, str(value)) for key, value in request.settings.items())
    return text_digest(json.dumps([canonical_text(spec), spec.source.text, settings, request.variant]))


def _write(folder: Path, digest: str, folds: int, result: CrossValidation | None) -> None:
    metrics = {name: found._asdict() for name, found in result.metrics.items()} if result is not None else {}
    content = {"format_version": 1, "folds": folds, "spec_digest": digest, "metrics": metrics}
    RunFolder(folder).write_text(FOLDS, json.dumps(content, indent=2) + "\n")


def _over_folds(values: list[float]) -> OverFolds:
    return OverFolds(statistics.fmean(values), statistics.stdev(values), tuple(values))
