"""Gradients beside the slopes of the loss: equal for every layer, unequal where a layer is wrong."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.explain.slopes import TOLERANCE, Slopes, parameter_slopes
from nnspec.runtime.infer.drawn import drawn_samples, drawn_targets
from nnspec.runtime.infer.network import Network

TEXTS = (
    "input 6x6x1 -> conv 3x3 x2 relu -> batchnorm -> maxpool 2 -> dropout 0.5 -> dense 3 softmax",
    "input 5x3 sequence -> gru 3 -> dense 2 l2=0.1",
    "input 4 -> dense 3 relu -> dense 1 sigmoid",
    "input 4 -> embed 3 vocab=5 -> lstm 2 -> dense 5 softmax",
)


def slopes(network: Network, most: int | None = 20) -> tuple[float, list[Slopes]]:
    x = drawn_samples(network, 4)
    y = drawn_targets(network.spec.loss, (4, *(network.spec.output_shape or ())), np.random.default_rng(0))
    return parameter_slopes(network, x, y, most)


@pytest.mark.parametrize("text", TEXTS)
def test_the_gradients_are_the_slopes_and_the_parameters_stay(text: str) -> None:
    network = nnspec.compile(text, seed=3, dtype="float64")
    before = network.parameters
    loss, found = slopes(network)
    assert [each.name for each in found] == list(before) and np.isfinite(loss)
    assert all(each.holds and 0 < each.tried <= 20 for each in found), found
    assert all(np.array_equal(before[name], array) for name, array in network.parameters.items())


def test_a_wrong_gradient_is_found_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nnspec.compile("input 4 -> dense 3 tanh -> dense 2", seed=1, dtype="float64")
    right = type(network.program).loss_and_gradients

    def wrong(self: object, x: object, y: object, mode: object, gradients: dict[str, np.ndarray]) -> float:
        loss = right(self, x, y, mode, gradients)  # type: ignore[arg-type]
        gradients["dense1/weight"][2, 1] *= 1.001
        return loss

    monkeypatch.setattr(type(network.program), "loss_and_gradients", wrong)
    found = {each.name: each for each in slopes(network, None)[1]}
    assert not found["dense1/weight"].holds and found["dense1/weight"].place == (2, 1)
    assert all(each.holds for name, each in found.items() if name != "dense1/weight")
    assert found["dense1/weight"].gradient == pytest.approx(1.001 * found["dense1/weight"].slope, rel=1e-6)


def test_a_corner_is_counted_and_is_no_mistake() -> None:
    network = nnspec.compile("input 2 -> dense 2 relu -> dense 1", seed=1, dtype="float64")
    network.set_parameters(
        {"dense1/weight": np.zeros((2, 2)), "dense1/bias": np.zeros(2), "dense2/weight": np.ones((2, 1))}
    )
    _, found = parameter_slopes(network, np.array([[1.0, 0.0]]), np.array([[1.0]]), None)
    first = next(each for each in found if each.name == "dense1/bias")
    assert first.corners == 2 and first.holds and first.error < TOLERANCE


def test_frozen_layers_are_left_out_and_float32_is_refused() -> None:
    network = nnspec.compile("input 4 -> dense 3 tanh -> dense 2\nfreeze dense1", seed=1, dtype="float64")
    assert {each.name for each in slopes(network)[1]} == {"dense2/weight", "dense2/bias"}
    with pytest.raises(nnspec.NetworkError, match="float64"):
        slopes(nnspec.compile("input 4 -> dense 2", seed=1))
