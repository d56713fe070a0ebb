"""What layers over the steps of texts share."""

from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.torch.writing import Writer
from nnspec.runtime.compiler.graph import GraphNode


def refuse_texts(word: Any, node: GraphNode, w: Writer) -> None:
    """Raise ExchangeError for a layer that nnspec computes for each sequence of symbols without its padding."""
    if w.symbolic and node.input_shapes[0].sequence:
        raise ExchangeError(
            f"{node.name}: {word.word} over texts of different lengths has no counterpart in PyTorch, which has no "
            "padding of steps; globalavgpool, globalmaxpool, attention and recurrent layers go"
        )


def masked(node: GraphNode, w: Writer) -> str:
    real = w.real(node)
    return "" if real is None else f", {real}"
