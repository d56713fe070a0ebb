"""nnspec occlude: show where in an image a classifier looks."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_count
from nnspec.cli.options import data_options, json_flag
from nnspec.cli.output import print_json, print_note, print_result, print_warning, translate_write_errors
from nnspec.cli.pictures import save_picture

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.infer.network import Network

    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType

Size = tuple[int, int]


class _SizeType(_Type):
    """A size: 3x3, or 3 for the same."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        """Return rows and columns."""
        if isinstance(value, tuple):
            return value
        numbers = str(value).lower().split("x")
        if len(numbers) > 2 or not all(number.isascii() and number.isdigit() and int(number) > 0 for number in numbers):
            self.fail(f"{value!r} is not a size such as 3x3", param, ctx)
        return int(numbers[0]), int(numbers[-1])


class _BaselineType(_Type):
    """A number, or the word mean."""

    name = "baseline"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the number or the word."""
        if value == "mean":
            return "mean"
        try:
            return float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor mean", param, ctx)


class _Chosen(NamedTuple):
    """Raw images (image, …), the class of each, and its probability with nothing covered."""

    images: "np.ndarray"
    labels: "np.ndarray"
    probabilities: "np.ndarray"


@click.command(
    cls=Verb,
    section=Section.PICTURES,
    short_help="Show where in an image a classifier looks.",
    examples=(
        "nnspec occlude runs/quickstart",
        "nnspec occlude runs/quickstart/best.h5 --window 5x5 --stride 2 --baseline mean",
        "nnspec occlude runs/quickstart seven.png --label 7 --out maps",
    ),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.argument("images", metavar="[IMAGE]...", nargs=-1)
@click.option(
    "--window",
    "windows",
    type=_SizeType(),
    multiple=True,
    metavar="RxC",
    help="The size of the window. Repeatable.  [default: 2x2, 3x3]",
)
@click.option("--stride", type=_SizeType(), default="1", show_default=True, metavar="N", help="Pixels between windows.")
@click.option(
    "--baseline",
    type=_BaselineType(),
    default="0",
    show_default=True,
    metavar="0|mean",
    help="The value inside the window: a number, or the mean of the training images.",
)
@click.option(
    "--per-class", type=click.IntRange(1), default=3, show_default=True, metavar="N", help="Images of each class."
)
@click.option(
    "--label", metavar="CLASS", help="The class to explain for the images given, instead of the predicted one."
)
@click.option("--invert", is_flag=True, help="Swap light and dark in the images given.")
@data_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write to.  [default: pictures/ in the run's folder]",
)
@json_flag
def command(
    checkpoint: str,
    images: tuple[str, ...],
    windows: tuple[Size, ...],
    stride: Size,
    baseline: float | str,
    per_class: int,
    label: str | None,
    invert: bool,
    data: str | None,
    split: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Cover a window of an image, at every position, and draw the probability of its class.

    Without images, the first correctly classified images of each class are taken from the test split. With images, in
    any format that predict reads, the predicted class is explained.

    Each window size gives a picture occlusion-RxC.png, one for every ten classes, and its arrays in occlusion-RxC.npz:
    images, labels, probabilities (nothing covered) and maps (image, row, column).
    """
    from nnspec import api
    from nnspec.cli.checkpoint import class_names, classifies_images, open_to_ask, pictures_folder
    from nnspec.runtime.explain.incremental import require_probabilities
    from nnspec.runtime.explain.occlusion import OcclusionError
    from nnspec.runtime.train.spec_and_data import training_mean

    if not images and (label is not None or invert):
        raise click.UsageError("--label and --invert apply to images given as files: name one")
    file, saved = open_to_ask(checkpoint)
    network = saved.network
    names = class_names(network)
    require_probabilities(network)
    if names is None or not classifies_images(network):
        shapes = f"it takes {network.spec.input} and gives {network.spec.output_shape}"
        raise OcclusionError(f"{file} is not a network that classifies images: {shapes}")
    folder = out or pictures_folder(file)
    chosen = _given(network, names, images, label, invert) if images else _first(network, names, data, split, per_class)
    fill: Any = training_mean(network, data) if baseline == "mean" else baseline
    written = []
    for window in windows or ((2, 2), (3, 3)):
        print_note(f"covering {format_count(len(chosen.images), 'image')} with windows of {window[0]}x{window[1]}")
        maps = api.occlude(network, chosen.images, chosen.labels, window, stride, fill)
        for path in _keep(network, names, chosen, maps, folder, window, stride, (baseline, fill), per_class):
            written.append(path)
            if not as_json:
                print_result(path)
    if as_json:
        print_json(checkpoint=str(file), files=written)


def _first(network: "Network", names: list[str], data: str | None, split: str | None, per_class: int) -> _Chosen:
    """Return the first correctly classified samples of each class, and warn of classes without one."""
    from nnspec.cli.checkpoint import chosen_split
    from nnspec.runtime.errors import NetworkError
    from nnspec.runtime.infer.evaluation import first_correct

    name, found, chosen = chosen_split(network, data, split)
    places = first_correct(network, chosen, per_class)
    if not len(places):
        raise NetworkError(
            f"no sample of {found.name}, {name}, is classified correctly: train the network first, or name images"
        )
    labels = chosen.targets[places].reshape(-1).astype(int)
    none = sorted(set(range(len(names))) - set(labels.tolist()))
    if none:
        classes = ", ".join(names[label] for label in none)
        print_warning(f"no sample of {classes} is classified correctly, so these classes are left out")
    return _with_probabilities(network, chosen.inputs[places], labels)


def _given(network: "Network", names: list[str], paths: tuple[str, ...], label: str | None, invert: bool) -> _Chosen:
    """Return the images of files, each with its predicted class, or the class of --label."""
    import numpy as np

    from nnspec.runtime.data import read_inputs
    from nnspec.runtime.infer.evaluation import class_probabilities
    from nnspec.spec_lang.report.diagnostics import one_of

    if label is not None and label not in names:
        raise click.BadParameter(f"no class is called {label!r}; there is {one_of(names)}", param_hint="--label")
    samples = [sample for path in paths for _, sample in read_inputs(Path(path), network.preprocessing, invert)]
    images = np.stack(samples)
    predicted = class_probabilities(network.predict(images)).argmax(axis=-1)
    return _with_probabilities(
        network, images, predicted if label is None else np.full(len(images), names.index(label))
    )


def _with_probabilities(network: "Network", images: "np.ndarray", labels: "np.ndarray") -> _Chosen:
    from nnspec.runtime.infer.evaluation import class_probabilities

    probabilities = class_probabilities(network.predict(images))
    return _Chosen(images, labels, probabilities[range(len(labels)), labels])


def _keep(
    network: "Network",
    names: list[str],
    chosen: _Chosen,
    maps: "np.ndarray",
    folder: Path,
    window: Size,
    stride: Size,
    baseline: tuple[float | str, Any],
    per_class: int,
) -> Iterator[str]:
    """Write the arrays and each page of the picture, and yield the path of each file once it is written."""
    import numpy as np

    from nnspec.runtime.views import PICTURES
    from nnspec.runtime.views.occlusion import page_count

    stem = f"occlusion-{window[0]}x{window[1]}"
    arrays = folder / f"{stem}.npz"
    with translate_write_errors(arrays):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez(
            arrays, maps=maps, classes=names, window=window, stride=stride, baseline=baseline[1], **chosen._asdict()
        )
    yield str(arrays)
    words = "the mean" if baseline[0] == "mean" else baseline[1]
    for page in range(page_count(chosen.labels)):
        figure = PICTURES["occlusion"](
            chosen.images, maps, chosen.labels, names, chosen.probabilities, window=window, stride=stride,
            baseline=words, per_class=per_class, page_number=page, title=f"Where {network.spec.title} looks",
        )  # fmt: skip
        yield save_picture(figure, folder / (f"{stem}.png" if page == 0 else f"{stem}-{page + 1}.png"), quiet=True)
