"""nnspec plot confusion: draw the confusion matrix."""

from pathlib import Path

import click

from nnspec.cli._command import Verb
from nnspec.cli._options import data_options
from nnspec.cli._pictures import picture_arguments, require_single_picture, save_picture


@click.command(
    cls=Verb,
    short_help="Draw the confusion matrix.",
    examples=("nnspec plot confusion runs/quickstart", "nnspec plot confusion runs/quickstart --split validation"),
)
@picture_arguments
@data_options
def command(checkpoints: tuple[str, ...], out: Path | None, data: str | None, split: str | None) -> None:
    """Draw the confusion matrix: how often each class is predicted for each class."""
    from nnspec.cli._checkpoint import chosen_split, class_names, open_checkpoint, pictures_folder
    from nnspec.runtime.infer.evaluation import confusion_matrix
    from nnspec.runtime.views import PICTURES, PictureError

    require_single_picture(checkpoints, out)
    for checkpoint in checkpoints:
        file, saved = open_checkpoint(checkpoint)
        network = saved.network
        names = class_names(network)
        if names is None:
            raise PictureError(f"{file} is not a classifier, so it has no confusion matrix")
        name, found, chosen = chosen_split(network, data, split)
        counts = confusion_matrix(network, chosen)
        title = f"{network.spec.name} on {found.name}, {name}"
        save_picture(PICTURES["confusion"](counts, names, title), out or pictures_folder(file) / "confusion.png")
