"""The images that a verb explains, and the options that choose them: those of the data, or files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nnspec.cli.options import data_options, json_flag
from nnspec.cli.output import print_warning
from nnspec.cli.pictures import style_option

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.infer.network import Network

    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType

F = TypeVar("F", bound=Callable[..., object])
Size = tuple[int, int]


class SizeType(_Type):
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


class BaselineType(_Type):
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


@dataclass(frozen=True)
class Explained:
    """Raw images (image, …), the class of each, and its probability with nothing covered.

    `of_label` says what the labels are. `captions` are the names of files, None for samples of the data.
    """

    file: Path
    network: "Network"
    classes: tuple[str, ...]
    images: "np.ndarray"
    labels: "np.ndarray"
    probabilities: "np.ndarray"
    of_label: str
    captions: list[str] | None
    baseline: float | str
    fill: Any  # the baseline in the units of the images

    @property
    def baseline_in_words(self) -> str:
        """The baseline for a title."""
        return "the mean" if isinstance(self.baseline, str) else f"{self.baseline:g}"


def explaining(per_class: int) -> Callable[[F], F]:
    """Add CHECKPOINT, [IMAGE]... and the options that `explained` takes, --style, --format, --out and --json."""

    def decorate(function: F) -> F:
        for option in (
            json_flag,
            style_option,
            click.option(
                "--format",
                "suffix",
                type=click.Choice(("png", "svg", "pdf")),
                default="png",
                show_default=True,
                help="How the pictures are written.",
            ),
            click.option(
                "--out",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="The folder to write to.  [default: pictures/ in the run's folder]",
            ),
            data_options,
            click.option("--invert", is_flag=True, help="Swap light and dark in the images given."),
            click.option(
                "--label",
                metavar="CLASS",
                help="The class to explain for the images given, instead of the predicted one.",
            ),
            click.option(
                "--per-class",
                type=click.IntRange(1),
                default=per_class,
                show_default=True,
                metavar="N",
                help="Images of each class.",
            ),
            click.option(
                "--baseline",
                type=BaselineType(),
                default="0",
                show_default=True,
                metavar="0|mean",
                help="What stands for no pixel: a number, or the mean of the training images.",
            ),
            click.argument("images", metavar="[IMAGE]...", nargs=-1),
            click.argument("checkpoint", metavar="CHECKPOINT"),
        ):
            function = option(function)
        return function

    return decorate


def explained(
    checkpoint: str,
    images: tuple[str, ...],
    per_class: int,
    label: str | None,
    invert: bool,
    data: str | None,
    split: str | None,
    baseline: float | str,
) -> Explained:
    """Return what the options choose: images given as files, or the first right ones of each class.

    Raises UsageError, OcclusionError where the network does not classify images, DataError, NetworkError.
    """
    from nnspec.cli.checkpoint import classifies_images, open_to_ask
    from nnspec.runtime.explain.incremental import require_probabilities
    from nnspec.runtime.explain.occlusion import OcclusionError
    from nnspec.runtime.train.spec_and_data import training_mean

    if not images and (label is not None or invert):
        raise click.UsageError("--label and --invert apply to images given as files: name one")
    file, saved = open_to_ask(checkpoint)
    network = saved.network
    require_probabilities(network)
    classes = network.classes
    if classes is None or not classifies_images(network):
        shapes = f"it takes {network.spec.input} and gives {network.spec.output_shape}"
        raise OcclusionError(f"{file} is not a network that classifies images: {shapes}")
    if images:
        raw, labels, captions = _given(network, classes, images, label, invert)
        of_label = "predicted class" if label is None else "class asked for"
    else:
        raw, labels = _first(network, classes, data, split, per_class)
        of_label, captions = "true class", None
    fill: Any = training_mean(network, data) if baseline == "mean" else baseline
    probabilities = _probabilities(network, raw)[range(len(labels)), labels]
    return Explained(file, network, classes, raw, labels, probabilities, of_label, captions, baseline, fill)


def _first(
    network: "Network", classes: tuple[str, ...], data: str | None, split: str | None, per_class: int
) -> "tuple[np.ndarray, np.ndarray]":
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
    none = sorted(set(range(len(classes))) - set(labels.tolist()))
    if none:
        missing = ", ".join(classes[label] for label in none)
        print_warning(f"no sample of {missing} is classified correctly, so these classes are left out")
    return chosen.inputs[places], labels


def _given(
    network: "Network", classes: tuple[str, ...], paths: tuple[str, ...], label: str | None, invert: bool
) -> "tuple[np.ndarray, np.ndarray, list[str]]":
    """Return the images of files, each with its predicted class, or the class of --label, and the name of its file."""
    import numpy as np

    from nnspec.runtime.data import read_inputs

    asked_for = None if label is None else class_number(label, classes)
    found = [read for path in paths for read in read_inputs(Path(path), network.preprocessing, invert)]
    images = np.stack([sample for _, sample in found])
    predicted = _probabilities(network, images).argmax(axis=-1)
    labels = predicted if asked_for is None else np.full(len(images), asked_for)
    return images, labels, [_short(name) for name, _ in found]


def class_number(label: str, classes: Sequence[str]) -> int:
    """Return the number of the class that --label names. Raises BadParameter with the classes that there are."""
    from nnspec.spec_lang.report.diagnostics import one_of

    if label not in classes:
        raise click.BadParameter(f"no class is called {label!r}; there is {one_of(classes)}", param_hint="--label")
    return classes.index(label)


def _short(name: str) -> str:
    """Return the name of an input without its folders."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def _probabilities(network: "Network", images: "np.ndarray") -> "np.ndarray":
    from nnspec.runtime.infer.evaluation import class_probabilities

    return class_probabilities(network.predict(images))
