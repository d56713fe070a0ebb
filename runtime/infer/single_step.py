"""A trained network of sequences, one step at a time: layers carry their states from step to step."""

from dataclasses import replace
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import settled
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.layers.recurrent import Recurrent
from nnspec.spec_lang.vocabulary.shape import Shape


class Stepwise:
    """The network for sequences of one step. It begins with states of zeros, and again after `restart`.

    Raises NetworkError where a layer needs all steps at once: one that reads from the end, a dense layer behind
    flatten, a convolution over time.
    """

    def __init__(self, network: Network):
        spec = network.spec
        assert spec.input is not None
        for node in spec.nodes:
            if isinstance(node.layer, Recurrent) and not node.layer.carries(node.input_shape):
                raise NetworkError(f"{node.name} reads from the end, so the network cannot go step by step")
        shape = Shape((1, *spec.input[1:]))
        text = canonical_text(
            replace(spec, input=shape, data=None, train=spec.train.model_copy(update={"stateful": False}))
        )
        try:
            single = Network(
                check_source(Source("the network step by step", text)), _preparing(network, shape), network.dtype
            )
            single.set_parameters(network.parameters)
        except (SpecError, NetworkError) as error:
            told = (
                "needs all steps at once: recurrent layers that read forwards and layers that work at each step do not"
            )
            raise NetworkError(f"{spec.name} {told}\n{error}") from None
        single.buffer_arena.flat[...] = network.buffer_arena.flat
        sample_type = np.dtype(np.int64 if network.preprocessing.vocabulary is not None else network.dtype)
        self._program, self._states = single.programs.carrying("outputs", 1, sample_type)

    def __call__(self, step: Any) -> Array:
        """The answer to one step, a symbol or (features,) of raw numbers, in a row."""
        self._program.samples[...] = step
        answer: Array = settled(self._program)
        return answer.reshape(-1).copy()

    def restart(self) -> None:
        """Forget what came before."""
        for state in self._states.values():
            state.fill(0)


def _preparing(network: Network, shape: Shape) -> Preprocessing:
    """How one step is prepared: as in a sequence; symbols are taken as they are."""
    if network.preprocessing.vocabulary is not None:
        return Preprocessing.identity(shape)
    return replace(network.preprocessing, input_shape=tuple(shape))
