"""nnspec plot weights: draw the weights of the first layer."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.command import Verb
from nnspec.cli.pictures import picture_arguments, save_pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nnspec.runtime.infer.network import Network
    from nnspec.spec_lang.check.spec import Node


@click.command(cls=Verb, examples=("nnspec plot weights runs/quickstart",))
@picture_arguments
def command(checkpoints: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Draw the weights of the first layer that has a matrix of them, as images; a recurrent layer's input weights."""
    from nnspec.runtime.views import PICTURES
    from nnspec.spec_lang.check.spec import INPUT
    from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent

    def draw(file: Path, network: "Network") -> "Figure":
        node, array = _first(network)
        title = f"Weights of {node.name}, {network.spec.title}"
        if isinstance(node.layer, Recurrent):
            title = f"{array} of {node.name}, {network.spec.title}"
        weights = network.parameters[f"{node.name}/{array}"]
        image = node.input_shape.as_image() if node.layer.flattens(node.input_shape) else None
        blocks = node.layer.gate_names if isinstance(node.layer, Recurrent) else ()
        names = network.preprocessing.features or () if node.inputs == (INPUT,) else ()
        return PICTURES["weights"](weights, image, title, blocks, names)

    save_pictures("weights", checkpoints, out, draw, as_json)


def _first(network: "Network") -> "tuple[Node, str]":
    """Return the first layer with a matrix of weights, and the name of that array."""
    from nnspec.runtime.views import PictureError

    for node in network.spec.nodes:
        for name, parameter in node.layer.parameters(node.input_shape).items():
            if len(parameter.shape) > 1:
                return node, name
    raise PictureError("the network has no layer with a matrix of weights")
