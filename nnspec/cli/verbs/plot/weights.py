"""nnspec plot weights: draw the weights of the first layer."""

from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.pictures import picture_arguments, save_pictures


@click.command(cls=Verb, examples=("nnspec plot weights runs/quickstart",))
@picture_arguments
def command(checkpoints: tuple[str, ...], out: Path | None, style: str, as_json: bool) -> None:
    """Draw the weights of the first layer that has a matrix of them, as images; a recurrent layer's input weights."""
    save_pictures("weights", checkpoints, out, style, as_json)
