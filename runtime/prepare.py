"""A spec's text and its data brought together: what the data turn out to be completes what the spec leaves open."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from runtime.data import Data, Preprocessing, data_from_arrays, load_data
from runtime.errors import DataError
from runtime.network import Network
from spec_lang.diagnostics import Diagnostic
from spec_lang.errors import SpecError
from spec_lang.request import Request
from spec_lang.source import Span
from spec_lang.spec import Spec


@dataclass(frozen=True)
class Arrays:
    """Samples and targets given as arrays instead of the spec's data."""

    x: Any
    y: Any
    validation: tuple[Any, Any] | None = None


def with_data(request: Request, arrays: Arrays | None = None) -> tuple[Spec, Data]:
    """The spec checked against its data, and the data. Raises SpecError, DataError."""
    spec = request.check()
    data = data_of(spec, arrays)
    shape = data.preprocessing.input_shape
    classes = len(data.preprocessing.classes) if data.preprocessing.classes and spec.classification else None
    return request.check(shape, classes), data


def data_of(spec: Spec, arrays: Arrays | None = None) -> Data:
    """The samples a spec trains on. Raises DataError where it names none."""
    classification = spec.classification or spec.loss.word == "binary_cross_entropy"
    if arrays is not None:
        return data_from_arrays(arrays.x, arrays.y, arrays.validation, classification=classification)
    if spec.data is None:
        raise DataError("the spec names no data: add a line such as data mnist_sample, or give --data mnist_sample", 2)
    return load_data(spec.data, spec.folder, classification)


def compiled(request: Request, dtype: Any = np.float32) -> Network:
    """A network with its first weights; data are read only where the shape of a sample follows from nothing else."""
    spec = request.check()
    preprocessing = None
    if spec.input is None:
        if spec.data is None:
            span = spec_start(spec)
            help = "write a line such as input 28x28x1, or name the data"
            raise SpecError([Diagnostic("E302", "the shape of a sample is not known", span, help=help)])
        spec, data = with_data(request)
        preprocessing = data.preprocessing
    assert spec.input is not None
    network = Network(spec, preprocessing or Preprocessing.identity(spec.input), dtype)
    network.initialize(spec.train.seed)
    return network


def spec_start(spec: Spec) -> Span:
    """The first character of a spec, for what concerns the whole of it."""
    return Span(spec.source, 0, 1)
