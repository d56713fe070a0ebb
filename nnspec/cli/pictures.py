"""Options of the verbs that draw pictures, and writing the pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from nnspec.cli.options import json_flag
from nnspec.cli.output import print_json, print_result, translate_write_errors
from nnspec.runtime.views import STYLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

F = TypeVar("F", bound=Callable[..., object])


style_option = click.option(
    "--style",
    type=click.Choice(STYLES),
    default=STYLES[0],
    show_default=True,
    help="Colours and fonts: for a white or a black screen, or for print.",
)
out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="The file to write: .png, .svg or .pdf."
)


def picture_arguments(function: F) -> F:
    """Add RUN_OR_CHECKPOINT..., --out, --style and --json."""
    function = out_option(style_option(json_flag(function)))
    return click.argument("checkpoints", metavar="RUN_OR_CHECKPOINT...", nargs=-1, required=True)(function)


def save_pictures(
    name: str,
    checkpoints: tuple[str, ...],
    out: Path | None,
    style: str,
    as_json: bool,
    samples: tuple[str | None, str | None] | None = None,
    sample: int = 0,
) -> None:
    """Draw the pictures of each checkpoint and write them to pictures/NAME.png next to the checkpoint, or to `out`.

    `samples` is what --data and --split say, None for a picture that needs none; `sample` is one of them. Prints the
    paths. Raises UsageError if `out` is given for several checkpoints.
    """
    from nnspec.cli.checkpoint import chosen_split, open_checkpoint, pictures_folder
    from nnspec.runtime.views import in_style
    from nnspec.runtime.views.figures import FIGURES, Subject

    if out is not None and len(checkpoints) > 1:
        raise click.UsageError("--out names one picture, and each checkpoint has its own: give one checkpoint")
    written = []
    for checkpoint in checkpoints:
        file, saved = open_checkpoint(checkpoint)
        subject = Subject.of(saved)
        if samples is not None:
            split, found, _ = chosen_split(saved.network, *samples)
            subject = Subject.of(saved, found, split, sample)
        with in_style(style):
            drawn = FIGURES[name](subject)
        path = out or pictures_folder(file) / f"{name}.png"
        written += [save_picture(figure, paged(path, number), as_json) for number, figure in enumerate(drawn)]
    if as_json:
        print_json(pictures=written)


def paged(path: Path, number: int) -> Path:
    """Return the path of a page, counted from 0: NAME.png, NAME-2.png, and so on."""
    return path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")


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
