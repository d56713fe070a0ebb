"""nnspec plot features: draw what each layer makes of a sample."""

from pathlib import Path

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import data_options
from nnspec.cli.pictures import picture_arguments, save_pictures


@click.command(
    cls=Verb,
    short_help="Draw what each layer makes of a sample.",
    examples=(
        "nnspec plot features runs/quickstart",
        "nnspec plot features runs/quickstart --split validation --sample 7",
    ),
)
@picture_arguments
@data_options
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="The sample of the split, from 0.",
)
def command(
    checkpoints: tuple[str, ...],
    out: Path | None,
    style: str,
    as_json: bool,
    data: str | None,
    split: str | None,
    sample: int,
) -> None:
    """Draw the output of each layer for one sample: the feature maps of convolutions, the numbers of other layers."""
    save_pictures("features", checkpoints, out, style, as_json, (data, split), sample)
