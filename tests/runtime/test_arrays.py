"""Functions of whole arrays, against the exact numbers."""

import math

import numpy as np

from nnspec.runtime.arrays import erf, log_softmax, one_hot, sigmoid, softmax, softplus, sum_of_places

NUMBERS = np.concatenate([np.linspace(-7, 7, 20_001), np.logspace(-300, 1, 1000), -np.logspace(-300, 1, 1000)])


def test_erf_is_exact_to_the_rounding_of_float64() -> None:
    np.testing.assert_allclose(erf(NUMBERS), [math.erf(x) for x in NUMBERS], rtol=1e-15)


def test_erf_in_float32_is_exact_to_its_own_rounding() -> None:
    x = np.linspace(-7, 7, 20_001).astype(np.float32)
    y = erf(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [math.erf(float(number)) for number in x], rtol=4e-7)


def test_erf_reaches_one_and_is_odd() -> None:
    np.testing.assert_array_equal(erf(np.array([6.0, 30, 1e4, np.inf])), 1)
    np.testing.assert_array_equal(erf(-NUMBERS), -erf(NUMBERS))
    assert erf(np.array([0.0])) == 0
    assert np.isnan(erf(np.array([np.nan])))


def test_sigmoid_keeps_its_digits_far_below_zero() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-700.0, -30, 30])), [math.exp(-700), math.exp(-30), 1], rtol=1e-12)


def test_softplus_keeps_its_digits_far_below_zero() -> None:
    np.testing.assert_allclose(
        softplus(np.array([-700.0, -30, 0, 800])), [math.exp(-700), math.exp(-30), math.log(2), 800]
    )


def test_log_softmax_is_the_logarithm_of_softmax_and_finite_where_that_is_zero() -> None:
    x = np.array([[1.0, 2, 3], [-1e4, 0, 1e4]])
    np.testing.assert_allclose(log_softmax(x)[0], np.log(softmax(x)[0]), rtol=1e-14)
    np.testing.assert_array_equal(log_softmax(x)[1], [-2e4, -1e4, 0])


def test_the_sum_of_places_keeps_float32s_digits_over_a_million_of_them() -> None:
    total = sum_of_places(np.full((1000, 1000, 1), 0.1, np.float32))
    assert total.dtype == np.float32
    np.testing.assert_allclose(total, 1e6 * float(np.float32(0.1)), rtol=1e-7)


def test_one_hot_marks_each_class() -> None:
    np.testing.assert_array_equal(one_hot(np.array([[2, 0]]), 3, np.float32), [[[0, 0, 1], [1, 0, 0]]])
