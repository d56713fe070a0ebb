"""Options of the verbs that draw pictures, and writing the pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from nnspec.cli._output import print_result, translate_write_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

F = TypeVar("F", bound=Callable[..., object])


out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The file to write: .png, .svg or .pdf."
)


def picture_arguments(function: F) -> F:
    """Add RUN_OR_CHECKPOINT... and --out."""
    function = out_option(function)
    return click.argument("checkpoints", metavar="RUN_OR_CHECKPOINT...", nargs=-1, required=True)(function)


def require_single_picture(checkpoints: tuple[str, ...], out: Path | None) -> None:
    """Raise UsageError if --out is given for several checkpoints, each with its own picture."""
    if out is not None and len(checkpoints) > 1:
        raise click.UsageError("--out names one picture, and each checkpoint has its own: give one checkpoint")


def save_picture(figure: "Figure", path: Path) -> None:
    """Write a picture and print its path. Raises PictureError for an unknown suffix, UnwritableError."""
    from nnspec.runtime.views import save

    with translate_write_errors(path):
        print_result(str(save(figure, path)))
