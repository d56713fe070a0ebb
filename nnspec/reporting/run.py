"""A run as its report reads it: the checkpoint, the data as far as they are here, and what the network answers."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from nnspec.runtime.data import Data, Split
from nnspec.runtime.data.array_likes import take
from nnspec.runtime.errors import DataError
from nnspec.runtime.infer.evaluation import loss_and_outputs
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train.checkpointing import SavedRun, load_run
from nnspec.runtime.train.reservations import reservations
from nnspec.runtime.train.run_folder import LAST, RunFolder, resolve_checkpoint
from nnspec.runtime.train.spec_and_data import Given, network_data, spec_data, split_of
from nnspec.runtime.train.timetable import Timetable
from nnspec.runtime.views.figures import Subject
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.report.errors import NNSpecError

MOST_SAMPLES = 10_000
"""The most samples that a report asks the network about, the first ones of the split."""


@dataclass(frozen=True)
class ReportedRun:
    """A run's checkpoint and, where they are here, its data. `absent` says why there are none."""

    file: Path
    saved: SavedRun
    data: Data | None
    absent: str = ""
    split_name: str | None = None

    @property
    def network(self) -> Network:
        """The network of the checkpoint."""
        return self.saved.network

    @property
    def spec(self) -> Spec:
        """Its spec."""
        return self.network.spec

    @property
    def name(self) -> str:
        """The path that a command takes: the run's folder, or the checkpoint where it is not last.h5."""
        return str(self.file.parent if self.file.name == LAST else self.file)

    @property
    def folder(self) -> RunFolder:
        """The run's folder."""
        return RunFolder(self.file.parent)

    @cached_property
    def last_event(self) -> dict[str, Any]:
        """The last event of metrics.jsonl if it belongs to this checkpoint: end or diverged; else an empty one."""
        event = dict(self.folder.last_event()) if self.file.name == LAST else {}
        return event if event.get("event") in ("end", "diverged") else {}

    @cached_property
    def total(self) -> int:
        """The steps of the whole run."""
        return Timetable.of(self.spec, len(self.saved.state.order)).total

    @cached_property
    def split(self) -> tuple[str, Split]:
        """The name of the judged split and its first samples. Raises DataError without data."""
        if self.data is None:
            raise DataError(self.absent)
        name, found = split_of(self.data, self.split_name)
        if len(found) > MOST_SAMPLES:
            some = slice(0, MOST_SAMPLES)
            found = Split(take(found.inputs, some), found.targets[some])
        return name, found

    @cached_property
    def outputs(self) -> np.ndarray:
        """What the network answers to these samples, (samples, *output shape). Raises DataError without data."""
        return loss_and_outputs(self.network, self.split[1])[1]

    @cached_property
    def subject(self) -> Subject:
        """What the pictures are drawn of."""
        return Subject.of(self.saved, self.data, self.split_name)

    @cached_property
    def reservations(self) -> list[str]:
        """Reasons not to rely on the network's answers."""
        return list(reservations(self.saved, self.file))

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """The evaluations in metrics.jsonl; none where it cannot be read."""
        return [event for event in self.folder.events() if event["event"] == "evaluation"]


def open_reported(path: str | Path, given: Given | str | None = None, split: str | None = None) -> ReportedRun:
    """Return a run with its data. `given` are data or a statement instead of the spec's own.

    Data that are not here are no error: the report then says so. Raises CheckpointError, and DataError for a split that
    the data do not have.
    """
    file = resolve_checkpoint(path)
    saved = load_run(file)
    data, absent = None, ""
    try:
        data = _data(saved.network, given)
    except NNSpecError as error:
        if given is not None:
            raise
        absent = str(error).partition("\n")[0]
    if data is not None and split is not None:
        split_of(data, split)
    return ReportedRun(file, saved, data, absent, split)


def _data(network: Network, given: Given | str | None) -> Data:
    if given is None and (network.spec.data is None or network.spec.data.in_memory):
        raise DataError("the run was trained on arrays: nnspec.report(path, data=(x, y)) shows its samples too")
    if given is None or isinstance(given, str):
        return network_data(network, given)
    return spec_data(network.spec, given, network.preprocessing).fitted_to(network.preprocessing)
