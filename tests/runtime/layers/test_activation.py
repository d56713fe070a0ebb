"""Activations at points where their values are known."""

import math

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import layer


def values_and_slopes(text: str, *x: float) -> tuple[Array, Array]:
    y, backward = build(layer(text), Shape((len(x),)), {})(np.array([x]), Mode())
    return y[0], backward(np.ones_like(y))[0][0]


@pytest.mark.parametrize(
    ("text", "x", "value", "slope"),
    [
        ("linear", -3, -3, 1),
        ("relu", -3, 0, 0),
        ("relu", 0, 0, 0),
        ("relu", 3, 3, 1),
        ("leaky_relu", -3, -0.03, 0.01),
        ("leaky_relu slope=0.5", -3, -1.5, 0.5),
        ("leaky_relu", 3, 3, 1),
        ("elu", -1, math.exp(-1) - 1, math.exp(-1)),
        ("elu alpha=2", -1, 2 * (math.exp(-1) - 1), 2 * math.exp(-1)),
        ("elu", 3, 3, 1),
        ("gelu", 1, 0.8413447460685429, 0.8413447460685429 + math.exp(-0.5) / math.sqrt(2 * math.pi)),
        ("silu", 1, 1 / (1 + math.exp(-1)), 0.9276705118714869),
        ("sigmoid", 0, 0.5, 0.25),
        ("sigmoid", math.log(3), 0.75, 0.1875),
        ("tanh", math.atanh(0.5), 0.5, 0.75),
        ("softplus", 0, math.log(2), 0.5),
        ("softplus", -50, math.exp(-50), math.exp(-50)),
    ],
)
def test_an_activation_has_its_value_and_its_slope(text: str, x: float, value: float, slope: float) -> None:
    y, d_x = values_and_slopes(text, x)
    np.testing.assert_allclose(y, value, rtol=1e-14)
    np.testing.assert_allclose(d_x, slope, rtol=1e-14)


def test_softmax_shares_a_sum_of_one_in_the_ratio_of_the_powers() -> None:
    y, _ = values_and_slopes("softmax", 0, math.log(2), math.log(5))
    np.testing.assert_allclose(y, [1 / 8, 2 / 8, 5 / 8], rtol=1e-14)


def test_softmax_does_not_change_when_all_numbers_grow_alike() -> None:
    _, slope_of_the_sum = values_and_slopes("softmax", 1, 2, 3)
    np.testing.assert_allclose(slope_of_the_sum, 0, atol=1e-15)
    np.testing.assert_allclose(
        values_and_slopes("softmax", 1, 2, 3)[0], values_and_slopes("softmax", 1001, 1002, 1003)[0]
    )


def test_softmax_of_a_sequence_is_taken_at_each_step() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    y, _ = build(layer("softmax"), Shape((3, 4), sequence=True), {})(x, Mode())
    np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-14)


def test_huge_numbers_reach_the_ends_of_each_activation() -> None:
    for text, low, high in [
        ("sigmoid", 0, 1),
        ("softplus", 0, 1e4),
        ("silu", 0, 1e4),
        ("gelu", 0, 1e4),
        ("elu", -1, 1e4),
    ]:
        y, d_x = values_and_slopes(text, -1e4, 1e4)
        np.testing.assert_array_equal(y, [low, high], err_msg=text)
        np.testing.assert_array_equal(d_x, [0, 0 if text == "sigmoid" else 1], err_msg=text)
    np.testing.assert_array_equal(values_and_slopes("softmax", -1e4, 1e4)[0], [0, 1])
