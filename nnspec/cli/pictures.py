"""Options of the verbs that draw pictures, and writing the pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from nnspec.cli.output import print_result, translate_write_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.infer.network import Network

F = TypeVar("F", bound=Callable[..., object])


out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The file to write: .png, .svg or .pdf."
)


def picture_arguments(function: F) -> F:
    """Add RUN_OR_CHECKPOINT... and --out."""
    function = out_option(function)
    return click.argument("checkpoints", metavar="RUN_OR_CHECKPOINT...", nargs=-1, required=True)(function)


def save_pictures(
    name: str, checkpoints: tuple[str, ...], out: Path | None, draw: "Callable[[Path, Network], Figure]"
) -> None:
    """Draw a picture of each checkpoint and write it to pictures/NAME.png next to the checkpoint, or to `out`.

    Raises UsageError if `out` is given for several checkpoints.
    """
    from nnspec.cli.checkpoint import open_checkpoint, pictures_folder

    if out is not None and len(checkpoints) > 1:
        raise click.UsageError("--out names one picture, and each checkpoint has its own: give one checkpoint")
    for checkpoint in checkpoints:
        file, saved = open_checkpoint(checkpoint)
        save_picture(draw(file, saved.network), out or pictures_folder(file) / f"{name}.png")


def save_picture(figure: "Figure", path: Path) -> None:
    """Write a picture and print its path. Raises PictureError for an unknown suffix, UnwritableError."""
    from nnspec.runtime.views import save_figure

    with translate_write_errors(path):
        print_result(str(save_figure(figure, path)))
