"""The Python interface: the verbs of the command as functions of arrays and paths."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec._arguments import checked_network, checked_path, given_data, loaded_given, request_for
from nnspec._sweep_pictures import draw_curves
from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Data, Split
from nnspec.runtime.errors import CheckpointError, DataError
from nnspec.runtime.execute.processors import Workers
from nnspec.runtime.infer.evaluation import evaluate as evaluate_split
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.network_file import network_from_bytes
from nnspec.runtime.train.checkpointing import load_checkpoint
from nnspec.runtime.train.cross_validation import CrossValidation, folds_of, holds_folds
from nnspec.runtime.train.cross_validation import cross_validate as cross_validate_run
from nnspec.runtime.train.events import Listener, silent
from nnspec.runtime.train.history import history_of_run
from nnspec.runtime.train.run import Run
from nnspec.runtime.train.run import train as train_run
from nnspec.runtime.train.run_folder import resolve_checkpoint
from nnspec.runtime.train.spec_and_data import compiled, training_mean
from nnspec.spec_lang.check.spec import Spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.exchange.export import Exported
    from nnspec.exchange.weights.importing import Imported
    from nnspec.runtime.sweep.conductor import SweepResult
    from nnspec.runtime.train.reproducing import Reproduction
    from nnspec.runtime.train.reproducing_folds import FoldsReproduction


def check(
    spec: str | Path, settings: Mapping[str, object] | None = None, variant: str | None = None, data: str | None = None
) -> Spec:
    """Return the checked spec of a file or of the text of a network. Raises SpecError with every error."""
    return request_for(spec, settings, variant, data).check()


def compile(
    spec: str | Path,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: Any = None,
    seed: int | None = None,
    dtype: Any = "float32",
) -> Network:
    """Return a network with its initial weights, from a file or from text.

    `data` is as for `train`. Data of a statement are read only if nothing else determines the shape of a sample;
    otherwise samples are not normalized until the network has been trained. Raises SpecError, DataError.
    """
    given = given_data(data)
    return compiled(request_for(spec, settings, variant, given, seed), dtype, loaded_given(given))


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
    workers: Workers = "auto",
) -> Run:
    """Train a spec and return the run.

    `data` is a data statement such as "mnist_sample", a pair (x, y) of arrays, lists or data frames, or what
    `data_from_arrays` returns. Arrays and frames are split and scaled as the spec's data statement says, or settings
    such as {"data.normalize": "zscore", "data.split": "90/10"}; without either they are used as they are, except that
    numbers to predict are scaled as for a file. `validation` is such a pair, and replaces the split.

    Without `out` no file is written for given data; otherwise the run has a folder, `out` or runs/NAME. `listen` is
    called with each event: start, progress, evaluation, end. `sample_weight` (samples,) are the weights of given
    samples in the training loss. `workers` is how many processes train, or "auto" for as many as pay; the weights
    are the same bits. Raises SpecError, DataError, TrainingError, Interrupted.
    """
    given = given_data(data, validation, sample_weight)
    out = None if out is None else checked_path("out", out)
    init_from = None if init_from is None else checked_path("init_from", init_from)
    request, loaded = request_for(spec, settings, variant, given, seed), loaded_given(given)
    files = loaded is None or out is not None
    return train_run(request, out, loaded, init_from, dtype, listen, files, workers)


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
    workers: Workers = "auto",
) -> CrossValidation:
    """Train a spec once for each of several folds, and return the runs and their metrics with mean and deviation.

    Each fold is the validation split of one run. The arguments are those of `train`; called again with the same `out`
    it goes on where it stopped. Raises SpecError, DataError, TrainingError, Interrupted.
    """
    given = given_data(data, None, sample_weight)
    loaded = loaded_given(given)
    if isinstance(loaded, Data):
        raise DataError("the data are split already, and folds split them again: give data=(x, y)", 2)
    out = None if out is None else checked_path("out", out)
    request = request_for(spec, settings, variant, given, seed)
    files = loaded is None or out is not None
    return cross_validate_run(request, folds, out, loaded, dtype, listen, files, workers)


def folds_asked_for(
    spec: str | Path, settings: Mapping[str, object] | None = None, variant: str | None = None, data: str | None = None
) -> int | None:
    """Return how many folds the data statement asks for; None where it asks for none, or for one. Raises SpecError."""
    return folds_of(request_for(spec, settings, variant, data))


def sweep(
    spec: str | Path,
    out: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: Any = None,
    validation: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    *,
    seeds: Sequence[int] = (),
    jobs: int | None = None,
    metric: str | None = None,
    trials: int | None = None,
    method: str | None = None,
    prune: bool = True,
    backend: str = "local",
    scheduler: str | None = None,
    shared: str | Path | None = None,
    listen: Listener = silent,
) -> "SweepResult":
    """Train every variant of a spec, at every place of its grid, with every seed, and return what came of each.

    `spec` is as for `train`, or the folder of a sweep, which goes on; `settings` to `sample_weight` are as for `train`.
    Each trial is a run of its own in `out`, sweeps/NAME where it is None. Called again on the same folder, finished
    trials are kept, begun ones resumed, and only new or failed ones begin.

    `seeds` are those of every trial; none is that of the spec. `jobs` is how many trials train at once, None for one on
    each processor that has the memory. `metric` ranks them, such as "validation_accuracy". `trials` asks for a search
    of so many in the sweep lines, by `method` "random", "tpe" or "halving"; `prune` ends hopeless ones. `backend` is
    "local", "dask" or "ray", `scheduler` the address of a cluster, `shared` a folder that its workers see. `listen` is
    called with the events of the sweep and of its trials. A program that is run as a file calls it under
    `if __name__ == "__main__":`.

    An error of one trial is its state, and the others go on. Raises SpecError, DataError, TrainingError where the sweep
    cannot begin, and Interrupted after a signal, once all is saved.
    """
    from nnspec.runtime.sweep.conductor import SweepInterrupted, resume_sweep
    from nnspec.runtime.sweep.conductor import sweep as run_sweep
    from nnspec.runtime.sweep.prepare import Call, Wanted

    given = given_data(data, validation, sample_weight)
    loaded = loaded_given(given)
    out = None if out is None else checked_path("out", out)
    shared = None if shared is None else Path(checked_path("shared", shared)).absolute()
    call = Call(jobs, backend, scheduler, shared, listen, loaded, prune)
    try:
        if isinstance(spec, str | Path) and os.path.isdir(spec):
            result = resume_sweep(spec, call, tuple(seeds), trials, method, metric)
        else:
            result = run_sweep(
                Wanted(request_for(spec, settings, variant, given), tuple(seeds), trials, method, metric), out, call
            )
    except SweepInterrupted as interrupted:
        draw_curves(interrupted.sweep)
        raise
    draw_curves(result)
    return result


def resume(
    path: str | Path,
    allow_inexact: bool = False,
    listen: Listener = silent,
    verify: bool = False,
    data: Any = None,
    validation: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    workers: Workers = "auto",
) -> Run:
    """Continue a run from its folder or a checkpoint; the result is bit for bit that of a run without the stop.

    `data`, `validation` and `sample_weight` are those that `train` was given, for a run on arrays, or `data` is a
    statement for data that have moved: their digest must be that of the run. `verify` first repeats the steps since the
    previous checkpoint and compares. `workers` is as for `train`. Raises CheckpointError, DataError.
    """
    from nnspec.runtime.train.resuming import resume as resume_run

    given = given_data(data, validation, sample_weight)
    return resume_run(checked_path("path", path), allow_inexact, listen, verify, given, workers)


def reproduce(
    path: str | Path,
    out: str | Path | None = None,
    data: Any = None,
    validation: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    listen: Listener = silent,
) -> "Reproduction | FoldsReproduction":
    """Train a run again from what its checkpoint holds, in an empty folder, and compare: `.equal`, or what differs.

    `path` is the run's folder or a checkpoint; `out` is the folder of the repetition, a temporary one where it is None.
    Of the folder of a cross-validation each fold is repeated, and `.folds` has their comparisons by number.
    `data`, `validation` and `sample_weight` are those that `train` was given, for a run on arrays, or `data` is a
    statement for data that have moved. Raises CheckpointError, DataError.
    """
    from nnspec.runtime.train.reproducing import reproduce as reproduce_run
    from nnspec.runtime.train.reproducing_folds import reproduce_folds

    given = given_data(data, validation, sample_weight)
    out = None if out is None else checked_path("out", out)
    path = Path(checked_path("path", path))
    if holds_folds(path):
        return reproduce_folds(path, out, listen, given)
    return reproduce_run(path, out, listen, given)


def report(
    path: str | Path,
    out: str | Path | None = None,
    data: Any = None,
    split: str | None = None,
    validation: tuple[Any, Any] | None = None,
) -> Path:
    """Write the report of a run or a sweep, one HTML file that loads nothing, and return its path.

    `out` is the file, report.html in the folder where it is None. `data` are those of a run on arrays, or a statement
    for data that have moved or for others; `split` is the one to show mistakes of. It needs Jinja2, the extra `report`.
    Raises CheckpointError, DataError, NotInstalledError; OSError where the file cannot be written.
    """
    from nnspec.reporting.write import write_report

    out = None if out is None else Path(checked_path("out", out))
    return write_report(Path(checked_path("path", path)), out, given_data(data, validation), split)


def report_markdown(path: str | Path, data: Any = None, split: str | None = None) -> str:
    """Return the report of a run or a sweep as Markdown, for a pull request. Raises CheckpointError, DataError."""
    from nnspec.reporting.write import markdown_report

    return markdown_report(Path(checked_path("path", path)), given_data(data), split)


def export(network: Network, to: str, out: str | Path | None = None, samples: Any = None, **options: Any) -> "Exported":
    """Write a network for another program, and return the paths and what was found out about the files.

    Arguments:
        network: what to write; `run.network` of a run.
        to: onnx, torch, c, numpy, or another name of `nnspec.exchange.export.ways`.
        out: the path, with or without the suffix; the name of the spec in the current folder where it is None.
        samples: raw samples, as for `network.predict`, on which the files are tried before they are written; those of
            the network's own data where it is None, or random ones where these are not here.
        **options: those of the way, as the command `nnspec export --help` lists them.

    Raises ExchangeError where the network cannot go there, a package is missing, or the answers differ; then nothing is
    written. Raises DataError for samples that do not fit, and OSError.
    """
    from nnspec.exchange.export import export as write_export
    from nnspec.exchange.trial import trial_of

    network = checked_network(network)
    trial = trial_of(network)
    tried = trial.samples if samples is None else network.preprocessing.as_batch(samples)
    path = None if out is None else Path(checked_path("out", out))
    return write_export(network, to, path, tried, options, trial.training, trial.judged)


def import_weights(
    spec: str | Path,
    weights: Any,
    settings: Mapping[str, object] | None = None,
    variant: str | None = None,
    data: str | None = None,
    layout: str | None = None,
    match: str | None = None,
    fit: bool = False,
    dtype: Any = "float32",
) -> "Imported":
    """Return the network of a spec with weights that Keras or PyTorch trained: `.network`, and `.steps` by array.

    Arguments:
        spec: a file, or the text of a network of the same shape.
        weights: the path of a .safetensors, .npz, .h5, .keras, .pt or .pth file; arrays or tensors by name, such as
            model.state_dict(); or a list of arrays, such as Keras's model.get_weights().
        settings, variant, data: as for `compile`; `data` is a data statement.
        layout: "torch", "keras" or "nnspec", whose shapes and orders the arrays have; None for that of the file.
        match: "name" or "order"; None for names where every layer has one there, else the order.
        fit: whether normalization, and the names of classes, are fitted to the data of the spec. Otherwise raw samples
            go in as they are.
        dtype: float32 or float64.

    Nothing is unpickled; PyTorch itself reads .pt files, and tensors alone. Raises ExchangeError where the weights
    cannot be read or do not fit, SpecError, DataError.
    """
    from nnspec.exchange.weights.importing import import_weights as imported

    given = weights if not isinstance(weights, str | os.PathLike) else checked_path("weights", weights)
    return imported(request_for(spec, settings, variant, data), given, layout, match, fit, dtype)


def spec_from(model: Any, input: str = "", name: str = "model") -> str:
    """Return the page that a model of PyTorch or Keras would be.

    Arguments:
        model: an nn.Sequential; a Keras Sequential, or a chain of layers, or its configuration as a dict; the path of a
            file with what model.to_json() returns, of a .keras file, or with what print shows of an nn.Sequential.
        input: the shape of a sample as a line `input` says it, such as "28x28x1" or "50x3 sequence", where the model
            does not say it.
        name: the name of the network, where the model is not a file.

    The weights follow by `import_weights(spec_from(model), model.state_dict())`. Nothing of the model is executed.
    Raises ExchangeError that names a layer which the language cannot say.
    """
    from nnspec.exchange.models.reading import page_of

    return page_of(model, input, name).text


def save(network: Network, path: str | Path) -> None:
    """Write a network to a sealed file that `load` reads: its spec, weights and preprocessing, without a run.

    Raises CheckpointError where the system refuses, or a weight is NaN or infinite.
    """
    checked_network(network).save(checked_path("path", path))


def from_bytes(data: bytes) -> Network:
    """Return the network that `network.to_bytes()` sealed. Raises CheckpointError unless every byte is as written."""
    if not isinstance(data, bytes | bytearray | memoryview):
        raise CheckpointError(f"data is a {type(data).__name__}: give bytes, as network.to_bytes() returns", 2)
    return network_from_bytes(data)


def load(path: str | Path) -> Network:
    """Return the network of a checkpoint, ready to predict; a run's folder means its last.h5.

    Nothing is unpickled or executed. Raises CheckpointError.
    """
    return load_checkpoint(resolve_checkpoint(checked_path("path", path))).network


def evaluate(network: Network, x: Any, y: Any) -> dict[str, float]:
    """Return the loss and the spec's metrics on samples and their targets.

    Both are arrays, lists or data frames, as for `train`. Classes are given by name, or by number in the order of the
    outputs. Metrics are in the units of `y`; where the network was trained on scaled targets, the loss is that of the
    scaled ones. Raises DataError.
    """
    network = checked_network(network)
    split = Split(network.preprocessing.as_batch(x), network.as_targets(y))
    if not len(split):
        raise DataError("there are no samples to evaluate on: give at least one", 2)
    return evaluate_split(network, split)


def occlude(
    network: Network,
    images: Any,
    labels: Any,
    window: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    baseline: Any = 0.0,
    scale: str = "probability",
) -> Array:
    """Return the probability of each image's label with a window covered, at every position: (image, row, column).

    `labels` are names of classes, or their numbers in the order of the outputs. `baseline` is a number in the units of
    the images, an image, or "mean", the mean of each channel of the training images. `scale` is "probability",
    "log_odds", or "drop": by how much covering the window lowers the log-odds, which shows what a network of which all
    probabilities are 1 needs. Raises DataError, NetworkError, OcclusionError.
    """
    from nnspec.runtime.explain.incremental import occlude as occlude_images

    network = checked_network(network)
    fill = training_mean(network) if isinstance(baseline, str) and baseline == "mean" else baseline
    pictures = network.preprocessing.as_batch(images)
    return occlude_images(network, pictures, network.as_targets(labels), window, stride, fill, scale)


def saliency(
    network: Network,
    images: Any,
    labels: Any,
    method: str = "integrated",
    window: int | tuple[int, int] = 3,
    baseline: Any = 0.0,
    steps: int = 128,
) -> Array:
    """Return a map of the pixels that the log-odds of each image's label depend on: (image, height, width).

    `method` is occlusion, gradient, gradient_input, integrated or grad_cam. `labels` and `baseline` are as for
    `occlude`; `window` is that of occlusion, `steps` that of integrated gradients. Raises DataError, NetworkError,
    OcclusionError.
    """
    from nnspec.runtime.explain.saliency import Question
    from nnspec.runtime.explain.saliency import saliency as saliency_of

    network = checked_network(network)
    fill = training_mean(network) if isinstance(baseline, str) and baseline == "mean" else baseline
    pictures = network.preprocessing.as_batch(images)
    return saliency_of(Question.of(network, pictures, network.as_targets(labels), fill, window, 1, steps), method)


def plot(
    name: str,
    of: Run | Network | str | Path,
    style: str = "light",
    data: Any = None,
    split: str | None = None,
) -> "list[Figure]":
    """Return the pictures of a run or a network as matplotlib figures, one unless there are several pages.

    Arguments:
        name: curves, weights, confusion, predictions, graph, or another name of `FIGURES`.
        of: a run, a network, or the path of a run or a checkpoint.
        style: light, dark or paper.
        data: other samples than those of the run: a data statement, or what `data_from_arrays` returns.
        split: test, validation, train or all.

    Raises PictureError where there is no such picture, DataError, SpecError, CheckpointError.
    """
    from nnspec.runtime.views import PictureError, in_style
    from nnspec.runtime.views.figures import FIGURES, Subject

    if name not in FIGURES:
        raise PictureError(f"no picture is called {name!r}: use {', '.join(FIGURES)}")
    if isinstance(of, Run):
        subject = Subject(of.network, history_of_run(of), of.data if data is None else data, split)
    elif isinstance(of, Network):
        subject = Subject(of, None, data, split)
    else:
        subject = Subject.of(load_checkpoint(resolve_checkpoint(checked_path("of", of))), data, split)
    with in_style(style):
        return FIGURES[name](subject)
