"""The fully connected layer by hand."""

import numpy as np

from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import layer


def test_each_output_is_a_weighted_sum_and_its_bias() -> None:
    arrays = {"weight": np.array([[1.0, 10], [2, 20], [3, 30]]), "bias": np.array([0.5, 0.25])}
    y, backward = build(layer("dense 2"), Shape((3,)), arrays)(np.array([[1.0, 0, 1], [0, 1, 0]]), Mode())
    np.testing.assert_array_equal(y, [[4.5, 40.25], [2.5, 20.25]])
    d_x, gradients = backward(np.array([[1.0, 0], [0, 1]]))
    np.testing.assert_array_equal(d_x, [[1, 2, 3], [10, 20, 30]])
    np.testing.assert_array_equal(gradients["weight"], [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(gradients["bias"], [1, 1])


def test_an_image_is_flattened_row_by_row_with_the_channels_running_fastest() -> None:
    random = np.random.default_rng(1)
    x, arrays = random.normal(size=(2, 3, 4, 2)), {"weight": random.normal(size=(24, 5)), "bias": np.zeros(5)}
    y, backward = build(layer("dense 5"), Shape((3, 4, 2)), arrays)(x, Mode())
    np.testing.assert_array_equal(y, x.reshape(2, 24) @ arrays["weight"])
    assert backward(y)[0].shape == x.shape


def test_a_sequence_is_taken_step_by_step_with_the_same_weights() -> None:
    random = np.random.default_rng(1)
    x, arrays = random.normal(size=(2, 3, 4)), {"weight": random.normal(size=(4, 5)), "bias": random.normal(size=5)}
    y, _ = build(layer("dense 5"), Shape((3, 4), sequence=True), arrays)(x, Mode())
    for step in range(3):
        np.testing.assert_allclose(y[:, step], x[:, step] @ arrays["weight"] + arrays["bias"], rtol=1e-12)


def test_the_activation_is_left_to_the_layer_after_it() -> None:
    arrays = {"weight": np.array([[-1.0]]), "bias": np.zeros(1)}
    y, _ = build(layer("dense 1 relu"), Shape((1,)), arrays)(np.array([[2.0]]), Mode())
    np.testing.assert_array_equal(y, [[-2]])
