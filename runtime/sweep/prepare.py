"""What a sweep is called with, and what is known of its trials before the first begins: metrics, data, memory."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnspec.runtime.data import Data, Split
from nnspec.runtime.data.split import DataDigest
from nnspec.runtime.errors import DataError
from nnspec.runtime.sweep import memory
from nnspec.runtime.sweep.grid import Check, places, variants_of
from nnspec.runtime.sweep.ranking import default_metric
from nnspec.runtime.train.events import Listener, silent
from nnspec.runtime.train.spec_and_data import Given, check_with_data
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.check.fit import TRAINING, VALIDATION
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.errors import NNSpecError

MOST_PLANNED = 100
"""The most places of a grid whose memory is foretold; more are alike."""


@dataclass(frozen=True)
class Call:
    """How a sweep is run, which may differ from call to call; what it sweeps is in its folder.

    Arguments:
        jobs: how many trials train at once; None for one on each processor that has the memory for it.
        backend: where: local, dask or ray.
        scheduler: the address of a Dask or Ray cluster.
        shared: a folder that all workers see, where a trial that lost its worker is resumed.
        listen: called with the events of the sweep and of its trials.
        given: samples and targets to use instead of the data that the spec names.
        prune: whether a search ends hopeless trials.
    """

    jobs: int | None = None
    backend: str = "local"
    scheduler: str | None = None
    shared: Path | None = None
    listen: Listener = silent
    given: Given | None = None
    prune: bool = True


@dataclass(frozen=True)
class Wanted:
    """What a caller asks to be swept.

    `seeds` are those of every trial, none for that of the spec. `trials` are how many a search makes, by `method`.
    `metric` ranks them.
    """

    request: Request
    seeds: tuple[int, ...] = ()
    trials: int | None = None
    method: str | None = None
    metric: str | None = None


@dataclass(frozen=True)
class Prepared:
    """What is known before the first trial.

    `metric` ranks the trials unless another one of `metrics` is asked for. `bytes` is the memory of the largest trial,
    `available` what this machine has, None where it does not say. `check` checks the request of a trial with the shape
    of its samples.
    """

    metric: str
    metrics: tuple[str, ...]
    bytes: int
    available: int | None
    check: Check


def prepare(wanted: Wanted, call: Call) -> Prepared:
    """Read the data of the trials, fetching what is missing once, and foretell their memory.

    What the data say is reported once. A place of the grid that cannot be planned is left to its trials, which fail by
    themselves. Raises the error of the first place if none can be planned.
    """
    process, known = memory.process_bytes(), _Known(call)
    sizes: list[int] = []
    failure: NNSpecError | None = None
    first: tuple[Spec, Data] | None = None
    for request in itertools.islice(_places(wanted), MOST_PLANNED):
        try:
            spec, facts = known.of(request)
        except NNSpecError as error:
            failure = failure or error
            continue
        sizes.append(process + facts.bytes + memory.step_bytes(spec, facts.hollow.train.inputs.dtype))
        first = first or (spec, facts.hollow)
    if first is None:
        assert failure is not None
        raise failure
    spec, data = first
    return Prepared(default_metric(spec, data), _metrics(spec, data), max(sizes), memory.available_bytes(), known.check)


@dataclass(frozen=True)
class _Facts:
    """What is kept of data: everything but their samples, of which each split has none; their count and their bytes."""

    hollow: Data
    samples: int
    bytes: int

    @classmethod
    def of(cls, data: Data) -> "_Facts":
        """Return the facts of data."""
        splits = {name: Split(np.array(s.inputs[:0]), np.array(s.targets[:0])) for name, s in data.splits()}
        held = splits.get("validation"), splits.get("test")
        hashed = DataDigest(splits, data.preprocessing)
        hollow = replace(data, train=splits["train"], validation=held[0], test=held[1], hashed=hashed)
        return cls(hollow, len(data.train), memory.data_bytes(data))


class _Known:
    """The facts of what the data statements of the trials name, each loaded once: most trials share theirs."""

    def __init__(self, call: Call):
        self.call = call
        self._facts: dict[str, _Facts] = {}
        self._outputs: dict[str, int] = {}  # of a last layer that leaves their number to the data

    def of(self, request: Request) -> tuple[Spec, _Facts]:
        """Return the checked spec of a request and the facts of its data. Raises SpecError, DataError."""
        spec = request.check()
        if spec.data is not None and (folds := spec.data.folds_to_train) is not None:
            advice = "sweep data.fold = 1, 2 and so on, or leave folds= out"
            raise DataError(f"the spec asks for {folds} folds: {advice}", exit_code=2)
        key = self._key(spec)
        if key not in self._facts:
            known, data = check_with_data(request, self.call.given)
            if known.output_shape:
                self._outputs[key] = known.output_shape[-1]
            self._facts[key] = _Facts.of(data)
            self._report(data)
        facts = self._facts[key]
        spec = self.check(request)
        return replace(spec, train=spec.train.for_samples(facts.samples)), facts

    def check(self, request: Request) -> Spec:
        """Return the checked spec of a request, with the shape of its samples where its data could be loaded."""
        spec = request.check()
        facts = self._facts.get(self._key(spec))
        if facts is None:
            return spec
        found = facts.hollow.preprocessing
        classes = len(found.classes) if found.classes and spec.classification else None
        return request.check(found.sample_shape(), classes, self._outputs.get(self._key(spec)))

    @staticmethod
    def _key(spec: Spec) -> str:
        return f"{written(spec.data) if spec.data is not None else None} {spec.loss.word}"

    def _report(self, data: Data) -> None:
        for text in data.notes:
            self.call.listen({"event": "note", "text": text})
        for text in data.warnings:
            self.call.listen({"event": "warning", "text": text})


def _places(wanted: Wanted) -> Iterator[Request]:
    """Yield a request for each variant and place; of a search for all first values and for all last ones."""
    request = wanted.request
    for variant in variants_of(request):
        chosen = replace(request, variant=variant)
        spec = chosen.check()
        found = places(spec, request) if wanted.trials is None else _ends(spec, request)
        for settings in found:
            yield replace(chosen, settings={**request.settings, **settings})


def _ends(spec: Spec, request: Request) -> Iterator[dict[str, str]]:
    """Yield the first value of every sweep line, then the last."""
    ends = {key: (values[0], values[-1]) for key, values in spec.sweeps}
    ends |= {found.key: (found.written(found.low), found.written(found.high)) for found in spec.ranges}
    for end in (0, 1):
        yield {key: values[end] for key, values in ends.items() if key not in request.settings}


def _metrics(spec: Spec, data: Data) -> tuple[str, ...]:
    """Return the names by which trials can be ranked."""
    words = ["loss", *(metric.word for metric in spec.metrics)]
    splits = [(VALIDATION, data.validation is not None), ("test_", data.test is not None)]
    splits.append((TRAINING, spec.training_metrics))
    return ("loss", *(f"{prefix}{word}" for prefix, there in splits if there for word in words))
