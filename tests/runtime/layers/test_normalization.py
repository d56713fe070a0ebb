"""Normalizations by hand, and the running averages that batchnorm keeps."""

import numpy as np

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import layer


def fresh(channels: int) -> dict[str, Array]:
    """As training begins."""
    return {
        "weight": np.ones(channels),
        "bias": np.zeros(channels),
        "running_mean": np.zeros(channels),
        "running_var": np.ones(channels),
    }


def test_while_training_each_channel_has_mean_0_and_variance_1_over_samples_and_places() -> None:
    x = np.random.default_rng(1).normal(5, 3, (4, 6, 5, 2))
    y, _ = build(layer("batchnorm"), Shape((6, 5, 2)), fresh(2))(x, Mode(training=True))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, rtol=1e-5)


def test_the_running_averages_move_by_momentum_with_the_variance_of_n_minus_1() -> None:
    arrays = fresh(1)
    kept = arrays["running_mean"]
    x = np.array([[1.0], [3.0], [8.0]])  # mean 4, squared deviations 9 + 1 + 16
    build(layer("batchnorm momentum=0.25"), Shape((1,)), arrays)(x, Mode(training=True))
    np.testing.assert_allclose(arrays["running_mean"], 0.75 * 0 + 0.25 * 4)
    np.testing.assert_allclose(arrays["running_var"], 0.75 * 1 + 0.25 * 26 / 2)
    assert arrays["running_mean"] is kept


def test_inference_uses_the_running_averages_and_leaves_them_alone() -> None:
    arrays = {**fresh(1), "running_mean": np.array([2.0]), "running_var": np.array([4.0]), "bias": np.array([10.0])}
    y, backward = build(layer("batchnorm eps=1e-12"), Shape((1,)), arrays)(np.array([[8.0]]), Mode())
    np.testing.assert_allclose(y, 3 + 10)
    np.testing.assert_allclose(backward(np.ones((1, 1)))[0], 1 / 2)
    np.testing.assert_array_equal(arrays["running_mean"], 2)
    np.testing.assert_array_equal(arrays["running_var"], 4)


def test_a_batch_of_one_number_has_no_variance_and_leaves_the_running_one_as_it_is() -> None:
    arrays = {**fresh(2), "bias": np.array([7.0, 8.0])}
    y, backward = build(layer("batchnorm"), Shape((2,)), arrays)(np.array([[3.0, 5.0]]), Mode(training=True))
    np.testing.assert_array_equal(y, [[7, 8]])
    np.testing.assert_allclose(arrays["running_mean"], [0.3, 0.5])
    np.testing.assert_array_equal(arrays["running_var"], [1, 1])
    np.testing.assert_array_equal(backward(np.ones((1, 2)))[0], [[0, 0]])


def test_a_gradient_that_only_shifts_or_stretches_a_channel_does_not_reach_what_was_normalized() -> None:
    x = np.random.default_rng(1).normal(size=(6, 3))
    y, backward = build(layer("batchnorm eps=1e-14"), Shape((3,)), fresh(3))(x, Mode(training=True))
    np.testing.assert_allclose(backward(np.ones_like(y) + 2 * y)[0], 0, atol=1e-12)


def test_float32_keeps_its_digits_over_many_places_far_from_zero() -> None:
    x = np.random.default_rng(1).normal(100, 1, (8, 64, 64, 1))
    shape, arrays = Shape((64, 64, 1)), fresh(1)
    exact, _ = build(layer("batchnorm"), shape, arrays)(x, Mode(training=True))
    small = {name: array.astype(np.float32) for name, array in fresh(1).items()}
    y, _ = build(layer("batchnorm"), shape, small)(x.astype(np.float32), Mode(training=True))
    np.testing.assert_allclose(y, exact, atol=2e-5)
    np.testing.assert_allclose(small["running_var"], arrays["running_var"], rtol=1e-5)


def test_layernorm_looks_along_the_last_axis_alone() -> None:
    x = np.array([[[1.0, 3], [10, 30]]])
    arrays = {"weight": np.array([1.0, 2]), "bias": np.array([0.0, 5])}
    y, _ = build(layer("layernorm eps=1e-14"), Shape((2, 2), sequence=True), arrays)(x, Mode())
    np.testing.assert_allclose(y, [[[-1, 7], [-1, 7]]])
