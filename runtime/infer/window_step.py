"""A trained network of sequences that looks back on its steps, such as a transformer, computed step after step."""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.single_step import SingleStepNetwork
from nnspec.runtime.targets import PADDING
from nnspec.spec_lang.check.spec import Spec


class StepNetwork(Protocol):
    """A network that reads a sequence step after step."""

    def read(self, steps: Iterable[Any]) -> Array:
        """Return the outputs, flat, after the last of these steps, which follow those before."""

    def restart(self) -> None:
        """Begin another sequence."""


def step_network(network: Network) -> StepNetwork:
    """Return the network step after step: with carried states where it can, else by the window of the last steps.

    Raises NetworkError where an output depends on later steps.
    """
    if not WindowNetwork.suits(network.spec):
        return SingleStepNetwork(network)
    return WindowNetwork(network)


class WindowNetwork:
    """The network on the last steps, as many as a sample has.

    No output depends on a later step, so that of a sequence that has just begun is computed with any steps after it.
    Positions count from the first step of the window.
    """

    def __init__(self, network: Network):
        assert network.spec.input is not None
        self._network = network
        symbolic = network.preprocessing.vocabulary is not None
        kind = np.dtype(np.int64 if symbolic else network.dtype)
        self._empty = np.full(network.spec.input, PADDING if symbolic else 0, kind)
        self._window: list[Any] = []

    @staticmethod
    def suits(spec: Spec) -> bool:
        """Return whether a network needs a window, and has in it all that an output depends on."""
        over_time = [node for node in spec.nodes if node.input_shape.as_steps() is not None]
        looks_back = any(not node.layer.works_by_step(node.input_shape) for node in over_time)
        looks_ahead = any(node.layer.looks_ahead(node.input_shape) for node in over_time)
        ends_in_steps = bool(spec.input and spec.output_shape and len(spec.output_shape) == 2)
        return looks_back and not looks_ahead and ends_in_steps

    def read(self, steps: Iterable[Any]) -> Array:
        """Return the outputs, flat, after the last of these steps; each is a symbol, or (features,) raw numbers.

        Raises NetworkError if there are none.
        """
        self._window = [*self._window, *steps][-len(self._empty) :]
        if not self._window:
            raise NetworkError("a sequence has no step yet: there is nothing to compute outputs from")
        sample = self._empty.copy()
        sample[: len(self._window)] = np.reshape(self._window, (len(self._window), *sample.shape[1:]))
        answers = self._network.predict(sample[None])
        answer: Array = answers[0, len(self._window) - 1]
        return answer.reshape(-1)

    def restart(self) -> None:
        """Forget the window."""
        self._window = []
