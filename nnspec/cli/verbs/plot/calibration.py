"""nnspec plot calibration: draw how far the probabilities can be trusted."""

from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import data_options
from nnspec.cli.pictures import picture_arguments, save_pictures


@click.command(
    cls=Verb,
    short_help="Draw how far the probabilities can be trusted.",
    examples=("nnspec plot calibration runs/quickstart", "nnspec plot calibration runs/quickstart --split validation"),
)
@picture_arguments
@data_options
def command(
    checkpoints: tuple[str, ...], out: Path | None, style: str, as_json: bool, data: str | None, split: str | None
) -> None:
    """Draw how often a classifier is right against how sure it is, with the expected calibration error."""
    save_pictures("calibration", checkpoints, out, style, as_json, (data, split))
