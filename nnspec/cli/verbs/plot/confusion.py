"""nnspec plot confusion: draw the confusion matrix."""

from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import data_options
from nnspec.cli.pictures import picture_arguments, save_pictures


@click.command(
    cls=Verb,
    short_help="Draw the confusion matrix.",
    examples=("nnspec plot confusion runs/quickstart", "nnspec plot confusion runs/quickstart --split validation"),
)
@picture_arguments
@data_options
def command(
    checkpoints: tuple[str, ...], out: Path | None, style: str, as_json: bool, data: str | None, split: str | None
) -> None:
    """Draw the confusion matrix: how often each class is predicted for each class.

    Where a network predicts a class for each pixel or step, pixels or steps are counted.
    """
    save_pictures("confusion", checkpoints, out, style, as_json, (data, split))
