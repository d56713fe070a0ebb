"""A trained network of sequences, computed one step at a time: its layers carry their states from step to step."""

from collections.abc import Iterable
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.data import Preprocessing
from nnspec.runtime.errors import NetworkError
from nnspec.runtime.infer.network import Network
from nnspec.runtime.infer.program_cache import settled
from nnspec.spec_lang.check.canonical_text import canonical_text
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import INPUT, Spec
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.shape import Shape

ADVICE = "use recurrent layers that read forwards, attention causal=yes, and layers that work at each step"


class SingleStepNetwork:
    """The network for sequences of one step. States are zero at first and after `restart`.

    Raises NetworkError where a layer needs all steps at once: a recurrent layer that reads backwards, a dense layer
    after flatten, a convolution or a global pool over time.
    """

    def __init__(self, network: Network):
        spec = network.spec
        assert spec.input is not None
        steps_over_time(spec)
        shape = Shape((1, *spec.input[1:]), spec.input.sequence)
        text = canonical_text(
            replace(spec, input=shape, data=None, train=spec.train.model_copy(update={"stateful": False}))
        )
        try:
            single = Network(
                check_source(Source("the network step by step", text)),
                _step_preprocessing(network, shape),
                network.dtype,
            )
            single.set_parameters(network.parameters)
        except (SpecError, NetworkError) as error:
            raise NetworkError(f"{spec.name} needs all steps at once: {ADVICE}\n{error}") from None
        single.buffer_arena.flat[...] = network.buffer_arena.flat
        sample_type = np.dtype(np.int64 if network.preprocessing.vocabulary is not None else network.dtype)
        self._network = single
        self._program, self._states = single.programs.carrying("outputs", 1, sample_type)
        self._busy = Lock()

    def __call__(self, step: Any) -> Array:
        """Return the outputs for one step, flat, as `Network.predict`; `step` is a symbol, or (features,) raw numbers.

        Raises NetworkError while another thread takes a step: the order of steps would be lost.
        """
        if not self._busy.acquire(blocking=False):
            raise NetworkError("another thread takes a step of this sequence; make a SingleStepNetwork for each thread")
        try:
            self._program.samples[...] = step
            outputs: Array = self._network.unscaled(settled(self._program, self._program.samples))
            return outputs.reshape(-1).copy()
        finally:
            self._busy.release()

    def read(self, steps: Iterable[Any]) -> Array:
        """Return the outputs after the last of these steps. Raises NetworkError if there are none."""
        answer = None
        for step in steps:
            answer = self(step)
        if answer is None:
            raise NetworkError("a sequence has no step yet: there is nothing to compute outputs from")
        return answer

    def restart(self) -> None:
        """Set the states to zero."""
        for state in self._states.values():
            state.fill(0)


def steps_over_time(spec: Spec) -> frozenset[str]:
    """Return the layers that read the steps of the sequence, all of which can compute one step at a time.

    Raises NetworkError where a layer reads several steps at once, or reads them from the end.
    """
    over_time, reading = {INPUT}, set()
    for node in spec.nodes:
        if over_time.isdisjoint(node.inputs):
            continue
        reading.add(node.name)
        if node.input_shape.as_steps() is not None and not node.layer.works_by_step(node.input_shape):
            if node.layer.recurrent:
                raise NetworkError(f"{node.name} reads from the end, so the network cannot compute one step at a time")
            raise NetworkError(f"{spec.name} needs all steps at once for {node.name}: {ADVICE}")
        if node.output_shape.as_steps() is not None:
            over_time.add(node.name)
    return frozenset(reading)


def _step_preprocessing(network: Network, shape: Shape) -> Preprocessing:
    """Return the preprocessing of one step: that of a sequence; symbols are not changed."""
    if network.preprocessing.vocabulary is not None:
        return Preprocessing.identity(shape)
    return replace(network.preprocessing, input_shape=tuple(shape))
