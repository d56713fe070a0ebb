"""A spec's text and its data brought together: what the data turn out to be completes what the spec leaves open."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.runtime.data import Data, Preprocessing, Split, data_from_arrays, load_data, missing
from nnspec.runtime.data.samples import rectangular
from nnspec.runtime.errors import DataError
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.diagnostics import Diagnostic, one_of
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source, Span


@dataclass(frozen=True)
class Arrays:
    """Samples and targets given as arrays instead of the spec's data."""

    x: Any
    y: Any
    validation: tuple[Any, Any] | None = None


def with_data(request: Request, arrays: Arrays | None = None) -> tuple[Spec, Data]:
    """The spec checked against its data, and the data. Raises SpecError, DataError."""
    spec = request.check(rectangular(arrays.x, "samples").shape[1:] if arrays is not None else None)
    data = data_of(spec, arrays)
    shape = data.preprocessing.input_shape
    classes = len(data.preprocessing.classes) if data.preprocessing.classes and spec.classification else None
    spec = request.check(shape, classes)
    _check_steps(spec, data)
    return spec, data


def with_data_at_hand(request: Request) -> tuple[Spec, Data | None, str]:
    """The spec as far as it can be checked here: against its data where they are on this machine, which are given too.

    Else the reason stands in the text; nothing is fetched. Raises SpecError, and DataError for data that are here and
    cannot be used.
    """
    spec = request.check()
    if spec.data is None:
        return spec, None, "the spec names no data"
    absent = missing(spec.data, spec.folder)
    if absent is not None:
        return spec, None, absent
    return *with_data(request), ""


def _check_steps(spec: Spec, data: Data) -> None:
    """Raise DataError where the network answers at every step and the data ask at the end, or the other way round."""
    output, targets = spec.output_shape, data.train.targets
    if output is None or (targets.ndim == len(output) + (not spec.classification)):
        return
    if output.sequence:
        help = "write return=last in the last recurrent layer, or globalavgpool behind it"
        raise DataError(f"the network answers at every step, and {data.name} has one target for each sample: {help}")
    if targets.ndim == 3 or (targets.ndim == 2 and spec.loss.word == "cross_entropy"):
        help = "write return=sequence in each recurrent layer"
        raise DataError(f"the network answers once, and {data.name} has a target for each step: {help}")


def data_of(spec: Spec, arrays: Arrays | None = None) -> Data:
    """The samples a spec trains on. Raises DataError where it names none."""
    classification = spec.classification or spec.loss.word == "binary_cross_entropy"
    if arrays is not None:
        steps = spec.output_shape is not None and spec.output_shape.sequence
        return data_from_arrays(arrays.x, arrays.y, arrays.validation, classification=classification, steps=steps)
    if spec.data is None:
        raise DataError("the spec names no data: add a line such as data mnist_sample, or give --data mnist_sample", 2)
    return load_data(spec.data, spec.folder, classification)


def with_shapes(request: Request) -> tuple[Spec, Preprocessing | None]:
    """The spec with the shape of every layer. Data are read only where that of a sample follows from nothing else; then
    what they taught about preparing samples is given too. Raises SpecError, DataError."""
    spec = request.check()
    if spec.input is not None:
        return spec, None
    if spec.data is None:
        span = spec_start(spec)
        help = "write a line such as input 28x28x1, or name the data"
        raise SpecError([Diagnostic("E302", "the shape of a sample is not known", span, help=help)])
    spec, data = with_data(request)
    return spec, data.preprocessing


def compiled(request: Request, dtype: Any = np.float32, arrays: Arrays | None = None) -> Network:
    """A network with its first weights; data are read only where the shape of a sample follows from nothing else.

    Where samples are given as arrays, they say the shape, and how samples are prepared.
    """
    preprocessing: Preprocessing | None
    if arrays is not None:
        spec, data = with_data(request, arrays)
        preprocessing = data.preprocessing
    else:
        spec, preprocessing = with_shapes(request)
    assert spec.input is not None
    network = Network(spec, preprocessing or Preprocessing.identity(spec.input), dtype)
    network.initialize(spec.train.seed)
    return network


def data_for(network: Network, data: str | None = None) -> Data:
    """The samples that a network was trained on, or those of another data statement, as the network sees them.

    Paths in the statement begin at the current folder. Raises SpecError, DataError.
    """
    spec = network.spec
    if data is not None:
        spec = Request(Source("the checkpoint's spec", canonical_text(spec), spec.folder), data=data).check()
    return data_of(spec).fitted_to(network.preprocessing)


def split_of(data: Data, name: str | None = None) -> tuple[str, Split]:
    """Return a split of the data and its name: train, validation, test, or "all" for every sample.

    None takes the test split, else validation, else training. Raises DataError where the data have no such split.
    """
    splits = dict(data.splits())
    if name == "all":
        inputs = np.concatenate([split.inputs for split in splits.values()])
        return "all", Split(inputs, np.concatenate([split.targets for split in splits.values()]))
    name = name if name is not None else list(splits)[-1]
    if name not in splits:
        raise DataError(f"{data.name} has no {name} split; it has {one_of(splits)}", exit_code=2)
    return name, splits[name]


def spec_start(spec: Spec) -> Span:
    """The first character of a spec, for what concerns the whole of it."""
    return Span(spec.source, 0, 1)
