"""Short training runs of any network, to compare whole runs with each other."""

from dataclasses import replace

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.data import Data, data_from_arrays
from nnspec.runtime.execute import processors
from nnspec.runtime.infer.drawn import drawn_targets
from nnspec.runtime.infer.network import Network
from nnspec.runtime.train import step
from nnspec.runtime.train.state import State, initial_state
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.shape import Shape

SAMPLES, BATCH, STEPS = 9, 6, 3
"""A run of three steps, the second of which ends an epoch with a smaller batch."""


def checked(text: str, shape: Shape | None = None) -> Spec:
    """The spec of a run of this network."""
    return check_source(Source("a test", f"{text}\ntrain {STEPS} iterations batch={BATCH}"), input_shape=shape)


def data_for(spec: Spec) -> Data:
    """Random samples and targets that a spec can train on."""
    random = np.random.default_rng(0)
    assert spec.input is not None and spec.output_shape is not None
    x: Array = random.normal(size=(SAMPLES, *spec.input)).astype(np.float32)
    known = [count for node in spec.nodes if (count := node.layer.vocabulary(node.input_shape)) is not None]
    if known:
        x = random.integers(0, min(known), x.shape)
    y: Array = drawn_targets(spec.loss, (SAMPLES, *spec.output_shape), random)
    y = y if spec.loss.classifies else y.astype(np.float32)
    return data_from_arrays(x, y, classification=spec.loss.classifies)


def stepper_of(spec: Spec, data: Data) -> Stepper:
    """The first state of a run."""
    network = Network(spec, data.preprocessing)
    network.initialize(3)
    return Stepper(initial_state(network, SAMPLES, 0), data, STEPS)


def bytes_of(state: State) -> bytes:
    """All arrays of a state."""
    arenas = state.network.parameter_arena, state.network.buffer_arena, state.carried, *state.slots.values()
    return b"".join(arena.flat.tobytes() for arena in arenas)


def trained(spec: Spec, data: Data, monkeypatch: pytest.MonkeyPatch, worker: bool) -> bytes:
    """What a run makes of a network; with `worker`, one process computes a lane and half of each update."""
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(step, "WORTH_HALVING", 0)
    monkeypatch.setattr(processors, "worker_pays", lambda: worker)
    stepper = stepper_of(spec, data)
    with stepper.ready():
        assert (stepper.workers is not None) == worker
        losses = [stepper.advance(1) for _ in range(STEPS)]
    assert np.isfinite(losses).all()
    return repr(losses).encode() + bytes_of(stepper.state)


def carrying(spec: Spec) -> Spec:
    """The spec with states that go on from batch to batch, where a layer carries one."""
    carries = any(node.layer.carries(node.input_shape) for node in spec.nodes)
    return replace(spec, train=spec.train.model_copy(update={"stateful": True})) if carries else spec
