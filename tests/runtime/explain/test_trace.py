"""The passes of one sample: the values of the network, the gradients of its loss, at every layer."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.explain.trace import trace
from nnspec.runtime.infer.drawn import drawn_samples, drawn_targets
from tests.runtime.explain.test_slopes import TEXTS


@pytest.mark.parametrize("text", TEXTS)
def test_the_last_stage_is_the_prediction_and_the_gradients_are_those_of_the_loss(text: str) -> None:
    network = nnspec.compile(text, seed=3, dtype="float64")
    sample = drawn_samples(network, 1)
    target = drawn_targets(network.spec.loss, (1, *(network.spec.output_shape or ())), np.random.default_rng(0))
    found = trace(network, sample[0], target[0])
    np.testing.assert_allclose(found.stages[-1].output, network.predict(sample)[0], rtol=1e-12)
    assert found.loss == pytest.approx(nnspec.evaluate(network, sample, target)["loss"])
    for stage in found.stages:
        for name, (value, gradient) in stage.parameters.items():
            assert gradient is not None and gradient.shape == value.shape, name
    assert found.stages[0].name == "input"


def test_each_slope_is_that_of_the_loss_at_its_place() -> None:
    network = nnspec.compile("input 3 -> dense 4 tanh -> dense 2 softmax", seed=1, dtype="float64")
    sample, target = np.array([0.3, -1.0, 2.0]), np.array(1)
    found = {stage.name: stage for stage in trace(network, sample, target).stages}
    slopes = {name: np.asarray(stage.gradient) for name, stage in found.items()}
    assert list(found) == ["input", "dense1", "dense1/tanh", "dense2", "head"]
    assert [found[name].text for name in ("dense1", "dense1/tanh", "dense2")] == ["dense 4", "tanh", "dense 2"]
    probabilities = found["head"].output
    np.testing.assert_allclose(slopes["dense2"], probabilities - np.eye(2)[1])
    np.testing.assert_allclose(slopes["dense1"], slopes["dense1/tanh"] * (1 - found["dense1/tanh"].output ** 2))
    weight = found["dense1"].parameters["weight"][0]
    np.testing.assert_allclose(found["dense1"].output, sample @ weight)
    np.testing.assert_allclose(slopes["input"], weight @ slopes["dense1"])


def test_without_a_target_there_is_no_backward_pass() -> None:
    network = nnspec.compile("input 3 -> dense 4 tanh -> dense 2 softmax", seed=1)
    found = trace(network, np.ones(3))
    assert found.loss is None and all(stage.gradient is None for stage in found.stages)
    np.testing.assert_array_equal(found.stages[-1].output, network.predict(np.ones((1, 3)))[0])
