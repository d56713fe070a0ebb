"""How arrays of nnspec lie in modules of PyTorch."""

from nnspec.exchange.ways.torch.writing import Turn, Writer, same
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode


def turned(array: Array) -> Array:
    """(in, out) → (out, in)."""
    return array.T


def arrays_of(node: GraphNode, turn: Turn) -> dict[str, tuple[str, Turn]]:
    """Return the arrays of a module with a weight, and a bias where the layer has one."""
    turns = {"weight": ("weight", turn), "bias": ("bias", same)}
    return {name: turns[name] for name in node.layer.parameters(node.input_shapes[0]) if name in turns}


def tied_bias(node: GraphNode, w: Writer) -> str:
    """Return the bias of a layer whose weight is another one's: its own, or the other one's too, or None."""
    if "bias" in node.ties:
        return w.weight_of(node, "bias")
    has = node.layer.parameters(node.input_shapes[0])
    return w.parameter(node, "bias", has["bias"].shape) if "bias" in has else "None"
