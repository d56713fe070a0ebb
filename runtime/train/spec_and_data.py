"""A spec checked together with its data: the data give the sample shape and the classes that the spec leaves open.

Training, `nnspec plan`, the notebook and the commands that take a checkpoint use it. It does not know files of a run.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnspec.runtime.data import Data, Preprocessing, Split, data_from_arrays, load_data, missing
from nnspec.runtime.data.array_likes import concatenated
from nnspec.runtime.data.samples import rectangular
from nnspec.runtime.data.target_scaling import TargetScaling
from nnspec.runtime.errors import DataError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.targets import ONE_HOT
from nnspec.runtime.train.data_files import located
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.fit import Targets, misfits
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.diagnostics import Diagnostic, one_of
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source, Span


@dataclass(frozen=True)
class Arrays:
    """Samples `x` and targets `y` given as arrays instead of the spec's data; `validation` is such a pair.

    `sample_weight` (samples,) are the weights of the samples in the training loss. `fold` is that of cross-validation.
    """

    x: Any
    y: Any
    validation: tuple[Any, Any] | None = None
    sample_weight: Any = None
    fold: tuple[int, int] | None = None


def check_with_data(request: Request, arrays: Arrays | None = None) -> tuple[Spec, Data]:
    """Load the data and return the spec checked against it, with the data. Raises SpecError, DataError."""
    spec = request.check(rectangular(arrays.x, "samples").shape[1:] if arrays is not None else None)
    data = spec_data(spec, arrays)
    shape = data.preprocessing.sample_shape()
    if data.gaps is not None:
        output = request.check(shape).output_shape
        data = data.require_labels_for(output[-1]) if output else data
    classes = len(data.preprocessing.classes) if data.preprocessing.classes and spec.classification else None
    spec = request.check(shape, classes)
    note = spec.train.follows(len(data.train))
    data = replace(data, notes=(*data.notes, note)) if note is not None else data
    spec = replace(spec, train=spec.train.for_samples(len(data.train)))
    for misfit in misfits(spec, spec.nodes[-1].span if spec.nodes else spec_start(spec), _targets_of(data)):
        raise SpecError([misfit])
    return spec, data


def check_with_local_data(request: Request) -> tuple[Spec, Data | None, str]:
    """Return the spec checked as far as the data on this machine allow, these data, and why there are none.

    Downloads nothing. Raises SpecError, and DataError for data that are present and cannot be used.
    """
    spec = request.check()
    if spec.data is None:
        return spec, None, "the spec names no data"
    absent = missing(spec.data, spec.folder)
    if absent is not None:
        return spec, None, absent
    return *check_with_data(request), ""


def check_with_shapes(request: Request) -> tuple[Spec, Preprocessing | None]:
    """Return the spec with the shape of every layer.

    Loads data only where the spec does not give the shape of a sample, and then returns their preprocessing too. Raises
    SpecError, DataError.
    """
    spec = request.check()
    if spec.input is not None:
        return spec, None
    if spec.data is None:
        span = spec_start(spec)
        help = "write a line such as input 28x28x1, or name the data"
        raise SpecError([Diagnostic("E302", "the shape of a sample is not known", span, help=help)])
    spec, data = check_with_data(request)
    return spec, data.preprocessing


def compiled(request: Request, dtype: Any = np.float32, arrays: Arrays | None = None) -> Network:
    """Return the network of a spec with its initial weights. Raises SpecError, DataError.

    Where `arrays` are given, the sample shape and the preprocessing come from them. Otherwise data are loaded only
    where the spec does not give the shape of a sample.
    """
    preprocessing: Preprocessing | None
    if arrays is not None:
        spec, data = check_with_data(request, arrays)
        preprocessing = data.preprocessing
    else:
        spec, preprocessing = check_with_shapes(request)
    assert spec.input is not None
    network = Network(spec, preprocessing or Preprocessing.identity(spec.input), dtype)
    network.initialize(spec.train.seed)
    return network


def spec_data(
    spec: Spec, arrays: Arrays | None = None, known: Preprocessing | None = None, exact: bool = False
) -> Data:
    """Return the data of a spec, or those given as arrays; the columns of a table as `known` encodes them.

    Files that have moved since a run are found by their digest; with `exact` files that have changed, too. Raises
    DataError where there are none.
    """
    classification = spec.classification or spec.loss.labels
    if arrays is not None:
        steps = spec.output_shape is not None and spec.output_shape.sequence
        data = data_from_arrays(
            arrays.x,
            arrays.y,
            arrays.validation,
            classification=classification,
            steps=steps,
            weights=spec.weights,
            sample_weight=arrays.sample_weight,
            fold=arrays.fold,
        )
        return _labelled(spec, data)
    if spec.data is None:
        raise DataError("the spec names no data: add a line such as data mnist_sample, or give --data mnist_sample", 2)
    found = located(spec, exact)
    assert found.spec.data is not None
    data = load_data(found.spec.data, spec.folder, classification, spec.weights, known)
    data = replace(data, notes=(*found.notes, *data.notes))
    return _with_scaled_targets(spec, _labelled(spec, data))


def _with_scaled_targets(spec: Spec, data: Data) -> Data:
    """Return data whose preprocessing has the scaling of the training targets, if the spec scales them."""
    if spec.data is None or spec.data.targets != "zscore":
        return data
    scaling = TargetScaling.fit(data.train.targets)
    return replace(data, preprocessing=replace(data.preprocessing, target_scaling=scaling))


def _labelled(spec: Spec, data: Data) -> Data:
    """Return data whose labels skip numbers as the network's outputs read them, if the spec says how many there are."""
    return data.with_labels_for(spec.output_shape[-1]) if spec.output_shape else data


def network_data(network: Network, statement: str | None = None) -> Data:
    """Return the data that a network was trained on, or those of another data statement, in its preprocessing.

    Paths in the statement are relative to the current folder. Raises SpecError, DataError.
    """
    spec = network.spec if statement is None else with_data_statement(network.spec, statement)
    return spec_data(spec, known=network.preprocessing).fitted_to(network.preprocessing)


def with_data_statement(spec: Spec, statement: str) -> Spec:
    """Return a checkpoint's spec with another data statement, its paths relative to here. Raises SpecError."""
    checked = Request(Source("the checkpoint's spec", canonical_text(spec), spec.folder), data=statement).check()
    if checked.data is None or spec.input is None:
        return checked
    return replace(checked, data=checked.data.for_network(spec.input, spec.data))


def split_of(data: Data, name: str | None = None) -> tuple[str, Split]:
    """Return a split of the data and its name: train, validation, test, or "all" for every sample.

    None takes the test split, else validation, else training. Raises DataError where the data have no such split.
    """
    splits = dict(data.splits())
    if name == "all":
        inputs = concatenated([split.inputs for split in splits.values()])
        return "all", Split(inputs, np.concatenate([split.targets for split in splits.values()]))
    name = name if name is not None else list(splits)[-1]
    if name not in splits:
        raise DataError(f"{data.name} has no {name} split; it has {one_of(splits)}", exit_code=2)
    return name, splits[name]


def spec_start(spec: Spec) -> Span:
    """Return the first character of a spec, for a diagnostic that concerns all of it."""
    return Span(spec.source, 0, 1)


def _targets_of(data: Data) -> Targets:
    """Return what the rule of fit asks of targets."""
    targets = data.train.targets
    whole = targets.dtype.kind in "bui" or bool((targets == np.floor(targets)).all())
    return Targets(data.name, targets.shape[1:], whole, data.validation is not None, ONE_HOT)
