"""The losses by hand, and their gradients by finite differences."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.runtime.arrays import Array
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.losses import build_loss
from nnspec.runtime.targets import TargetError
from nnspec.spec_lang.vocabulary.losses import BinaryCrossEntropy, CrossEntropy, Huber, Loss, Mae, Mse
from nnspec.spec_lang.vocabulary.registry import words
from tests.support.strategies import distinct, seeds


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(words("loss"))),
    shape=st.sampled_from([(4, 1), (3, 5), (2, 3, 4)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=seeds,
)
def test_the_gradient_of_every_loss_is_its_slope(name: str, shape: tuple[int, ...], dtype: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    word = words("loss")[name]()
    assert isinstance(word, Loss)
    outputs = distinct(random, shape) * 1.37  # away from the corners of mae and huber: targets are 0 or 1 here
    targets = random.integers(0, shape[-1], shape[:-1]) if word.classes else random.integers(0, 2, shape)
    loss = build_loss(word)
    value, gradient = loss(outputs, targets)
    gradient_check(lambda moved: loss(moved, targets)[0], outputs, gradient, name)
    rounded, rounded_gradient = loss(outputs.astype(dtype), targets)
    assert type(rounded) is float
    assert rounded_gradient.dtype == dtype
    assert rounded_gradient.shape == outputs.shape
    np.testing.assert_allclose(rounded, value, rtol=1e-5)


def value(word: Loss, outputs: Any, targets: Any) -> float:
    return build_loss(word)(np.array(outputs, np.float64), np.array(targets))[0]


def gradient(word: Loss, outputs: Any, targets: Any) -> Array:
    return build_loss(word)(np.array(outputs, np.float64), np.array(targets))[1]


def test_cross_entropy_of_equal_numbers_is_the_logarithm_of_the_classes() -> None:
    assert value(CrossEntropy(), np.zeros((5, 10)), [0, 1, 2, 3, 9]) == pytest.approx(math.log(10), rel=1e-14)


def test_the_gradient_of_cross_entropy_is_the_probability_less_the_truth_over_the_batch() -> None:
    logits = np.log([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(gradient(CrossEntropy(), logits, [1, 2]), [[0.1, -0.35, 0.25], [0.05, 0.05, -0.1]])


def test_cross_entropy_of_a_sequence_is_the_mean_over_all_steps() -> None:
    logits, classes = np.random.default_rng(1).normal(size=(2, 3, 4)), np.array([[0, 1, 2], [3, 3, 0]])
    assert value(CrossEntropy(), logits, classes) == pytest.approx(
        value(CrossEntropy(), logits.reshape(6, 4), classes.ravel()), rel=1e-14
    )


def test_a_network_that_is_sure_and_wrong_has_a_large_but_finite_loss() -> None:
    assert value(CrossEntropy(), [[-1e4, 1e4]], [0]) == 2e4
    assert value(BinaryCrossEntropy(), [[-1e4]], [1]) == 1e4
    assert value(BinaryCrossEntropy(), [[1e4]], [1]) == 0
    np.testing.assert_array_equal(gradient(BinaryCrossEntropy(), [[-1e4]], [1]), [[-1]])


def test_a_small_loss_keeps_its_digits() -> None:
    assert value(BinaryCrossEntropy(), [[40.0]], [1]) == pytest.approx(math.exp(-40), rel=1e-12)
    assert gradient(CrossEntropy(), [[40.0, 0]], [0])[0, 0] == pytest.approx(-math.exp(-40), rel=1e-12)


def test_binary_cross_entropy_is_the_mean_surprise_of_each_answer() -> None:
    logits = [[math.log(3), 0.0], [-math.log(3), 0.0]]  # probabilities 3/4, 1/2 and 1/4, 1/2
    expected = -(math.log(3 / 4) + math.log(1 / 2) + math.log(3 / 4) + math.log(1 / 2)) / 4
    assert value(BinaryCrossEntropy(), logits, [[1, 0], [0, 1]]) == pytest.approx(expected, rel=1e-14)


def test_binary_cross_entropy_takes_one_answer_a_sample_without_an_axis() -> None:
    assert value(BinaryCrossEntropy(), [[2.0], [-1.0]], [1, 0]) == value(
        BinaryCrossEntropy(), [[2.0], [-1.0]], [[1], [0]]
    )


def test_binary_cross_entropy_refuses_what_is_neither_yes_nor_no() -> None:
    for wrong in ([2], [-1], [np.nan]):
        with pytest.raises(TargetError, match=r"needs targets of 0 \(no\) or 1 \(yes\)"):
            value(BinaryCrossEntropy(), [[0.0]], wrong)


def test_mse_mae_and_huber_by_hand() -> None:
    outputs, targets = [[1.0, 5.0]], [[0.5, 2.0]]
    assert value(Mse(), outputs, targets) == (0.25 + 9) / 2
    assert value(Mae(), outputs, targets) == (0.5 + 3) / 2
    assert value(Huber(), outputs, targets) == (0.5 * 0.25 + (3 - 0.5)) / 2
    assert value(Huber(delta=2), outputs, targets) == (0.5 * 0.25 + 2 * (3 - 1)) / 2
    np.testing.assert_array_equal(gradient(Mse(), outputs, targets), [[0.5, 3]])
    np.testing.assert_array_equal(gradient(Mae(), outputs, targets), [[0.5, 0.5]])
    np.testing.assert_array_equal(gradient(Huber(delta=2), outputs, targets), [[0.25, 1]])


def test_mse_on_classes_compares_with_ones_and_zeros() -> None:
    assert value(Mse(), [[0.0, 1.0, 0.0]], [2]) == pytest.approx(2 / 3)


def test_a_loss_over_one_output_never_compares_each_sample_with_every_target() -> None:
    assert value(Mse(), [[1.0], [2.0]], [1.0, 2.0]) == 0


def test_padding_has_neither_loss_nor_gradient() -> None:
    random = np.random.default_rng(1)
    logits, classes = random.normal(size=(2, 3, 4)), random.integers(0, 4, (2, 3))
    padded = np.pad(logits, ((0, 0), (0, 2), (0, 0)), constant_values=7.0)
    loss, gradient = build_loss(CrossEntropy())(padded, np.pad(classes, ((0, 0), (0, 2)), constant_values=-1))
    alone, alone_gradient = build_loss(CrossEntropy())(logits, classes)
    assert loss == pytest.approx(alone, rel=1e-14)
    np.testing.assert_allclose(gradient[:, :3], alone_gradient, rtol=1e-13)
    assert not gradient[:, 3:].any()


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(words("loss"))),
    shape=st.sampled_from([(4, 1), (3, 5), (2, 3, 4)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=seeds,
)
def test_weights_multiply_the_terms_of_their_samples(name: str, shape: tuple[int, ...], dtype: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    word: Any = words("loss")[name]()
    outputs = (distinct(random, shape) * 1.37).astype(dtype)
    targets = random.integers(0, shape[-1], shape[:-1]) if word.classes else random.integers(0, 2, shape)
    weights = random.integers(0, 4, shape[0]).astype(np.float64)
    loss = build_loss(word)
    value, gradient = loss(outputs, targets, weights)
    assert gradient.dtype == dtype
    alone = [loss(outputs[i : i + 1], targets[i : i + 1]) for i in range(shape[0])]
    expected = sum(weight * one for weight, (one, _) in zip(weights, alone, strict=True)) / shape[0]
    slopes = np.concatenate([weight * slope for weight, (_, slope) in zip(weights, alone, strict=True)]) / shape[0]
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=1e-6)
    plain = loss(outputs, targets)
    ones = loss(outputs, targets, np.ones(shape[0]))
    assert ones[0] == plain[0] and np.array_equal(ones[1], plain[1])
