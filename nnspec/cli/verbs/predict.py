"""nnspec predict: predict classes or values of samples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nnspec.cli.command import Section, Verb
from nnspec.cli.format import format_table
from nnspec.cli.options import json_flag
from nnspec.cli.output import print_error, print_json, print_result, print_warning
from nnspec.cli.standard_input import inputs_as_files

if TYPE_CHECKING:
    from nnspec.runtime.data import Preprocessing
    from nnspec.runtime.infer.network import Network

_SHOWN = 3  # classes of a sample that are printed


@click.command(
    cls=Verb,
    section=Section.ANSWERS,
    examples=(
        "nnspec predict runs/quickstart seven.png",
        "nnspec predict runs/quickstart/best.h5 photo.jpg --invert",
        "nnspec predict runs/flowers garden/ --json",
        "nnspec predict runs/iris flowers.csv --json",
        "nnspec predict runs/unet_strokes seven.png --out strokes",
    ),
)
@click.argument("checkpoint", metavar="CHECKPOINT")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "--invert",
    is_flag=True,
    help="Swap light and dark in pictures, as MNIST needs for dark ink.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where to write the images that a network predicts: a .png, and numbers as .npy.",
)
@json_flag
def command(checkpoint: str, inputs: tuple[str, ...], invert: bool, out: Path | None, as_json: bool) -> None:
    """Predict the class or the value of samples.

    CHECKPOINT is a file or a run's folder, which means its last.h5. An INPUT is a picture of any format and size, a
    folder of pictures, a .npy or .npz array, an IDX file, or a table as CSV, Parquet or JSON, whose columns are found
    by name. For each sample the three most probable classes are printed, or the value; --json prints the probabilities
    of all classes, in the order of "classes" ("scores" where the loss is one of scores, such as hinge). A network with
    an output at every step of a sequence predicts a class or a value for each. Of a network that ends in an image,
    --out writes the images, probabilities or classes from black to white.

    INPUT - is standard input. An input that cannot be read is reported, and the others are still predicted.
    """
    import numpy as np

    from nnspec.cli.checkpoint import class_names, ends_in_image, open_to_ask
    from nnspec.predictions import predicted_columns, predictions_of
    from nnspec.runtime.data import DataError, read_inputs
    from nnspec.runtime.data.inputs import input_files

    _, saved = open_to_ask(checkpoint)
    network, code = saved.network, 0
    images = ends_in_image(network.spec)
    if out is not None and not images:
        raise click.UsageError(f"--out writes images, and {network.spec.name} gives {network.spec.output_shape}")
    samples = []
    with inputs_as_files(inputs) as given:
        for path in (file for one in given.paths for file in input_files(one)):
            try:
                read = read_inputs(path, network.preprocessing, invert, print_warning)
                samples += [(given.label(label), sample) for label, sample in read]
            except DataError as error:
                code = max(code, print_error(error))
    outputs = np.empty((0,))
    if samples:
        raw = np.stack([sample for _, sample in samples])
        for unlike in network.preprocessing.unlike(raw, [label for label, _ in samples]):
            print_warning(unlike)
        outputs = network.predict(raw)
    labels = [label for label, _ in samples]
    found = predictions_of(network, outputs) if labels else []
    predictions = [{"input": label} | one for label, one in zip(labels, found, strict=True)]
    if images:
        _print_images(network, predictions, outputs, out, as_json)
        raise click.exceptions.Exit(code)
    if as_json:
        print_json(
            classes=class_names(network, steps=True), columns=predicted_columns(network), predictions=predictions
        )
    elif predictions:
        rows = [_row(prediction, network.preprocessing) for prediction in predictions]
        if (columns := predicted_columns(network)) is not None:
            rows = [("", *columns), *((label, *numbers.split()) for label, numbers in rows)]
        print_result(format_table(rows, indent=""))
    raise click.exceptions.Exit(code)


def _print_images(
    network: "Network", predictions: list[dict[str, Any]], outputs: Any, out: Path | None, as_json: bool
) -> None:
    """Write the predicted images to a folder, if one is given, and print a line for each."""
    from nnspec.cli.predicted_images import summary, written_images

    files = written_images(out, network, predictions, outputs) if out is not None else []
    if as_json:
        for prediction, file in zip(predictions, files, strict=False):
            prediction["file"] = file
        print_json(classes=None, columns=None, predictions=predictions)
    elif predictions:
        rows: list[tuple[str, ...]] = [
            (one["input"], summary(network, output), *files[number : number + 1])
            for number, (one, output) in enumerate(zip(predictions, outputs, strict=True))
        ]
        print_result(format_table(rows, indent=""))


def _row(prediction: dict[str, Any], preprocessing: "Preprocessing") -> tuple[str, ...]:
    if "value" in prediction:
        return prediction["input"], _numbers(prediction["value"])
    if isinstance(prediction["label"], list):
        return prediction["input"], " ".join(prediction["label"])
    scores = prediction.get("scores")
    given = prediction["probabilities"] if scores is None else scores
    ranked = sorted(enumerate(given), key=lambda pair: -pair[1])[:_SHOWN]
    shown = [f"{100 * value:.1f} %" if scores is None else f"{value:.4g}" for _, value in ranked]
    cells = [(preprocessing.class_name(number), text) for (number, _), text in zip(ranked, shown, strict=True)]
    return prediction["input"], *(text for cell in cells for text in cell)


def _numbers(value: Any) -> str:
    """Return a number, the numbers of one output, or those of every step, with commas between steps of several."""
    if not isinstance(value, list):
        return f"{value:.6g}"
    nested = any(isinstance(entry, list) for entry in value)
    return (", " if nested else " ").join(map(_numbers, value))
