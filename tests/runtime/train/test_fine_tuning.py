"""Layers that are frozen or learn at a rate of their own: what moves, what does not, and what is not computed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnspec import checkpoints
from nnspec.runtime.compiler import rewrites
from nnspec.runtime.errors import Interrupted
from nnspec.runtime.execute import processors
from nnspec.runtime.train import step
from nnspec.runtime.train.resuming import resume
from nnspec.runtime.train.run import train
from nnspec.runtime.train.step import Stepper
from nnspec.spec_lang.check.spec import Spec
from nnspec.spec_lang.check.spec_request import Request
from tests.contracts.runs import STEPS, bytes_of, checked, data_for, stepper_of
from tests.support.commands import LENGTH, at_step, write_data, write_spec

NETWORKS = {
    "the first layers": ("input 4\ndense 6 relu -> dense 5 tanh -> dense 3 softmax", "dense1, dense2"),
    "a layer between": ("input 4\ndense 6 relu -> dense 5 tanh -> dense 3 softmax", "dense2"),
    "the last layer": ("input 4\ndense 6 relu -> dense 3 softmax", "dense2"),
    "a batchnorm between": ("input 4\ndense 6 -> batchnorm -> relu -> dense 3 softmax", "batchnorm1"),
    "a batchnorm of images": (
        "input 6x6x2\nconv 3x3 x3 -> batchnorm -> relu -> conv 3x3 x3 l2=0.1 -> dense 3 softmax", "batchnorm1, conv2",
    ),
    "convolutions and a residual": (
        "input 6x6x2\nconv 3x3 x3 pad=same -> (conv 3x3 x3 pad=same -> batchnorm + skip) -> relu -> dense 3 softmax",
        "conv2, batchnorm1",
    ),
    "a recurrent layer": ("input 5x2 sequence\ndense 3 -> gru 4 -> layernorm -> dense 3 softmax", "gru1, layernorm1"),
    "an embedding": ("input 5\nembed 4 vocab=6 -> lstm 3 -> dense 3 softmax", "embed1"),
    "a batchnorm of steps": ("input 5x2 sequence\ndense 3 -> batchnorm -> gru 4 -> dense 3 softmax", "batchnorm1"),
}  # fmt: skip


def made(spec: Spec, steps: int = STEPS) -> Stepper:
    """The stepper after some steps of training."""
    stepper = stepper_of(spec, data_for(spec))
    with stepper.ready():
        for _ in range(steps):
            assert np.isfinite(stepper.advance(1)).all()
    return stepper


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("name", NETWORKS)
def test_frozen_layers_keep_every_bit_and_all_others_learn(name: str, optimizer: str) -> None:
    network, frozen = NETWORKS[name]
    spec = checked(f"{network}\noptimizer {optimizer} lr=0.1 weight_decay=0.3\nfreeze {frozen}\nema")
    spec = replace(spec, train=spec.train.model_copy(update={"clip_norm": 0.5}))
    stepper = stepper_of(spec, data_for(spec))
    state = stepper.state
    before = {**state.network.parameters, **state.network.buffers}
    with stepper.ready():
        stepper.advance(1), stepper.advance(1)
    assert state.averaged is not None
    for array, value in {**state.network.parameters, **state.network.buffers}.items():
        unchanged = np.array_equal(value, before[array])
        assert unchanged == (array.rpartition("/")[0] in spec.frozen), array
    for array in spec.frozen_arrays():
        np.testing.assert_array_equal(state.averaged.parameters[array], before[array])
        assert all(not slot[array].any() for slot in state.slots.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_the_planned_gradients_around_frozen_layers_are_those_of_the_plain_program(name: str) -> None:
    network, frozen = NETWORKS[name]
    spec = checked(f"{network}\nfreeze {frozen}")
    stepper = stepper_of(spec, data_for(spec))
    net = stepper.state.network
    data = data_for(spec).train
    loss, expected = net.loss_and_gradients(data.inputs[:6], data.targets[:6])
    program = stepper.program(6)
    program.samples[...], program.targets[...] = data.inputs[:6], data.targets[:6]
    found = program() + net.program.penalize(stepper.gradients)
    assert found == pytest.approx(loss, rel=1e-5)
    for array, gradient in expected.items():
        if array in spec.frozen_arrays():
            assert not gradient.any()
        else:
            np.testing.assert_allclose(stepper.gradients[array], gradient, rtol=1e-3, atol=1e-5)


def test_what_is_before_all_layers_that_learn_has_no_backward_pass() -> None:
    text = "input 12x12x1\nconv 3x3 x4 relu -> maxpool 2 -> conv 3x3 x4 relu -> dense 8 relu -> dense 3 softmax"
    whole = stepper_of(checked(text), data_for(checked(text))).program(6).plan.lanes[6].text
    spec = checked(f"{text}\nfreeze conv*")
    frozen = stepper_of(spec, data_for(spec)).program(6).plan.lanes[6].text
    assert "back through conv1" in whole and "back through conv2" in whole
    assert "back through conv" not in frozen and "back through dense1" in frozen
    assert len(frozen) < 0.7 * len(whole)


def test_a_frozen_layer_between_others_passes_the_gradient_on_and_computes_none_of_its_own() -> None:
    text = "input 12x12x1\nconv 3x3 x4 -> conv 3x3 x4 -> dense 8 -> dense 3 softmax"
    spec = checked(f"{text}\nfreeze conv2, dense1")
    program = stepper_of(spec, data_for(spec)).program(6).plan.lanes[6].text
    after = program.partition("back through conv2")[2].partition("back through conv1")[0]
    assert "d_conv2_in" in after and "out=d_conv2)" not in after


def test_a_rate_of_its_own_is_a_factor_on_the_steps_of_a_layer() -> None:
    text = "input 4\ndense 6 relu -> dense 5 tanh -> dense 3 softmax\noptimizer sgd lr=0.1"
    plain, rated = checked(text), checked(f"{text}\nrate dense1 0.5\nrate dense2, dense3 2")
    moved = []
    for spec in (plain, rated):
        stepper = stepper_of(spec, data_for(spec))
        before = stepper.state.network.parameters
        with stepper.ready():
            stepper.advance(1)
        after = stepper.state.network.parameters
        moved.append({name: after[name] - before[name] for name in before})
    for name, step_of in moved[0].items():
        factor = 0.5 if name.startswith("dense1") else 2
        np.testing.assert_allclose(moved[1][name], factor * step_of, rtol=1e-4, atol=1e-7)


def test_a_factor_of_one_changes_no_bit() -> None:
    text = "input 4\ndense 6 relu -> dense 3 softmax\noptimizer adam lr=0.1"
    assert bytes_of(made(checked(text)).state) == bytes_of(made(checked(f"{text}\nrate dense1 1.0")).state)


def test_weights_of_samples_and_accumulation_go_with_frozen_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "input 4\ndense 6 relu -> dense 5 tanh -> dense 3 softmax\noptimizer momentum lr=0.1"
    spec, found = checked(f"{text}\nfreeze dense1\nrate dense2 0.1"), []
    data = data_for(spec)
    data = replace(data, train=replace(data.train, weights=np.linspace(0.2, 1.8, len(data.train))))
    for batch, count in ((6, 1), (2, 3)):
        changed = replace(spec, train=spec.train.model_copy(update={"batch": batch, "accumulate": count}))
        stepper = stepper_of(changed, data)
        with stepper.ready():
            for _ in range(4):
                stepper.advance(1)
        found.append(stepper.state.network.parameter_arena.flat)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["a layer between", "a batchnorm between", "a batchnorm of images"])
def test_two_processes_train_around_frozen_layers_as_one_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, frozen = NETWORKS[name]
    spec, found = checked(f"{network}\noptimizer adam lr=0.1\nfreeze {frozen}\nrate dense1 0.5"), []
    monkeypatch.setattr(rewrites, "STEP_WORTH_A_PARTNER", 0)
    monkeypatch.setattr(step, "WORTH_HALVING", 0)
    for worker in (False, True):
        monkeypatch.setattr(processors, "worker_pays", lambda pays=worker: pays)
        found.append(bytes_of(made(spec).state))
    assert found[0] == found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with data, where nothing waits for a disk."""
    write_data(tmp_path)
    return tmp_path


@pytest.mark.parametrize("stop", [1, 7])
def test_stopping_changes_no_byte_where_layers_are_frozen(stop: int, folder: Path) -> None:
    network = "body: (dense 6 relu -> batchnorm) -> dropout 0.3 -> dense 5 relu -> dense 3 softmax"
    write_spec(folder, network, "optimizer adam\nfreeze body\nrate dense1 0.1", "", LENGTH)
    train(Request(folder / "net.nnspec"), folder / "whole")
    with at_step(stop), pytest.raises(Interrupted):
        train(Request(folder / "net.nnspec"), folder / "parts")
    resume(folder / "parts")
    for name in ("last.h5", "best.h5"):
        whole, parts = (checkpoints.read(folder / run / name) for run in ("whole", "parts"))
        assert checkpoints.differing_entries(whole, parts) == []
