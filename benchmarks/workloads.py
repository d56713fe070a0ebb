"""The workloads, each declared once: a network in the language, its optimizer, its batch. Every peer builds from that.

What a network means to a peer is read by `benchmarks.layers`. The samples are real digits out of the package, the first
weights come from a seed: all peers start from the same numbers, see the same batches in the same order, and must report
the same losses before anything is timed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import prod, sqrt
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.layers import Layer, read_layers

Array = NDArray[Any]
Kind = Literal["train", "first", "predict", "occlude", "epoch", "gemm"]
"""`first` is the first step of training in a process: it is not timed without one rewrite or another."""


DATA = Path(__file__).parents[1] / "runtime" / "data" / "sources"
SAMPLE, NAMES = DATA / "mnist_sample.npz", DATA / "dinos.txt"
CYCLE = 64
"""Different batches at most; then the first comes again. What works through many at once takes a whole cycle."""

DRAWN = 4096
"""Samples in all batches of a cycle together."""


@dataclass(frozen=True)
class Workload:
    """One thing to be timed.

    `goal` is how many times as fast as PyTorch nnspec is to be. A step is a batch trained, a batch predicted, `images`
    occluded at every place of a 3x3 window, or an epoch over `samples`. `file` is the spec that nnspec reads instead of
    the network, `augment` how each batch is changed at random, by all peers, when they are timed. The
    losses of the first `compared` steps must agree.
    """

    name: str
    kind: Kind
    network: str
    batch: int
    optimizer: str = ""
    goal: float | None = None
    side: int = 28  # of the square images
    steps: int = 0  # characters in a sample of text; 0 for images
    samples: int = 0
    file: str = ""
    augment: str = ""
    compared: int = 20

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The network, layer by layer; its softmax is left to the loss, or to the end of a prediction."""
        return read_layers(self.network, (self.steps,) if self.steps else (self.side, self.side, 1))

    @property
    def optimizer_name(self) -> str:
        """sgd, momentum or adam."""
        return self.optimizer.split()[0]

    def option(self, name: str, default: float = 0.0) -> float:
        """A number of the optimizer, such as lr or beta, or of the augmentation."""
        found = re.search(rf"\b{name}=(\S+)", f"{self.optimizer} {self.augment}")
        return float(found[1]) if found else default

    @property
    def cycle(self) -> int:
        """How many different batches there are."""
        return max(1, min(CYCLE, DRAWN // self.batch))

    @property
    def flops(self) -> int:
        """Operations of a step's products: three a layer in training, less what an image's first gradient would be."""
        forward = [layer.flops for layer in self.layers]
        if self.kind == "predict":
            return self.batch * sum(forward)
        if self.kind != "train":
            return 0
        first = 0 if self.steps else next(flops for flops in forward if flops)
        return self.batch * (3 * sum(forward) - first)

    def as_dict(self) -> dict[str, Any]:
        """What a line of JSON carries to a peer."""
        return dict(vars(self))


MLP = "dense 512 relu -> dense 10 softmax"
CNN = "conv 3x3 x8 bias=no -> maxpool 2 -> dense 10 softmax"
RNN = "onehot vocab=27 -> rnn 200 return=sequence -> dense 27 softmax"
RESIDUAL = (
    "conv 5x5 x16 bias=no -> maxpool 2 -> batchnorm -> relu -> res 16 -> res 16 "
    "-> conv 3x3 x32 pad=same bias=no -> maxpool 2 -> batchnorm -> relu -> res 32 -> res 32 "
    "-> globalavgpool -> dense 10 softmax"
)
"""Its losses are compared for two steps only. Each step of Adam is lr · m / √s, which the last bits of a gradient
near 0 decide: at the third loss PyTorch is 1.4e-3 from the same steps in float64, and nnspec 0.5e-3."""

SHIFTED = "shift=2 rotate=10 zoom=0.1"
DEEP_CNN = "conv 3x3 x32 relu -> conv 3x3 x64 relu -> maxpool 2 -> dense 128 relu -> dense 10 softmax"

OCCLUDED = 30
"""Images of W6."""

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("W1", "train", MLP, 1, "sgd lr=0.01", goal=12),
        Workload("W2", "train", MLP, 128, "adam lr=0.001", goal=1.05),
        Workload("W3-1", "train", CNN, 1, "momentum lr=0.001 beta=0.9", goal=6),
        Workload("W3-64", "train", CNN, 64, "momentum lr=0.05 beta=0.9", goal=3.5),
        Workload("W4", "train", DEEP_CNN, 64, "adam lr=0.001", goal=1),
        Workload("W5-1", "train", RNN, 1, "adam lr=0.001", goal=5.5, steps=25),
        Workload("W5-32", "train", RNN, 32, "adam lr=0.001", goal=2.6, steps=25),
        Workload("W6", "occlude", CNN, OCCLUDED, goal=22),
        Workload("W7-mlp-1", "predict", MLP, 1, goal=1.8),
        Workload("W7-mlp-256", "predict", MLP, 256, goal=0.95),
        Workload("W7-cnn-1", "predict", CNN, 1, goal=3),
        Workload("W7-cnn-256", "predict", CNN, 256, goal=2),
        Workload("W8", "epoch", MLP, 128, "adam lr=0.001", samples=60_000),
        Workload(
            "W9",
            "train",
            RESIDUAL,
            64,
            "adam lr=0.004",
            goal=1,
            file="specs/mnist_best.nnspec",
            augment=SHIFTED,
            compared=2,
        ),
        Workload("W10", "train", RESIDUAL, 64, "adam lr=0.004", goal=1, file="specs/mnist_resnet.nnspec", compared=2),
    )
}
"""Every workload by its name, in the order of the tables. W8 is also started afresh: see cold.py."""

GEMM = Workload("gemm", "gemm", "", 1024)
"""The product of two square matrices: what the machine can do at most."""


def chosen(names: list[str]) -> list[Workload]:
    """The workloads of these names, all for none; W3 means W3-1 and W3-64. Raises KeyError for an unknown name."""
    found = []
    for name in names or list(WORKLOADS):
        matching = [
            w
            for key, w in WORKLOADS.items()
            if key.lower() == name.lower() or key.lower().startswith(f"{name.lower()}-")
        ]
        if not matching:
            raise KeyError(name)
        found += [w for w in matching if w not in found]
    return found


def batches(workload: Workload) -> tuple[Array, Array]:
    """A cycle of batches: (cycle, batch, side, side, 1) float32 from 0 to 1, and their labels (cycle, batch) int64.

    Of text the symbols, (cycle, batch, time) int64, and the symbol after each.
    """
    if workload.steps:
        x, y = pieces(workload.cycle * workload.batch, workload.steps)
        text_shape = (workload.cycle, workload.batch, workload.steps)
        return x.reshape(text_shape), y.reshape(text_shape)
    x, y = raw(workload.cycle * workload.batch, workload.side)
    shape = (workload.cycle, workload.batch)
    return x.astype(np.float32).reshape(*shape, *x.shape[1:]) / np.float32(255), y.reshape(shape)


def raw(samples: int, side: int = 28) -> tuple[Array, Array]:
    """Digits as the package has them, (samples, side, side, 1) uint8, and their labels (samples,) int64.

    More than there are come again; another side shows them tiled and cut off.
    """
    x, y = _sample()
    which = np.arange(samples) % len(x)
    images = x[which]
    if side != images.shape[1]:
        times = -(-side // images.shape[1])
        images = np.tile(images, (1, times, times))[:, :side, :side]
    return np.ascontiguousarray(images[..., None]), y[which]


def pieces(samples: int, steps: int) -> tuple[Array, Array]:
    """Pieces of the text of names, (samples, time) int64 of 27 symbols, and the symbol after each."""
    text = names()
    symbols = np.searchsorted(np.array(sorted(set(text))), np.array(list(text)))
    starts = np.arange(samples) * 5 % (len(text) - steps)
    places = starts[:, None] + np.arange(steps)
    return symbols[places], symbols[places + 1]


def names() -> str:
    """The names that come with the package, as one text in small letters."""
    return NAMES.read_text(encoding="utf-8").lower()


@cache
def _sample() -> tuple[Array, Array]:
    with np.load(SAMPLE) as arrays:
        return arrays["x"], arrays["y"].astype(np.int64)


def weights(workload: Workload) -> Mapping[str, Array]:
    """First weights by the names that nnspec gives them: normal with deviation √(2 / inputs), √(1 / inputs) of a
    recurrent layer, biases of zero, normalizations that change nothing."""
    random = np.random.default_rng(7)
    made: dict[str, Array] = {}
    for layer in workload.layers:
        if layer.kind in ("maxpool", "onehot", "relu", "add", "globalavgpool"):
            continue
        shape = layer.weight_shape
        if layer.kind == "batchnorm":
            made |= {
                f"{layer.name}/weight": np.ones(shape, np.float32),
                f"{layer.name}/bias": np.zeros(shape, np.float32),
            }
            continue
        units = shape[-1]
        arrays = {"input_weight": shape, "hidden_weight": (units, units)} if layer.kind == "rnn" else {"weight": shape}
        for name, wanted in arrays.items():
            values = random.standard_normal(wanted) * sqrt((1 if layer.kind == "rnn" else 2) / prod(wanted[:-1]))
            made[f"{layer.name}/{name}"] = values.astype(np.float32)
        if layer.bias:
            made[f"{layer.name}/bias"] = np.zeros(shape[-1], np.float32)
    return made


def with_channels_first(layer: Layer, weight: Array) -> Array:
    """A dense weight with rows ordered as (channels, height, width), where nnspec has (height, width, channels)."""
    if len(layer.inputs) < 3:
        return weight
    return weight.reshape(*layer.inputs, -1).transpose(2, 0, 1, 3).reshape(weight.shape)


def varied(workload: Workload, **changes: Any) -> Workload:
    """The workload with something changed, named after the change."""
    named = " ".join(f"{key}={value}" for key, value in changes.items() if key != "network")
    return replace(workload, name=changes.pop("name", f"{workload.name} {named}"), **changes)
