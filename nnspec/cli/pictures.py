"""Options of the verbs that draw pictures, and writing the pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result, translate_write_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.infer.network import Network

F = TypeVar("F", bound=Callable[..., object])


out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The file to write: .png, .svg or .pdf."
)


def picture_arguments(function: F) -> F:
    """Add RUN_OR_CHECKPOINT..., --out and --json."""
    function = out_option(json_flag(function))
    return click.argument("checkpoints", metavar="RUN_OR_CHECKPOINT...", nargs=-1, required=True)(function)


def save_pictures(
    name: str,
    checkpoints: tuple[str, ...],
    out: Path | None,
    draw: "Callable[[Path, Network], Figure]",
    as_json: bool,
) -> None:
    """Draw a picture of each checkpoint and write it to pictures/NAME.png next to the checkpoint, or to `out`.

    Prints the paths. Raises UsageError if `out` is given for several checkpoints.
    """
    from nnspec.cli.checkpoint import open_checkpoint, pictures_folder

    if out is not None and len(checkpoints) > 1:
        raise click.UsageError("--out names one picture, and each checkpoint has its own: give one checkpoint")
    written = []
    for checkpoint in checkpoints:
        file, saved = open_checkpoint(checkpoint)
        picture = draw(file, saved.network)
        written.append(save_picture(picture, out or pictures_folder(file) / f"{name}.png", as_json))
    if as_json:
        print_json(pictures=written)


def save_picture(figure: "Figure", path: Path, quiet: bool = False) -> str:
    """Write a picture, print its path unless `quiet`, and return it.

    Raises PictureError for an unknown suffix, UnwritableError.
    """
    from nnspec.runtime.views import save_figure

    with translate_write_errors(path):
        written = str(save_figure(figure, path))
    if not quiet:
        print_result(written)
    return written
