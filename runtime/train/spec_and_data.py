"""A spec checked together with its data: the data give the sample shape and the classes that the spec leaves open.

Training, `nnspec plan`, the notebook and the commands that take a checkpoint use it. It does not know files of a run.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from nnspec.runtime.data import Data, Preprocessing, Split, load_data, missing
from nnspec.runtime.data.array_likes import concatenated
from nnspec.runtime.data.fitted.measure import mean_and_deviation
from nnspec.runtime.data.fitted.target_scaling import TargetScaling
from nnspec.runtime.data.given import Arrays
from nnspec.runtime.data.load import load_given
from nnspec.runtime.errors import DataError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.targets import ONE_HOT, sum_to_one
from nnspec.runtime.train.beginning import begin
from nnspec.runtime.train.data_files import located
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.fit import Targets, misfits
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from nnspec.spec_lang.report.diagnostics import Diagnostic, one_of
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source, Span
from nnspec.spec_lang.vocabulary.given_arrays import GivenArrays

Given = Arrays | Data
"""What a program may give instead of the data that a spec names."""


def check_with_data(
    request: Request, given: Given | None = None, known: Preprocessing | None = None
) -> tuple[Spec, Data]:
    """Load the data, unless they are given, and return the spec checked against it, with the data.

    Given arrays are split and scaled as the spec's data statement says; with `known`, the preprocessing of a network
    that trains on, they are encoded and scaled as it says. Raises SpecError, DataError.
    """
    if given is None:
        spec = request.check()
    elif isinstance(given, Arrays):
        request = replace(request, in_memory=True)
        given = given if known is None else replace(given, x=known.as_batch(given.x))
        spec = request.check(given.sample_shape() if known is None else known.sample_shape())
        given = given.in_shape(spec.input) if spec.input is not None else given
    else:
        request = _for_loaded(request, given)
        spec = request.check(given.preprocessing.sample_shape())
    data = spec_data(spec, given)
    if known is not None:
        data = replace(data, preprocessing=known)
    shape = data.preprocessing.sample_shape()
    if data.gaps is not None:
        output = request.check(shape).output_shape
        open_end = spec.loss.classes and not request.check(shape).nodes
        count = output[-1] if output else len(data.gaps.present) if open_end else None
        data = data.require_labels_for(count) if count is not None else data
    classes = len(data.preprocessing.classes) if data.preprocessing.classes and spec.classification else None
    spec = request.check(shape, classes)
    if not spec.nodes:  # the last layer leaves the number of its outputs to the data
        spec = request.check(shape, classes, needed_outputs(request.check(shape, classes, spec.loss.answers), data))
    spec, notes = _following(spec, len(data.train))
    data = replace(data, notes=(*data.notes, *notes))
    if known is None:
        data = _with_scaled_targets(spec, data)  # again, now that the outputs are known
    for misfit in misfits(spec, spec.nodes[-1].span if spec.nodes else spec_start(spec), _targets_of(data)):
        raise SpecError([misfit])
    return spec, data


def needed_outputs(spec: Spec, data: Data) -> int:
    """Return the number of outputs that the targets of data need, for a spec that has any number of them."""
    every = [split.targets for _, split in data.splits()]
    targets, classes = every[0], data.preprocessing.classes
    most = max((int(part.max()) for part in every if part.size), default=0)
    if spec.classification:
        return len(classes) if classes else most + 1
    per_step = spec.output_shape is not None and spec.output_shape.sequence
    if targets.ndim > 1 + per_step:
        return int(targets.shape[-1]) * spec.loss.answers
    return spec.loss.outputs_for(max(most + 1, 2)) if spec.loss.labels else spec.loss.answers


def _following(spec: Spec, samples: int) -> tuple[Spec, list[str]]:
    """Return the spec with what it leaves open chosen for a number of training samples, and what was chosen in words.

    A network with fewer parameters than samples cannot learn them by heart, and is given the optimizer's quick rate
    where the samples are so few that the length of training follows from them.
    """
    note = spec.train.follows(samples)
    train = spec.train.for_samples(samples)
    notes, optimizer = [note] if note is not None else [], spec.optimizer
    if train.length > spec.train.length and spec.parameter_count < samples:
        optimizer = spec.optimizer.quickened()
    if optimizer != spec.optimizer:
        notes.append(
            f"optimizer {optimizer.word} lr={optimizer.lr:g}: the spec leaves this open, and the network has fewer "
            f"parameters ({spec.parameter_count:,}) than there are training samples"
        )
    return replace(spec, train=train, optimizer=optimizer), notes


def check_with_local_data(request: Request) -> tuple[Spec, Data | None, str]:
    """Return the spec checked as far as the data on this machine allow, these data, and why there are none.

    Downloads nothing. Raises SpecError, and DataError for data that are present and cannot be used.
    """
    spec = request.check()
    if spec.data is None:
        return spec, None, "the spec names no data"
    if spec.data.in_memory:
        return spec, None, "the samples are given in Python, nnspec.train(spec, data=(x, y))"
    absent = missing(spec.data, spec.folder)
    if absent is not None:
        return spec, None, absent
    return *check_with_data(request), ""


def check_with_shapes(request: Request) -> tuple[Spec, Preprocessing | None]:
    """Return the spec with the shape of every layer.

    Loads data only where the spec does not give the shape of a sample or the number of outputs, and then returns their
    preprocessing too. Raises SpecError, DataError.
    """
    spec = request.check()
    if spec.nodes:
        return spec, None
    if spec.data is None or spec.data.in_memory:
        message, help = "the shape of a sample is not known", "write a line such as input 28x28x1, or name the data"
        if spec.input is not None:
            message = "the number of outputs of the last layer is not known"
            help = "write it, as in dense 10 softmax, or name the data"
        raise SpecError([Diagnostic("E302", message, spec_start(spec), help=help)])
    spec, data = check_with_data(request)
    return spec, data.preprocessing


def compiled(request: Request, dtype: Any = np.float32, given: Given | None = None) -> Network:
    """Return the network of a spec with its initial weights, those of its line `from` where that names a checkpoint.

    Where data are `given`, the sample shape and the preprocessing come from them. Otherwise data are loaded only where
    the spec does not give the shape of a sample. Raises SpecError, DataError, CheckpointError.
    """
    preprocessing: Preprocessing | None
    if given is not None:
        spec, data = check_with_data(request, given)
        preprocessing = data.preprocessing
    else:
        spec, preprocessing = check_with_shapes(request)
    assert spec.input is not None
    network = Network(spec, preprocessing or Preprocessing.identity(spec.input), dtype)
    network.initialize(spec.train.seed)
    begin(network, spec)
    return network


def _for_loaded(request: Request, data: Data) -> Request:
    """Return the request for data that are split and normalized already, which its data statement must not change."""
    asked = next((key for key in request.settings if key.startswith("data.") and key != "data.targets"), None)
    if asked is not None:
        raise DataError(f"{data.name} is split and normalized already: leave the setting {asked} out", exit_code=2)
    asked_targets = replace(request, in_memory=True).check(data.preprocessing.sample_shape()).data
    targets = f" targets={asked_targets.targets}" if asked_targets is not None and asked_targets.targets else ""
    return replace(request, in_memory=True, data=f"arrays normalize={data.preprocessing.normalize}{targets}")


def spec_data(spec: Spec, given: Given | None = None, known: Preprocessing | None = None, exact: bool = False) -> Data:
    """Return the data of a spec, or those given; the columns of a table as `known` encodes them.

    Files that have moved since a run are found by their digest; with `exact` files that have changed, too. Raises
    DataError where there are none.
    """
    classification = spec.loss.classifies
    if isinstance(given, Data):
        return _with_scaled_targets(spec, _labelled(spec, _of_task(given, classification, spec.loss.word)))
    if given is not None:
        steps = spec.output_shape is not None and spec.output_shape.sequence
        # a run of a version that did not split and scale arrays names other data, or none
        source = spec.data if spec.data is not None and spec.data.in_memory else GivenArrays()
        data = load_given(source, given, classification, steps, spec.weights)
        return _with_scaled_targets(spec, _labelled(spec, data))
    if spec.data is None:
        raise DataError("the spec names no data: add a line such as data mnist_sample, or give --data mnist_sample", 2)
    found = located(spec, exact)
    assert found.spec.data is not None
    data = load_data(found.spec.data, spec.folder, classification, spec.weights, known)
    data = replace(data, notes=(*found.notes, *data.notes))
    return _with_scaled_targets(spec, _labelled(spec, data))


def _of_task(data: Data, classification: bool, loss: str) -> Data:
    """Return data that were read for the task of a loss. Raises DataError for others."""
    task = "classification" if classification else "regression"
    if data.preprocessing.task == task:
        return data
    raise DataError(
        f"{data.name} was read for a {data.preprocessing.task}, and loss {loss} is for a {task}: give "
        f"data_from_arrays(x, y, classification={classification})",
        exit_code=2,
    )


def _with_scaled_targets(spec: Spec, data: Data) -> Data:
    """Return data whose preprocessing has the scaling of the training targets, if the spec scales them.

    Targets of a number for each step are one column, not one for each step.
    """
    scaled, targets = spec.data is not None and spec.data.targets == "zscore", data.train.targets
    if spec.output_shape is not None and (*targets.shape[1:], 1) == spec.loss.target_shape(spec.output_shape):
        targets = targets[..., None]
    scaling = TargetScaling.fit(targets) if scaled else None
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


def training_mean(network: Network, statement: str | None = None) -> Any:
    """Return the mean of each channel of the training images, (channels,), or one number for images without channels.

    It is in the units of the samples. The data are read unless the network knows the mean: those that it was trained
    on, or those of another data statement. Raises SpecError, DataError.
    """
    preprocessing = network.preprocessing
    if preprocessing.normalize == "zscore":
        mean = preprocessing.shift
    elif statement is None and (network.spec.data is None or network.spec.data.in_memory):
        raise DataError("the network does not know the mean of its training images: give baseline=x.mean(axis=0)", 2)
    else:
        mean = mean_and_deviation(network_data(network, statement).train.inputs)[0]
    return mean if len(preprocessing.input_shape) == 3 else float(mean.mean())


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
    least, most = (float(targets.min()), float(targets.max())) if targets.size else (0.0, 0.0)
    sums = targets.ndim > 1 and bool(sum_to_one(targets).all())
    splits = {"validation": data.validation is not None, "test": data.test is not None}
    return Targets(data.name, targets.shape[1:], whole, least, most, one_hot=ONE_HOT, sum_to_one=sums, **splits)
