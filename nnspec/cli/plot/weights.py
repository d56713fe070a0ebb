"""nnspec plot weights: draw the weights of the first layer."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli._command import Verb
from nnspec.cli._pictures import picture_arguments, require_single_picture, save_picture

if TYPE_CHECKING:
    from nnspec.runtime.infer.network import Network


@click.command(cls=Verb, examples=("nnspec plot weights runs/quickstart",))
@picture_arguments
def command(checkpoints: tuple[str, ...], out: Path | None) -> None:
    """Draw the weights of the first layer that has weights, as images."""
    from nnspec.cli._checkpoint import open_checkpoint, pictures_folder
    from nnspec.runtime.views import PICTURES

    require_single_picture(checkpoints, out)
    for checkpoint in checkpoints:
        file, saved = open_checkpoint(checkpoint)
        name, image = _first(saved.network)
        title = f"Weights of {name}, {saved.network.spec.name}"
        figure = PICTURES["weights"](saved.network.parameters[f"{name}/weight"], image, title)
        save_picture(figure, out or pictures_folder(file) / "weights.png")


def _first(network: "Network") -> tuple[str, tuple[int, ...] | None]:
    """Return the first layer with weights, and the image shape of its input if it is an image."""
    from nnspec.runtime.views import PictureError

    for node in network.spec.nodes:
        if "weight" in node.layer.parameters(node.input_shape):
            image = node.input_shape.as_image()
            return node.name, tuple(image) if image is not None else None
    raise PictureError("the network has no layer with weights")
