"""The Python interface: the verbs of the command as functions of arrays and paths."""

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.samples import as_targets, rectangular
from nnspec.runtime.errors import CheckpointError, DataError, NetworkError
from nnspec.runtime.explain.incremental import occlude as occlude_images
from nnspec.runtime.infer.evaluation import evaluate as evaluate_split
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.network_file import network_from_bytes
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.cross_validation import CrossValidation, folds_of
from nnspec.runtime.train.cross_validation import cross_validate as cross_validate_run
from nnspec.runtime.train.events import Listener, silent
from nnspec.runtime.train.resuming import resume as resume_run
from nnspec.runtime.train.run import Run
from nnspec.runtime.train.run import train as train_run
from nnspec.runtime.train.run_folder import resolve_checkpoint
from nnspec.runtime.train.spec_and_data import Arrays, compiled
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request


def check(
    spec: str | Path, settings: Mapping[str, object] | None = None, variant: str | None = None, data: str | None = None
) -> Spec:
    """Return the checked spec of a file or of the text of a network. Raises SpecError with every error."""
    return Request(spec, _settings(settings, variant), variant, data).check()


def compile(
    spec: str | Path,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: str | None = None,
    seed: int | None = None,
    dtype: Any = "float32",
) -> Network:
    """Return a network with its initial weights, from a file or from text.

    Data are read only if nothing else determines the shape of a sample. Otherwise samples are not normalized until the
    network has been trained. Raises SpecError, DataError.
    """
    return compiled(Request(spec, _settings(settings, variant), variant, data, seed), dtype)


def train(
    spec: str | Path,
    out: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: Any = None,
    validation: tuple[Any, Any] | None = None,
    seed: int | None = None,
    init_from: str | Path | None = None,
    dtype: Any = "float32",
    listen: Listener = silent,
    sample_weight: Any = None,
) -> Run:
    """Train a spec and return the run.

    `data` is a data statement such as "mnist_sample", or a pair (x, y) of arrays. With arrays and without `out` no file
    is written; otherwise the run has a folder, `out` or runs/NAME. `listen` is called with each event: start, progress,
    evaluation, end. `sample_weight` (samples,) are the weights of arrays in the training loss. Raises SpecError,
    DataError, TrainingError, Interrupted.
    """
    given, settings = _data(data, validation, sample_weight), _settings(settings, variant)
    out = None if out is None else _path("out", out)
    init_from = None if init_from is None else _path("init_from", init_from)
    if isinstance(given, Arrays):
        request = Request(spec, settings, variant, None, seed)
        return train_run(request, out, given, init_from, dtype, listen, files=out is not None)
    request = Request(spec, settings, variant, given, seed)
    if (folds := folds_of(request)) is not None:
        advice = "nnspec.cross_validate trains all of them, settings={'data.fold': 1} the first"
        raise DataError(f"the spec asks for {folds} folds: {advice}", 2)
    return train_run(request, out, None, init_from, dtype, listen)


def cross_validate(
    spec: str | Path,
    folds: int = 5,
    out: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: Any = None,
    seed: int | None = None,
    dtype: Any = "float32",
    listen: Listener = silent,
    sample_weight: Any = None,
) -> CrossValidation:
    """Train a spec once for each of several folds, and return the runs and their metrics with mean and deviation.

    Each fold is the validation split of one run. The arguments are those of `train`; called again with the same `out`
    it goes on where it stopped. Raises SpecError, DataError, TrainingError, Interrupted.
    """
    given, settings = _data(data, None, sample_weight), _settings(settings, variant)
    out = None if out is None else _path("out", out)
    if isinstance(given, Arrays):
        request = Request(spec, settings, variant, None, seed)
        return cross_validate_run(request, folds, out, given, dtype, listen, files=out is not None)
    return cross_validate_run(Request(spec, settings, variant, given, seed), folds, out, None, dtype, listen)


def folds_asked_for(
    spec: str | Path, settings: Mapping[str, object] | None = None, variant: str | None = None, data: str | None = None
) -> int | None:
    """Return how many folds the data statement asks for; None where it asks for none, or for one. Raises SpecError."""
    return folds_of(Request(spec, _settings(settings, variant), variant, data))


def resume(
    path: str | Path,
    allow_inexact: bool = False,
    listen: Listener = silent,
    verify: bool = False,
    data: Any = None,
    validation: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
) -> Run:
    """Continue a run from its folder or a checkpoint; the result is bit for bit that of a run without the stop.

    `data`, `validation` and `sample_weight` are those that `train` was given, for a run on arrays, or `data` is a
    statement for data that have moved: their digest must be that of the run. `verify` first repeats the steps since the
    previous checkpoint and compares. Raises CheckpointError, DataError.
    """
    return resume_run(_path("path", path), allow_inexact, listen, verify, _data(data, validation, sample_weight))


def _data(data: Any, validation: tuple[Any, Any] | None, sample_weight: Any) -> Arrays | str | None:
    """Return the data that a caller gives: arrays, a data statement, or None for the spec's own."""
    if data is None or isinstance(data, str):
        if validation is not None:
            raise DataError("validation needs data given as arrays: data=(x, y), validation=(x, y)", 2)
        if sample_weight is not None:
            raise DataError("sample_weight needs data given as arrays: data=(x, y), sample_weight=w", 2)
        return data
    for name, pair in (("data", data), ("validation", validation)):
        if pair is not None and not (isinstance(pair, tuple | list) and len(pair) == 2):
            count = f"{len(pair)} values" if isinstance(pair, tuple | list) else f"a {type(pair).__name__}"
            raise DataError(f"{name} is {count}: give the pair {name}=(x, y), or a data statement as text", 2)
    return Arrays(data[0], data[1], validation, sample_weight)


def save(network: Network, path: str | Path) -> None:
    """Write a network to a sealed file that `load` reads: its spec, weights and preprocessing, without a run.

    Raises CheckpointError where the system refuses, or a weight is NaN or infinite.
    """
    _network(network).save(_path("path", path))


def from_bytes(data: bytes) -> Network:
    """Return the network that `network.to_bytes()` sealed. Raises CheckpointError unless every byte is as written."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise CheckpointError(f"data is a {type(data).__name__}: give bytes, as network.to_bytes() returns", 2)
    return network_from_bytes(data)


def load(path: str | Path) -> Network:
    """Return the network of a checkpoint, ready to predict; a run's folder means its last.h5.

    Nothing is unpickled or executed. Raises CheckpointError.
    """
    return load_checkpoint(resolve_checkpoint(_path("path", path))).network


def evaluate(network: Network, x: Any, y: Any) -> dict[str, float]:
    """Return the loss and the spec's metrics on samples and their targets, classes as whole numbers."""
    from nnspec.runtime.data import Split

    split = Split(rectangular(x, "samples"), as_targets(y))
    if split.inputs.ndim and not len(split.inputs):
        raise DataError("there are no samples to evaluate on: give at least one", 2)
    return evaluate_split(_network(network), split)


def occlude(
    network: Network,
    images: Any,
    labels: Any,
    window: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    baseline: float | Array = 0.0,
) -> Array:
    """Return the probability of each image's label with a window covered, at every position: (image, row, column)."""
    pictures, truth = rectangular(images, "images"), rectangular(labels, "labels")
    return occlude_images(_network(network), pictures, truth, window, stride, baseline)


def _network(given: Any) -> Network:
    """Return a network. Raises NetworkError that names what to give instead of a run or a path."""
    if isinstance(given, Network):
        return given
    advice = "give a network, as nnspec.load and nnspec.compile return"
    if isinstance(given, Run):
        advice = "give its network, run.network"
    elif isinstance(given, str | Path):
        advice = f"give nnspec.load({str(given)!r})"
    raise NetworkError(f"network is a {type(given).__name__}: {advice}", 2)


def _path(name: str, given: Any) -> Any:
    """Return a path. Raises CheckpointError for what is not a path."""
    if isinstance(given, str | PathLike) and isinstance(fspath(given), str):
        return given
    raise CheckpointError(f"{name} is a {type(given).__name__}: give a path", 2)


def _settings(given: Any, variant: Any) -> Mapping[str, object]:
    """Return the settings. Raises DataError where they are not a mapping, or the variant is not a name."""
    if given is not None and not isinstance(given, Mapping):
        raise DataError(f"settings are a {type(given).__name__}: give a dict such as {{'train.epochs': 3}}", 2)
    if variant is not None and not isinstance(variant, str):
        raise DataError(f"variant is a {type(variant).__name__}: give the name of a variant of the spec", 2)
    return given or {}
