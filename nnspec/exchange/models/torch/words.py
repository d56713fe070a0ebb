"""The classes of modules of PyTorch that the language has lines for, and how their arguments are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.exchange.models.page import Draft

CONTAINERS = ("Sequential",)


@dataclass(frozen=True)
class Leaf:
    """A module without modules in it: its path in the model, its class, and what its arguments are, by name."""

    path: str
    kind: str
    given: Any

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument; of an array whether it is there."""
        found = self.given.get(name, default) if isinstance(self.given, Mapping) else getattr(self.given, name, default)
        if name == "bias":
            return found is not None and found is not False
        return found

    @property
    def from_text(self) -> bool:
        """Whether its arguments are those that a printed model shows."""
        return isinstance(self.given, Mapping)


Module = Callable[[Leaf, Draft], list[str]]
MODULES: dict[str, Module] = {}


class CannotSay(Exception):
    """What the language lacks for a module, in words."""


def module(*names: str) -> Callable[[Module], Module]:
    """Register a function for classes of modules."""

    def register(function: Module) -> Module:
        MODULES.update(dict.fromkeys(names, function))
        return function

    return register


INSTEAD = {
    **dict.fromkeys(
        ("LSTM", "GRU", "RNN"),
        "it returns a pair, outputs and state, which no next module takes: write lstm 20 return=sequence, gru or rnn",
    ),
    "LogSoftmax": "the language has softmax; loss cross_entropy takes its logarithm",
    "Dropout1d": "the language drops single numbers: nn.Dropout",
    "Dropout2d": "the language drops single numbers: nn.Dropout",
    "AlphaDropout": "the language has no alpha dropout",
    "ReLU6": "the language has relu, without an upper bound",
    "Hardswish": "the language has silu, which is smooth",
    "Hardsigmoid": "the language has sigmoid, which is smooth",
    "MultiheadAttention": "it takes three inputs and returns a pair: write attention HEADS",
    "TransformerEncoderLayer": "write it as a block: attention, layernorm, dense, and skip",
}
