"""The weights of the first layer."""

import numpy as np
from matplotlib.figure import Figure

from nnspec.runtime.arrays import Array
from nnspec.runtime.infer.first_weights import first_weights
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
    found = first_weights(network)
    if found is None:
        raise PictureError("the network has no layer with a matrix of weights")
    node, array = found.node, found.array
    title = f"Weights of {node.name}, {subject.title}"
    if isinstance(node.layer, Recurrent):
        title = f"{array} of {node.name}, {subject.title}"
    values = network.parameters[found.name]
    blocks = node.layer.gate_names if isinstance(node.layer, Recurrent) else ()
    names = _names(network, node)
    beside = subject.beside.parameters[found.name] if subject.beside is not None else None
    return [PICTURES["weights"](values, found.image, f"{title}{_finding(values, names)}", blocks, names, beside)]


def _finding(values: Array, names: tuple[str, ...]) -> str:
    """Return what one sees: the input with the largest weights, or how much smaller some filters or units are."""
    if not np.isfinite(values).all():
        return ""
    if len(names) == len(values) > 1 and values.ndim == 2:
        norms = np.linalg.norm(values, axis=1)
        return f": {names[int(norms.argmax())]} has the largest norm, {names[int(norms.argmin())]} the smallest"
    norms = np.linalg.norm(values.reshape(-1, values.shape[-1]), axis=0)
    if len(norms) < 2 or not norms.max():
        return ""
    thing, weak = ("unit" if values.ndim == 2 else "filter"), int((norms < norms.max() / 10).sum())
    if weak:
        return f": the norm of {weak} of {len(norms)} {thing}s is below a tenth of the largest"
    return f": the smallest {thing} has {norms.min() / norms.max():.2f} times the norm of the largest"


def _names(network: Network, node: Node) -> tuple[str, ...]:
    """Return the names of a layer's inputs: the columns of a table, the letters of a text; else none.

    Layers before it that keep the shape, such as dropout, keep the names.
    """
    preprocessing, by_name = network.preprocessing, {each.name: each for each in network.spec.nodes}
    letters = tuple(_SEEN.get(letter, letter) for letter in preprocessing.vocabulary or ())
    own = letters if node.layer.vocabulary(node.input_shape) is not None else preprocessing.features or ()
    while node.inputs != (INPUT,):
        before = by_name.get(node.inputs[0]) if len(node.inputs) == 1 else None
        if before is None:
            return ()
        if before.layer.vocabulary(before.input_shape) is not None:  # onehot: it has no weights of its own
            return letters
        if before.output_shape != before.input_shape:
            return ()
        node = before
    return own
