"""The networks of the workloads, layer by layer, as every peer builds them from one text.

It is the language's own text, but for `res N`, the block of two convolutions and a skip of specs/mnist_resnet.nnspec.
Only the few layers that the workloads have are known.
"""

from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

Kind = Literal["dense", "conv", "maxpool", "onehot", "rnn", "batchnorm", "relu", "add", "globalavgpool"]

BLOCK = (
    "conv 3x3 x{0} pad=same bias=no -> batchnorm -> relu -> conv 3x3 x{0} pad=same bias=no -> batchnorm -> add -> relu"
)
"""The layers of `res`: `add` adds what the block was given."""


@dataclass(frozen=True)
class Layer:
    """A layer as peers need it, with the shapes of one sample: (height, width, channels), (features,), or of a text
    (time,) and (time, features)."""

    kind: Kind
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    window: int = 0
    relu: bool = False
    bias: bool = True
    same: bool = False

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """(in, out) of a dense layer, for which an image is flattened; (height, width, in, out) of a convolution;
        (channels,) of a normalization."""
        if self.kind == "batchnorm":
            return self.inputs[-1:]
        if self.kind in ("dense", "rnn"):
            inputs = self.inputs[-1] if len(self.inputs) == 2 else prod(self.inputs)
            return (inputs, self.outputs[-1])
        return (self.window, self.window, self.inputs[-1], self.outputs[-1])

    @property
    def flops(self) -> int:
        """Operations of one sample's forward product, a multiplication and an addition each.

        Layers without a product count none, and of a recurrent layer only what the state is multiplied with: its input
        is looked up.
        """
        places = prod(self.outputs[:-1])  # 1 for a dense layer of a flat sample
        match self.kind:
            case "dense" | "conv":
                return 2 * places * prod(self.weight_shape)
            case "rnn":
                return 2 * places * self.outputs[-1] ** 2
        return 0


def read_layers(network: str, shape: tuple[int, ...]) -> tuple[Layer, ...]:
    """Return the layers of a text over samples of this shape. Raises ValueError for a layer that no peer knows."""
    return _read(network, shape, "")


def _read(network: str, shape: tuple[int, ...], inside: str) -> tuple[Layer, ...]:
    made: list[Layer] = []
    counts: dict[str, int] = {}
    for text in network.split("->"):
        kind, *arguments = text.split()
        counts[kind] = counts.get(kind, 0) + 1
        name = f"{inside}{kind}{counts[kind]}"
        made += (
            _read(BLOCK.format(*arguments), shape, f"{name}/")
            if kind == "res"
            else [_layer(name, kind, arguments, shape)]
        )
        shape = made[-1].outputs
    return tuple(made)


def _layer(name: str, kind: str, arguments: list[str], shape: tuple[int, ...]) -> Layer:
    relu, bias, same = "relu" in arguments, "bias=no" not in arguments, "pad=same" in arguments
    window = int(arguments[0].split("x")[0]) if kind in ("conv", "maxpool") else 0
    match kind:
        case "dense" | "rnn":
            over = shape[:1] if len(shape) == 2 else ()  # every step of a sequence
            return Layer(kind, name, shape, (*over, int(arguments[0])), relu=relu, bias=bias)
        case "onehot":
            return Layer("onehot", name, shape, (*shape, int(arguments[0].removeprefix("vocab="))))
        case "conv":
            lost = 0 if same else window - 1
            outputs = (shape[0] - lost, shape[1] - lost, int(arguments[1][1:]))
            return Layer("conv", name, shape, outputs, window, relu, bias, same)
        case "maxpool":
            return Layer("maxpool", name, shape, (shape[0] // window, shape[1] // window, shape[2]), window)
        case "globalavgpool":
            return Layer("globalavgpool", name, shape, shape[-1:])
        case "batchnorm" | "relu" | "add":
            return Layer(kind, name, shape, shape)
    raise ValueError(f"no peer knows the layer {kind!r}; they know {', '.join(get_args(Kind))}")
