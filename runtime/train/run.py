"""A run from its spec: `train` prepares the data, the network and the folder, and trains; `Run` is the result."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.data import Data
from nnspec.runtime.errors import DataError
from nnspec.runtime.execute.processors import Workers, with_workers
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import with_lanes
from nnspec.runtime.train.beginning import begin, begun_from
from nnspec.runtime.train.checkpointing import load_checkpoint, run_lock
from nnspec.runtime.train.data_files import data_files
from nnspec.runtime.train.events import Event, Listener, Watcher, silent, start_event, unwatched
from nnspec.runtime.train.expectations import Outcome, outcomes
from nnspec.runtime.train.loop import Trainer
from nnspec.runtime.train.resolved import resolved_text
from nnspec.runtime.train.run_folder import RESOLVED, SPEC, new_folder
from nnspec.runtime.train.signals import StopRequest
from nnspec.runtime.train.spec_and_data import Given, check_with_data
from nnspec.runtime.train.state import MetricHistory, initial_state
from nnspec.runtime.train.timetable import Timetable
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request

MOST_NOTES, LAST_NOTES = 30, 5
"""The most notes on the data that a run reports, such as the kind of each column; how many of them are the last."""

_OTHER_DATA = "restore the files, name them with all options of the data statement, or give the arrays of the run"


@dataclass(frozen=True)
class Run:
    """A finished run.

    `network` has the weights of the last step, or their averages if the spec has `ema`. `history` has the evaluations
    by metric. `path` is the run's folder, None for a run without files. `end` is the end event, `data` the data that it
    trained on.
    """

    network: Network
    history: dict[str, MetricHistory]
    path: Path | None
    end: Event
    data: Data

    @property
    def expectations(self) -> tuple[Outcome, ...]:
        """What the run reached of what its spec expects; each has `met`, `missed_by` and a `sentence()`."""
        return outcomes(self.network.spec.expectations, self.end)

    def __repr__(self) -> str:
        where = f", in {self.path}" if self.path is not None else ""
        return f"<Run of {self.network.spec.title}: {self.end['steps']:,} steps, {self.data.name}{where}>"


def train(
    request: Request,
    out: str | Path | None = None,
    given: Given | None = None,
    init_from: str | Path | None = None,
    dtype: Any = np.float32,
    listen: Listener = silent,
    files: bool = True,
    workers: Workers = "auto",
    stop: StopRequest | None = None,
    data_digest: str | None = None,
    until: int | None = None,
    begun: Path | None = None,
    watch: Watcher = unwatched,
) -> Run:
    """Train a spec from its first step.

    Arguments:
        request: the spec, its settings and variant.
        out: the run's folder; runs/NAME, or runs/NAME-2 and so on, where it is None.
        given: data to use instead of those that the spec names.
        init_from: a checkpoint or run folder to begin with, instead of that of the spec's line `from`.
        dtype: the type of parameters and activations, float32 or float64.
        listen: called with each event.
        files: whether to write a folder at all.
        workers: how many processes train, or "auto" for as many as pay. The weights are the same bits.
        stop: asks the run to stop after a step, as a signal does.
        data_digest: the digest that the data must have, None for any.
        begun: the network before the first step, of a run that is repeated; nothing else is begun with.
        until: the step after which to stop, its state saved; None for the end of the run.
        watch: called with the network while it trains, see `Trainer`.

    Raises SpecError, DataError, TrainingError, CheckpointError for `init_from`, and Interrupted after a signal.
    """
    spec, data = check_with_data(request, given)
    if spec.data is not None and (folds := spec.data.folds_to_train) is not None:
        advice = "nnspec.cross_validate trains all of them, settings={'data.fold': 1} the first"
        raise DataError(f"the spec asks for {folds} folds: {advice}", 2)
    if data_digest is not None and data.digest != data_digest:
        raise DataError(f"{data.name}: these are not the data that the run was trained on: {_OTHER_DATA}")
    if given is None:
        spec = replace(spec, data_files=data_files(spec))
    if begun is None:
        spec = begun_from(spec, init_from)
    spec = with_lanes(spec)
    network = Network(spec, data.preprocessing, dtype)
    network.initialize(spec.train.seed)
    if begun is not None:
        former = load_checkpoint(begun).network
        network.set_parameters(former.parameters)
        network.set_buffers(former.buffers)
    notes = begin(network, spec) if begun is None else []
    state = initial_state(network, len(data.train), spec.train.seed)
    folder = new_folder(spec.title, out, _texts(spec, Path(out)) if out is not None else {}) if files else None
    for event in (*_said(data), *({"event": "note", "text": text} for text in notes)):
        listen(event)
    if listen is not silent:  # the digest of the spec takes milliseconds
        listen(start_event(spec, len(data.train), folder, 0, Timetable.of(spec, len(data.train)).total))
    for event in (*_doubts(spec), *_ignored_sweeps(spec, request)):
        listen(event)
    if folder is None:
        with with_workers(workers):
            end = Trainer(state, data, None, listen, stop=stop, watch=watch).run(until)
        return Run(state.judged, state.history, None, end, data)
    texts = _texts(spec, folder.path)
    with with_workers(workers), run_lock(folder.path) as check_lock:
        folder.require_empty(texts)
        for name, text in texts.items():
            folder.write_text(name, text)
        if spec.begins is not None or begun is not None:
            network.save(folder.initial)
        end = Trainer(state, data, folder, listen, check_lock=check_lock, stop=stop, watch=watch).run(until)
    return Run(state.judged, state.history, folder.path, end, data)


def _said(data: Data) -> Iterator[Event]:
    """Yield what was found out about the data: notes, and warnings of what their owner should look at."""
    notes = list(data.notes)
    if (more := len(notes) - MOST_NOTES) > 0:
        last = notes[-LAST_NOTES:]  # on the run, after those on the columns
        notes = [*notes[: MOST_NOTES - LAST_NOTES], f"… and {more} notes more: nnspec plan shows all", *last]
    yield from ({"event": "note", "text": text} for text in notes)
    yield from ({"event": "warning", "text": text} for text in data.warnings)


def _doubts(spec: Spec) -> Iterator[Event]:
    """Yield the warnings of the spec, each in one line."""
    for found in spec.warnings:
        yield {"event": "warning", "text": f"{found.span.shown()}: {found.message}: {found.help}"}


def _texts(spec: Spec, folder: Path) -> dict[str, str]:
    """Return the specs that a run's folder holds, by file name."""
    return {SPEC: spec.source.text, RESOLVED: resolved_text(spec, folder)}


def _ignored_sweeps(spec: Spec, request: Request) -> Iterator[Event]:
    """Yield a warning where the spec has sweeps and the request sets no value for some of their keys."""
    every = {**{key: values[0] for key, values in spec.sweeps}, **{r.key: r.written(r.low) for r in spec.ranges}}
    ignored = {key: value for key, value in every.items() if key not in request.settings}
    if ignored:
        key, value = next(iter(ignored.items()))
        text = f"training one run without the spec's sweep of {', '.join(ignored)}"
        yield {"event": "warning", "text": f"{text}: use --set {key}={value} to train with one of its values"}
