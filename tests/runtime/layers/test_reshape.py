"""Other shapes of the same numbers."""

import numpy as np

from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.reshape import Reshape
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import layer


def test_flatten_and_reshape_keep_the_order_with_the_last_axis_running_fastest() -> None:
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    flat, _ = build(layer("flatten"), Shape((2, 3, 2)), {})(x, Mode())
    np.testing.assert_array_equal(flat, np.arange(24).reshape(2, 12))
    again, _ = build(Reshape(shape=(2, 3, 2)), Shape((12,)), {})(flat, Mode())
    np.testing.assert_array_equal(again, x)


def test_the_gradient_returns_to_the_place_its_number_came_from() -> None:
    x = np.zeros((2, 4, 3))
    y, backward = build(Reshape(shape=(6, 2)), Shape((4, 3)), {})(x, Mode())
    d_x, gradients = backward(np.arange(24.0).reshape(y.shape))
    np.testing.assert_array_equal(d_x, np.arange(24).reshape(x.shape))
    assert gradients == {}
