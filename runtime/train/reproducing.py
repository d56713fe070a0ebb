"""Reproducing a run: it is trained again from what its checkpoint holds, and the two results are compared.

`nnspec reproduce` and the Python interface use it. It does not know how a comparison is shown.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nnspec.runtime.errors import CheckpointError, TrainingError
from nnspec.runtime.infer.network_file import program_version
from nnspec.runtime.infer.program_cache import with_lanes
from nnspec.runtime.infer.weight_distance import WeightDistance, weight_distances
from nnspec.runtime.train.checkpointing import SavedRun, differing_state, load_checkpoint, load_run
from nnspec.runtime.train.data_files import located
from nnspec.runtime.train.environment import EXACT, environment, machine
from nnspec.runtime.train.events import Event, Listener, silent
from nnspec.runtime.train.run import train
from nnspec.runtime.train.run_folder import INITIAL, LAST, RunFolder, resolve_checkpoint
from nnspec.runtime.train.spec_and_data import Given, with_data_statement
from nnspec.runtime.train.timetable import Timetable
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.source import Source

FINISHED, INTERRUPTED, DIVERGED = "finished", "interrupted", "diverged"
"""How far a checkpoint's run came: to its end; to a step before it; to NaN or infinity after it."""

_NOT_MEASURED = ("step", "steps", "epoch", "epochs", "seconds", "samples_per_second", "lr")


@dataclass(frozen=True)
class EnvironmentChange:
    """An entry of the environment that differs: its name, the two values, and whether it alone may change bits."""

    name: str
    before: str
    after: str
    decides: bool


@dataclass(frozen=True)
class MetricChange:
    """A measured value that differs: of the last evaluation, or of the test split at the end; None where one lacks it.

    `largest` is the largest difference over all evaluations.
    """

    name: str
    before: float | None
    after: float | None
    largest: float | None


@dataclass(frozen=True)
class Reproduction:
    """The comparison of a run with its repetition.

    Arguments:
        file: the checkpoint that was repeated.
        step, total: the step that it holds and was compared at, and the steps of a whole run.
        state: finished, interrupted or diverged.
        resumed: the steps at which the run was resumed, each with the entries of the environment that differed then.
        entries: the names of the values in which the two differ: weights, optimizer, history, random numbers.
        environment: what of the environment differs, whether the bits do or not.
        weights: the distance of each layer's weights and running statistics that moved.
        metrics: the measured values that moved.
        events: how the two runs ended, where that differs, in words.
        path: the folder of the repetition; None where it was a temporary one.
    """

    file: Path
    step: int
    total: int
    state: str
    resumed: tuple[tuple[int, tuple[str, ...]], ...]
    entries: tuple[str, ...]
    environment: tuple[EnvironmentChange, ...]
    weights: tuple[WeightDistance, ...]
    metrics: tuple[MetricChange, ...]
    events: tuple[str, ...]
    path: Path | None

    @property
    def equal(self) -> bool:
        """Whether the repetition has the same bits: every array, measured value and random state."""
        return not (self.entries or self.metrics or self.events)


def reproduce(
    path: str | Path,
    out: str | Path | None = None,
    listen: Listener = silent,
    given: Given | str | None = None,
) -> Reproduction:
    """Train a run again from what its checkpoint holds, in an empty folder, and compare the two.

    The spec is the text in the checkpoint, with its variant, settings and seed; its data are found by their SHA-256;
    a run that began with other weights begins with those again. An interrupted run is repeated to the step of the
    checkpoint, a diverged one until it diverges.

    Arguments:
        path: the run's folder, or one of its checkpoints.
        out: the folder of the repetition; None for a temporary one.
        listen: called with each event of the repetition.
        given: the run's data where the spec does not lead to them: given data, or a data statement for data that moved.

    Raises CheckpointError where the file is damaged or holds no run, or the data are not those of the run; DataError
    where they are gone.
    """
    file = resolve_checkpoint(path)
    saved = _run_in(file)
    spec, notes = _with_found_data(saved.network.spec, given, file)
    spec = with_lanes(spec, of_old=True)
    request = Request(Source(f"the spec in {file}", canonical_text(spec), spec.folder))
    began_with = file.parent / INITIAL
    former = RunFolder(file.parent).last_event() if file.name == LAST else {}
    diverged = former.get("event") == DIVERGED
    listen({"event": "note", "text": _beginning(saved, file)})
    for note in notes:
        listen({"event": "note", "text": note})
    with _folder(out) as folder:
        ended: Event = {}
        try:
            ended = train(
                request,
                folder,
                given if not isinstance(given, str) else None,
                None,
                saved.network.dtype,
                listen,
                begun=began_with if began_with.exists() else None,
                data_digest=saved.meta["data_digest"],
                until=_steps_of(former, saved) if diverged else saved.state.step,
            ).end
        except TrainingError:
            ended = dict(RunFolder(folder).last_event())
            if ended.get("event") != DIVERGED:
                raise
        again = load_run(folder / LAST)
    total = Timetable.of(spec, len(saved.state.order)).total
    return _compared(file, saved, again, former, ended, total, Path(out) if out is not None else None)


def _run_in(file: Path) -> SavedRun:
    saved = load_checkpoint(file)
    if not isinstance(saved, SavedRun):
        raise CheckpointError(f"{file} holds a network without a run: there is nothing to reproduce", exit_code=2)
    return saved


def _with_found_data(spec: Spec, given: Given | str | None, file: Path) -> tuple[Spec, tuple[str, ...]]:
    """Return the spec of a run with its data where they are now, and what was found out about them.

    Raises CheckpointError, DataError.
    """
    if isinstance(given, str):
        return with_data_statement(spec, given), ()
    if given is not None:
        return spec, ()
    if spec.data is None or spec.data.in_memory:
        call = f"nnspec.reproduce({str(file)!r}, data=(x, y))"
        raise CheckpointError(f"{file}: it was trained on arrays; {call} reproduces it with the same ones", exit_code=2)
    found = located(spec, exact=True)
    return found.spec, found.notes


def _beginning(saved: SavedRun, file: Path) -> str:
    known = {"nnspec": saved.meta.get("program_version"), **saved.meta["environment"]}
    parts = ", ".join(f"{part} {known[key]}" for key, part in _PARTS.items() if known.get(key) is not None)
    return f"{file} holds step {saved.state.step:,}, trained with {parts}"


_PARTS = {"nnspec": "nnspec", "python": "Python", "numpy": "NumPy", "blas": "BLAS", "blas_kernel": "kernels for"}


@contextmanager
def _folder(out: str | Path | None) -> Iterator[Path]:
    """Provide the folder of the repetition: the one that was named, or an empty one that is removed afterwards."""
    if out is not None:
        yield Path(out)
        return
    with TemporaryDirectory(prefix="nnspec-") as made:
        yield Path(made)


def _steps_of(event: Mapping[str, object], saved: SavedRun) -> int:
    steps = event.get("steps")
    return steps if isinstance(steps, int) and steps > saved.state.step else saved.state.step


def _compared(
    file: Path,
    saved: SavedRun,
    again: SavedRun,
    former: Mapping[str, object],
    ended: Event,
    total: int,
    path: Path | None,
) -> Reproduction:
    state = FINISHED if saved.state.step >= total or saved.state.stopped else INTERRUPTED
    state = DIVERGED if former.get("event") == DIVERGED else state
    same_step = saved.state.step == again.state.step
    names = {node.name: node.name for node in saved.network.spec.nodes}
    distances = weight_distances(saved.network, again.network, names) if same_step else ()
    return Reproduction(
        file,
        saved.state.step,
        total,
        state,
        saved.run["resumed"],
        tuple(differing_state(saved, again)),
        tuple(_environment_changes(saved)),
        tuple(distance for distance in distances if distance.differs),
        tuple(_metric_changes(saved, again, former, ended)),
        tuple(_other_ends(former, ended)),
        path,
    )


def _environment_changes(saved: SavedRun) -> Iterator[EnvironmentChange]:
    """Yield the entries of the environment that differ here. An entry that the file does not have is not compared."""
    before: dict[str, Any] = {"nnspec": saved.meta.get("program_version"), **saved.meta["environment"]}
    before["cpu"] = saved.run.get("cpu")
    now = {"nnspec": program_version(), **environment(), "cpu": machine()["cpu"]}
    for name, value in now.items():
        if before.get(name) is not None and before[name] != value:
            yield EnvironmentChange(name, str(before[name]), str(value), name in EXACT or name == "nnspec")


def _metric_changes(
    saved: SavedRun, again: SavedRun, former: Mapping[str, object], ended: Event
) -> Iterator[MetricChange]:
    """Yield the measured values that differ, those of the evaluations first."""
    histories = saved.state.history, again.state.history
    for name in dict.fromkeys((*histories[0], *histories[1])):
        before, after = ([*h[name].values] if name in h else [] for h in histories)
        if name not in _NOT_MEASURED and before != after:
            moved = [abs(b - a) for a, b in zip(before, after, strict=False)]
            yield MetricChange(name, _last(before), _last(after), max(moved, default=None))
    if former.get("event") == ended.get("event") == "end":
        for name, value in former.items():
            once = name not in histories[0] and name not in _NOT_MEASURED and name != "format_version"
            if once and _is_number(value) and ended.get(name) != value:
                was, now = float(str(value)), ended.get(name)
                yield MetricChange(name, was, now, None if now is None else abs(now - was))


def _other_ends(former: Mapping[str, object], ended: Event) -> Iterator[str]:
    """Yield in words how two runs that diverged differ in that."""
    if former.get("event") != DIVERGED:
        if ended.get("event") == DIVERGED:
            yield f"the run did not diverge, the repetition did at step {ended['steps']:,}"
    elif ended.get("event") != DIVERGED:
        yield f"the run diverged at step {former.get('steps')}, the repetition did not"
    elif any(former.get(key) != ended.get(key) for key in ("steps", "reason")):
        ways = (f"at step {event.get('steps')}, {event.get('reason')}" for event in (former, ended))
        yield "the run diverged {}; the repetition {}".format(*ways)


def _last(values: list[float]) -> float | None:
    return values[-1] if values else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
