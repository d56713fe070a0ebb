"""One forward and one backward pass of a single sample, with the numbers at every layer."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.execute.blas import fixed_threads
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.canonical_text import in_short
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.bases import Layer


@dataclass(frozen=True)
class Stage:
    """A layer, the input or the head, for one sample.

    `output` is what it computes, `gradient` the slope of the loss with respect to that, both (*shape) without the
    batch; `parameters` are its arrays, each with its gradient. A gradient is None where there is none: without a
    target, of symbols, and of a head, whose slope is counted with the loss.
    """

    name: str
    text: str
    inputs: tuple[str, ...]
    output: Array
    gradient: Array | None
    parameters: dict[str, tuple[Array, Array | None]]


@dataclass(frozen=True)
class Trace:
    """The stages in order, from the input to the head, and the loss, None without a target."""

    stages: tuple[Stage, ...]
    loss: float | None


def trace(network: Network, sample: Array, target: Array | None = None) -> Trace:
    """Return what the network computes for one raw sample (*input shape), as in inference.

    With a `target`, as the loss takes it, also the loss and its gradients. Dropout does nothing, and batchnorm uses its
    running statistics; penalties of weights are left out.
    """
    batch = network.preprocessing.apply(np.asarray(sample)[None], network.dtype)
    program = network.program.with_own_buffers()
    with fixed_threads(1):
        if target is None:
            values = program.values(batch)
            last = network.spec.nodes[-1].name if network.spec.nodes else INPUT
            return Trace(tuple(_stages(network, values, program.with_head(values[last]), {}, {})), None)
        outputs = np.broadcast_to(network.dtype.type(0), (1, *(network.spec.output_shape or ())))
        found = program.passes(batch, network.scaled_targets(np.asarray(target)[None], outputs))
    return Trace(tuple(_stages(network, found.values, found.outputs, found.d_values, found.gradients)), found.loss)


def _stages(
    network: Network, values: dict[str, Array], outputs: Array, slopes: dict[str, Array], gradients: dict[str, Array]
) -> Iterator[Stage]:
    def slope(name: str) -> Array | None:
        return slopes[name][0] if name in slopes and slopes[name].dtype.kind == "f" else None

    yield Stage(INPUT, f"input {network.spec.input}", (), values[INPUT][0], slope(INPUT), {})
    for node in network.programs.graph.nodes:
        own = {
            name.removeprefix(f"{node.name}/"): (array, gradients.get(name))
            for name, array in network.parameter_arena.items()
            if name.startswith(f"{node.name}/")
        }
        yield Stage(node.name, _own_text(node.layer), tuple(node.inputs), values[node.name][0], slope(node.name), own)
    if network.programs.graph.head is not None:
        last = network.programs.graph.nodes[-1].name if network.programs.graph.nodes else INPUT
        yield Stage("head", network.programs.graph.head.word, (last,), outputs[0], None, {})


def _own_text(layer: Layer) -> str:
    """Return a layer as it is written, without its activation, which is a stage of its own."""
    words = in_short(layer).split(" ")
    for activation in layer.activations():
        words.remove(activation.word)
    return " ".join(words)
