"""The weights of the first layer that has a matrix of them, which show what a network has learnt to look for."""

from dataclasses import dataclass

from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.spec import Node
from nnspec.spec_lang.vocabulary.shape import Shape


@dataclass(frozen=True)
class FirstWeights:
    """The layer, the name of its array, and the shape of the image that each unit looks at.

    `image` is (height, width, channels) where a dense layer flattens an image, else None.
    """

    node: Node
    array: str
    image: Shape | None

    @property
    def name(self) -> str:
        """The name of the array among the network's parameters."""
        return f"{self.node.name}/{self.array}"


def first_weights(network: Network) -> FirstWeights | None:
    """Return where the weights are, None where no layer has a matrix of them."""
    for node in network.spec.nodes:
        for name, parameter in node.layer.parameters(node.input_shape).items():
            if len(parameter.shape) > 1:
                flattens = node.layer.flattens(node.input_shape)
                return FirstWeights(node, name, node.input_shape.as_image() if flattens else None)
    return None
