"""nnspec plot confusion: draw the confusion matrix."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.options import data_options
from nnspec.cli.pictures import picture_arguments, save_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.infer.network import Network


@click.command(
    cls=Verb,
    short_help="Draw the confusion matrix.",
    examples=("nnspec plot confusion runs/quickstart", "nnspec plot confusion runs/quickstart --split validation"),
)
@picture_arguments
@data_options
def command(checkpoints: tuple[str, ...], out: Path | None, as_json: bool, data: str | None, split: str | None) -> None:
    """Draw the confusion matrix: how often each class is predicted for each class."""
    from nnspec.cli.checkpoint import chosen_split, class_names
    from nnspec.runtime.infer.evaluation import confusion_matrix
    from nnspec.runtime.views import PICTURES, PictureError

    def draw(file: Path, network: "Network") -> "Figure":
        names = class_names(network)
        if names is None:
            raise PictureError(f"{file} is not a classifier, so it has no confusion matrix")
        name, found, chosen = chosen_split(network, data, split)
        title = f"{network.spec.title} on {found.name}, {name}"
        return PICTURES["confusion"](confusion_matrix(network, chosen), names, title)

    save_pictures("confusion", checkpoints, out, draw, as_json)
