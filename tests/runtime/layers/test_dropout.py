"""What dropout leaves out, and what it leaves alone."""

import numpy as np

from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import layer

ROW = Shape((1000,))


def drawing(batch: int, seed: int = 1) -> Mode:
    return Mode(training=True, drawn=np.random.default_rng(seed).random((batch, *ROW), np.float32))


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    y, _ = build(layer("dropout 0.3"), ROW, {})(np.ones((100, 1000)), drawing(100))
    assert abs((y == 0).mean() - 0.3) < 0.005
    assert abs(y.mean() - 1) < 0.01
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7])


def test_the_gradient_passes_exactly_where_the_numbers_did() -> None:
    x = np.random.default_rng(2).normal(size=(3, 1000))
    y, backward = build(layer("dropout 0.5"), ROW, {})(x, drawing(3))
    np.testing.assert_array_equal(backward(x)[0], y)


def test_nothing_is_left_out_at_inference_or_where_nothing_is_drawn() -> None:
    x = np.random.default_rng(2).normal(size=(3, 1000))
    forward = build(layer("dropout 0.5"), ROW, {})
    for mode in (Mode(training=False), Mode(training=True)):
        y, backward = forward(x, mode)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(backward(x)[0], x)


def test_what_is_left_out_follows_from_the_random_numbers_alone() -> None:
    forward, x = build(layer("dropout 0.5"), ROW, {}), np.ones((2, 1000))
    first, second = forward(x, drawing(2))[0], forward(x, drawing(2, seed=2))[0]
    assert (first != second).any()
    np.testing.assert_array_equal(forward(x, drawing(2))[0], first)


def test_with_a_probability_of_zero_nothing_is_drawn() -> None:
    assert layer("dropout 0").draws(ROW) is None


def test_float32_and_float64_leave_out_the_same_numbers() -> None:
    forward = build(layer("dropout 0.5"), ROW, {})
    single, double = (forward(np.ones((2, 1000), dtype), drawing(2))[0] for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single == 0, double == 0)
