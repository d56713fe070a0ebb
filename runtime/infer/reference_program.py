"""The plain program of a graph, which calls the definition of each layer. Compiled programs are tested against it."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nnspec.runtime.arena import Arena
from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler.graph import Graph, GraphNode, array_of, frozen_arrays, reads_symbols
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.layers import Backward, MergeBackward, MergeForward, Mode, build, build_merge
from nnspec.runtime.losses import build_loss
from nnspec.runtime.symbol_steps import padding_of
from nnspec.spec_lang.check.spec import INPUT
from nnspec.spec_lang.vocabulary.losses import Loss

Pullback = Callable[[np.ndarray], dict[str, np.ndarray]]
Pull = Callable[[np.ndarray, Sequence[str]], tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]


class Passes(NamedTuple):
    """A forward and a backward pass: values of nodes and their gradients by name, INPUT among them.

    `outputs` are those after the head, `gradients` those of the parameters. A node that the loss does not depend on, or
    that is reached through symbols alone, has no gradient.
    """

    values: dict[str, np.ndarray]
    outputs: np.ndarray
    loss: float
    d_values: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]


class Program:
    """Forward, loss and backward of one network on its own arrays.

    `forward` returns the logits; `outputs` applies the head too. Batches are (batch, *input shape).
    """

    def __init__(self, graph: Graph, loss: Loss, parameters: Arena, buffers: Arena):
        self.graph = graph
        self._word = loss
        self.parameters = parameters
        self.buffers = buffers
        self._loss = build_loss(loss)
        self._forwards: dict[str, MergeForward] = {}
        for node in graph.nodes:
            arrays = {**parameters.of(node.name, node.ties), **buffers.of(node.name)}
            self._forwards[node.name] = _forward_of(node, arrays)
        self._symbolic = reads_symbols(graph.nodes)
        self._strided = padding_after_strides(graph.nodes) if self._symbolic else {}
        self._head = build(graph.head, graph.output_shape, {}) if graph.head is not None else None
        self._frozen = frozen_arrays(graph.nodes)
        penalized = [
            (array_of(node, name), *node.layer.penalty)
            for node in graph.nodes
            if any(node.layer.penalty)
            for name in node.layer.penalized
        ]
        self._penalties = [entry for entry in penalized if entry[0] not in self._frozen]

    def __reduce__(self) -> tuple[Any, ...]:
        return Program, (self.graph, self._word, self.parameters, self.buffers)

    def with_own_buffers(self) -> "Program":
        """Return the program on a copy of the buffers, which a training step changes."""
        return Program(self.graph, self._word, self.parameters, copy(self.buffers))

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs for normalized samples, (batch, *output shape), without random draws or changes."""
        return self.with_head(self.forward(x, Mode())[0])

    def with_head(self, z: np.ndarray) -> np.ndarray:
        """Apply the head to the logits."""
        return self._head(z, Mode())[0] if self._head is not None else z

    def forward(self, x: np.ndarray, mode: Mode) -> tuple[np.ndarray, Pullback]:
        """Return the logits, and a function from their gradient to the gradients of the parameters."""
        values, pull = self._trace(x, mode)
        return values[self._last], lambda d_z: pull(d_z, ())[0]

    def sensitivities(
        self, x: np.ndarray, d_logits: Callable[[np.ndarray], np.ndarray], names: Sequence[str] = (INPUT,)
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the values of nodes, and the gradients of a number of each sample with respect to them.

        Arguments:
            x: normalized samples, (batch, *input shape).
            d_logits: from the logits to the gradient of the number with respect to them, of their shape.
            names: the nodes; INPUT is the samples themselves.

        Both are by name, (batch, *shape), computed as in inference: without dropout, by the running statistics.
        """
        values, pull = self._trace(x, Mode())
        _, gradients = pull(d_logits(values[self._last]), names)
        return {name: values[name] for name in names}, {
            name: gradients.get(name, np.zeros_like(values[name])) for name in names
        }

    def values(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the value of each node for normalized samples as in inference, by name, INPUT among them."""
        return self._trace(x, Mode())[0]

    def passes(self, x: np.ndarray, targets: np.ndarray) -> "Passes":
        """Return what a forward and a backward pass compute, node by node, as in inference.

        `x` are normalized samples, (batch, *input shape), `targets` as the loss takes them. Penalties are left out.
        """
        values, pull = self._trace(x, Mode())
        loss, d_logits = self.loss(values[self._last], targets)
        gradients, d_values = pull(d_logits, tuple(values))
        return Passes(values, self.with_head(values[self._last]), loss, d_values, gradients)

    @property
    def _last(self) -> str:
        """The name of the node with the logits."""
        return self.graph.nodes[-1].name if self.graph.nodes else INPUT

    def _trace(self, x: np.ndarray, mode: Mode) -> tuple[dict[str, np.ndarray], Pull]:
        """Return the value of each node, and a function from the gradient of the logits to those of the arrays.

        The function also takes names of nodes, and returns the gradients of their values as well.
        """
        values = {INPUT: x.reshape(len(x), *self.graph.input_shape)}
        if mode.padding is None and self._symbolic:
            mode = replace(mode, padding=padding_of(values[INPUT]), strided=self._strided)
        backwards: dict[str, MergeBackward] = {}
        for node in self.graph.nodes:
            arguments = [values[name] for name in node.inputs]
            own = mode.of(node.name).at_inference() if node.settled else mode.of(node.name)
            values[node.name], backwards[node.name] = self._forwards[node.name](arguments, own)

        def pull(d_z: np.ndarray, kept: Sequence[str]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
            waiting: dict[str, np.ndarray] = {self._last: d_z}  # gradients of nodes' outputs, summed as they arrive
            gradients: dict[str, np.ndarray] = {}
            found: dict[str, np.ndarray] = {}
            for node in reversed(self.graph.nodes):
                if node.name not in waiting:
                    continue
                d_y = waiting.pop(node.name)
                if node.name in kept:
                    found[node.name] = d_y
                d_inputs, own = backwards[node.name](d_y)
                _collect(gradients, node, own)
                for name, d_input in zip(node.inputs, d_inputs, strict=True):
                    waiting[name] = waiting[name] + d_input if name in waiting else d_input
            return gradients, found | waiting

        return values, pull

    def loss(self, z: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        """Return the mean loss of a batch of logits, without penalties, and its gradient."""
        return self._loss(z, targets, weights)

    def penalize(self, gradients: Arena) -> float:
        """Return Σ l1·|w| + l2·w² over the layers with penalties, and add its gradient to `gradients`.

        Layers that are frozen have none.
        """
        total = 0.0
        for name, l1, l2 in self._penalties:
            weight = self.parameters[name]
            total += l1 * float(np.abs(weight).sum()) + l2 * float(np.square(weight).sum())
            gradients[name][...] += l1 * np.sign(weight) + 2 * l2 * weight
        return total

    def loss_and_gradients(
        self, x: np.ndarray, targets: np.ndarray, mode: Mode, gradients: Arena, weights: np.ndarray | None = None
    ) -> float:
        """Return the loss of a batch with penalties, and write its gradients into `gradients`, but of frozen layers."""
        z, pullback = self.forward(x, mode)
        loss, d_z = self.loss(z, targets, weights)
        for name, gradient in pullback(d_z).items():
            if name not in self._frozen:
                gradients[name][...] = gradient
        return loss + self.penalize(gradients)


def _collect(gradients: dict[str, np.ndarray], node: GraphNode, own: Mapping[str, np.ndarray]) -> None:
    """Put a node's gradients among all, added up where several nodes use one array."""
    for name, gradient in own.items():
        array = array_of(node, name)
        turned = gradient.T if name in node.ties and node.ties[name].transposed else gradient
        gradients[array] = turned + gradients[array] if array in gradients else turned


def _forward_of(node: GraphNode, arrays: Mapping[str, Array]) -> MergeForward:
    """Return the forward of a node over a list of its inputs, however many it has."""
    if len(node.inputs) > 1:
        return build_merge(node.layer, node.input_shapes, arrays)
    layer = build(node.layer, node.input_shapes[0], arrays)

    def forward(xs: Sequence[Array], mode: Mode) -> tuple[Array, MergeBackward]:
        y, backward = layer(xs[0], mode)
        return y, _of_one(backward)

    return forward


def _of_one(backward: Backward) -> MergeBackward:
    def of_one(d_y: Array) -> tuple[Sequence[Array], dict[str, Array]]:
        d_x, gradients = backward(d_y)
        return [d_x], gradients

    return of_one
