"""nnspec plot predictions: draw a series and its predictions, or images and theirs."""

from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import data_options
from nnspec.cli.pictures import picture_arguments, save_pictures


@click.command(
    cls=Verb,
    short_help="Draw truth and prediction over time, or of images.",
    examples=("nnspec plot predictions runs/sine_rnn", "nnspec plot predictions runs/sine_rnn --split validation"),
)
@picture_arguments
@data_options
def command(
    checkpoints: tuple[str, ...], out: Path | None, style: str, as_json: bool, data: str | None, split: str | None
) -> None:
    """Draw truth and prediction over time, and a forecast in which the network reads its own output.

    For networks that predict later numbers of a series: data sine, or a table with window=. Several columns have a
    panel each; a column of dates is the axis. Of several quantiles the one nearest the median is drawn as a line, and
    a band reaches from the lowest to the highest.

    Of a network that ends in an image, such as specs/unet_strokes.nnspec, the first samples are drawn: input, truth and
    prediction side by side.
    """
    save_pictures("predictions", checkpoints, out, style, as_json, (data, split))
