"""nnspec plot confusion: what is taken for what."""

from pathlib import Path

import click

from nnspec.cli._command import Verb
from nnspec.cli._options import samples
from nnspec.cli._pictures import keep, picture_arguments, single


@click.command(
    cls=Verb,
    examples=("nnspec plot confusion runs/quickstart", "nnspec plot confusion runs/quickstart --split validation"),
)
@picture_arguments
@samples
def command(checkpoints: tuple[str, ...], out: Path | None, data: str | None, split: str | None) -> None:
    """Draw how often each class is taken for each class."""
    from nnspec.cli._checkpoint import chosen_split, class_names, opened, pictures_beside
    from nnspec.runtime.infer.evaluation import confusion_of
    from nnspec.runtime.views import PICTURES, PictureError

    single(checkpoints, out)
    for checkpoint in checkpoints:
        file, saved = opened(checkpoint)
        network = saved.network
        names = class_names(network)
        if names is None:
            raise PictureError(f"{file} does not tell classes apart, so there is nothing to confuse")
        name, found, chosen = chosen_split(network, data, split)
        counts = confusion_of(network, chosen)
        title = f"{network.spec.name} on {found.name}, {name}"
        keep(PICTURES["confusion"](counts, names, title), out or pictures_beside(file) / "confusion.png")
