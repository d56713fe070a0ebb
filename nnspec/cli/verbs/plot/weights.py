"""nnspec plot weights: draw the weights of the first layer."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.pictures import picture_arguments, save_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.infer.network import Network


@click.command(cls=Verb, examples=("nnspec plot weights runs/quickstart",))
@picture_arguments
def command(checkpoints: tuple[str, ...], out: Path | None) -> None:
    """Draw the weights of the first layer that has weights, as images."""
    from nnspec.runtime.views import PICTURES

    def draw(file: Path, network: "Network") -> "Figure":
        name, image = _first(network)
        title = f"Weights of {name}, {network.spec.name}"
        return PICTURES["weights"](network.parameters[f"{name}/weight"], image, title)

    save_pictures("weights", checkpoints, out, draw)


def _first(network: "Network") -> tuple[str, tuple[int, ...] | None]:
    """Return the first layer with weights, and the image shape of its input if it is an image."""
    from nnspec.runtime.views import PictureError

    for node in network.spec.nodes:
        if "weight" in node.layer.parameters(node.input_shape):
            image = node.input_shape.as_image()
            return node.name, tuple(image) if image is not None else None
    raise PictureError("the network has no layer with weights")
