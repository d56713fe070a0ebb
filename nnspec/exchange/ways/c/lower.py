"""A network → a program of C kernels in float32: preprocessing, the nodes of the graph, the head, units of targets."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.ways.c.folding import folded
from nnspec.exchange.ways.c.layers import C_LAYERS
from nnspec.exchange.ways.c.program import Program, Room, Site
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import GraphNode, reads_symbols
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.infer.network import Network
from nnspec.runtime.layers import same_for_any_length
from nnspec.spec_lang.check.canonical_text import written
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.bases import Layer

UNPADDED = ("avgpool", "crop", "groupnorm", "instancenorm", "maxpool", "pad", "upsample")
"""Layers that nnspec computes over each sequence without its padded steps, and C over all of them."""

TARGETS = "the units of the targets"
"""The comment of the last step where targets are scaled."""


def lowered(network: Network, prefix: str = "") -> Program:
    """Return the program of a network in float32; the prefix begins the names of its constants.

    Raises ExchangeError, with the layer's name, for what is not computed in C.
    """
    check(network)
    return Lowering(network, Program(prefix)).program()


def check(network: Network) -> None:
    """Raise ExchangeError, with the layer's name, for a network that is not computed in C."""
    nodes = network.program.graph.nodes
    symbolic = reads_symbols(nodes)
    for node in nodes:
        word, shape = node.layer, node.input_shapes[0]
        if not any(cls in C_LAYERS for cls in type(word).__mro__):
            raise ExchangeError(f"{node.name}: {word.word} is not written in C yet")
        padded = symbolic and shape.sequence and word.mixes_steps and not word.skips_padding
        if padded and same_for_any_length(word, shape) and len(node.inputs) == 1:
            raise ExchangeError(
                f"{node.name}: {word.word} over symbols computes each sequence without its padding, and is not written "
                "in C for that\n  help: write conv, a recurrent layer, attention or globalmaxpool in its place"
            )


def arrays_of(network: Network) -> dict[str, Mapping[str, Array]]:
    """Return the arrays of every node by its name, with those that it takes from others."""
    parameters, buffers = network.parameter_arena, network.buffer_arena
    nodes = network.program.graph.nodes
    return {node.name: {**parameters.of(node.name, node.ties), **buffers.of(node.name)} for node in nodes}


def sentence(node: GraphNode) -> str:
    """Return the comment of a node: its name, its line in a spec, and its shapes."""
    return layer_sentence(node.name, node.layer, " and ".join(map(str, node.input_shapes)), str(node.output_shape))


def layer_sentence(name: str, layer: Layer, given: str, made: str) -> str:
    """Return the comment of a layer."""
    line = written(layer) if layer.kind != "merge" else layer.word
    return f"{name}: {line}, {given} -> {made}"


class Lowering:
    """A program that is being made, node by node."""

    def __init__(self, network: Network, made: Program):
        self.network = network
        self.graph = network.program.graph
        self.made = made
        self.values: dict[str, Room] = {}
        self.readers = Counter(name for node in self.graph.nodes for name in node.inputs)
        symbolic = reads_symbols(self.graph.nodes)
        self.gone: frozenset[str] = frozenset()
        self.symbolic, self.strided = symbolic, padding_after_strides(self.graph.nodes) if symbolic else {}

    def program(self) -> Program:
        """Return the program."""
        last = self.graph.nodes[-1].name if self.graph.nodes else INPUT
        self.readers[last] += 1
        arrays, self.gone = folded(self.graph.nodes, arrays_of(self.network))
        self.begin()
        for node in self.graph.nodes:
            y = self.values[node.inputs[0]] if node.name in self.gone else self.computed(node, arrays[node.name])
            self.values[node.name] = y
            self.made.remaining[y] += self.readers[node.name]
            for name in node.inputs:
                self.made.remaining[self.values[name]] -= 1
        self._end(self.as_float(last))
        return self.made

    def begin(self) -> None:
        """Normalize the samples."""
        self.values[INPUT] = self.normalized(self.raw())
        self.made.remaining[self.values[INPUT]] += self.readers[INPUT]

    def raw(self) -> Room:
        """Return the argument of the function."""
        return Room("input", self.graph.input_shape.size, place="input")

    def normalized(self, raw: Room) -> Room:
        """Return the samples as the network sees them."""
        made, fitted = self.made, self.network.preprocessing
        if fitted.normalize == "none":
            return raw
        y = made.room("samples", raw.size)
        made.comment(f"normalize={fitted.normalize}")
        made.call("normalize", raw, *self.normalization(), y, raw.size, fitted.shift.size)
        return y

    def normalization(self) -> tuple[str, str]:
        """Return the constants of the normalization."""
        fitted = self.network.preprocessing
        return self.made.constant("input_shift", fitted.shift), self.made.constant("input_scale", fitted.scale)

    def as_float(self, name: str) -> Room:
        """Return the value of a node in float32."""
        return self.values[name]

    def computed(self, node: GraphNode, arrays: Mapping[str, Array]) -> Room:
        """Return the output of a node in float32."""
        xs = [self.as_float(name) for name in node.inputs]
        self.made.comment(sentence(node))
        shapes, real = node.input_shapes, self.real(node)
        site = Site(self.made, node.name, xs, shapes, node.output_shape, arrays, real)
        return C_LAYERS[type(node.layer)](node.layer, site)

    def real(self, node: GraphNode) -> str | None:
        """Return the expression of the steps of a node's input that are not padding; None where all are."""
        shape = node.input_shapes[0]
        if not self.symbolic or not node.layer.skips_padding or len(shape) < 1:
            return None
        behind = "padding"
        if node.name in self.strided:
            table = self.made.constant(f"{node.name}_padding", self.strided[node.name].astype(np.int16))
            behind = f"{table}[padding]"
        return f"{shape[0]} - {behind}"

    def _end(self, y: Room) -> None:
        """Apply the head, return to the units of the targets, and write to the output."""
        made, network, shape = self.made, self.network, self.graph.output_shape
        if self.graph.head is not None:
            given = str(shape)
            made.comment(layer_sentence("the end", self.graph.head, given, given))
            site = Site(made, "end", [y], [shape], shape, {}, None)
            head = C_LAYERS[type(self.graph.head)](self.graph.head, site)
            if head is not y:
                made.remaining[head] += 1
            y = head
        scaling = network.preprocessing.target_scaling
        if scaling is not None:
            constants = [np.repeat(numbers, network.spec.loss.answers) for numbers in (scaling.scale, scaling.shift)]
            names = made.constant("target_scale", constants[0]), made.constant("target_shift", constants[1])
            scaled = y if y.place == "arena" and made.remaining[y] == 1 else made.room("answers", y.size)
            made.comment(TARGETS)
            made.call("scale_shift", y, *names, scaled, y.size, constants[0].size)
            y = scaled
        if y.place == "input":
            answers = made.room("answers", y.size)
            made.comment("as they are")
            made.call("memcpy", answers, y, f"{y.size} * sizeof(float)")
            y = answers
        y.place = "output"
