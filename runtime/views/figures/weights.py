"""The weights of the first layer."""

from matplotlib.figure import Figure

from nnspec.runtime.infer.network import Network
from nnspec.runtime.views import PICTURES, PictureError
from nnspec.runtime.views.figures import Subject, figures
from nnspec.spec_lang.check.spec import INPUT, Node
from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent

_SEEN = {" ": "␣ space", "\n": "↵ end of line", "\t": "⇥ tab"}
"""What letters that cannot be seen are called."""


@figures("weights")
def weights(subject: Subject) -> list[Figure]:
    """Draw the weights of the first layer that has a matrix of them. Raises PictureError where none has."""
    network = subject.network
    node, array = _first(network)
    title = f"Weights of {node.name}, {subject.title}"
    if isinstance(node.layer, Recurrent):
        title = f"{array} of {node.name}, {subject.title}"
    values = network.parameters[f"{node.name}/{array}"]
    image = node.input_shape.as_image() if node.layer.flattens(node.input_shape) else None
    blocks = node.layer.gate_names if isinstance(node.layer, Recurrent) else ()
    names = _names(network, node)
    return [PICTURES["weights"](values, image, title, blocks, names)]


def _names(network: Network, node: Node) -> tuple[str, ...]:
    """Return the names of a layer's inputs: the columns of a table, the letters of a text; else none."""
    preprocessing = network.preprocessing
    by_name = {each.name: each for each in network.spec.nodes}
    reads = node.inputs == (INPUT,) or (
        len(node.inputs) == 1
        and (before := by_name.get(node.inputs[0])) is not None
        and before.inputs == (INPUT,)
        and before.layer.vocabulary(before.input_shape) is not None
        and not before.parameters()
    )  # fmt: skip
    if not reads:
        return ()
    if preprocessing.vocabulary is not None:
        return tuple(_SEEN.get(letter, letter) for letter in preprocessing.vocabulary)
    return preprocessing.features or () if node.inputs == (INPUT,) else ()


def _first(network: Network) -> tuple[Node, str]:
    """Return the first layer with a matrix of weights, and the name of that array."""
    for node in network.spec.nodes:
        for name, parameter in node.layer.parameters(node.input_shape).items():
            if len(parameter.shape) > 1:
                return node, name
    raise PictureError("the network has no layer with a matrix of weights")
