"""The losses by hand, and their gradients by finite differences."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nnspec.runtime.arrays import Array
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.infer.drawn import drawn_targets
from nnspec.runtime.losses import build_loss
from nnspec.runtime.targets import TargetError
from nnspec.spec_lang.check.canonical_text import in_short
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.losses import (
    BinaryCrossEntropy,
    BinaryFocal,
    BinaryHinge,
    CrossEntropy,
    Focal,
    Hinge,
    Huber,
    Kl,
    Loss,
    Mae,
    Mse,
    Quantile,
)
from nnspec.spec_lang.vocabulary.registry import words
from tests.support.strategies import distinct, seeds


def as_written(line: str) -> Loss:
    """The loss of a line of a spec."""
    cls: Any = words("loss")[line.split()[1]]
    return check_source(Source("a test", f"input 3 -> dense 6 {cls.head or 'linear'}\n{line}")).loss


EVERY = {
    line: as_written(line)
    for name, cls in words("loss").items()
    for line in dict.fromkeys((f"loss {name}", *cls.examples))
}
"""Each loss with its defaults, and as its examples write it."""


@settings(max_examples=40, deadline=None)
@given(
    line=st.sampled_from(sorted(EVERY)),
    shape=st.sampled_from([(4, 1), (3, 6), (2, 3, 4), (2, 2, 3)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=seeds,
)
def test_the_gradient_of_every_loss_is_its_slope(line: str, shape: tuple[int, ...], dtype: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    word = EVERY[line]
    assume(shape[-1] % word.answers == 0)
    outputs = distinct(random, shape) * 1.37  # away from the corners of mae, huber and hinge: targets are whole here
    targets = drawn_targets(word, shape, random)
    targets = np.round(targets) if word.numbers else targets
    loss = build_loss(word)
    value, gradient = loss(outputs, targets)
    gradient_check(lambda moved: loss(moved, targets)[0], outputs, gradient, line)
    rounded, rounded_gradient = loss(outputs.astype(dtype), targets)
    assert type(rounded) is float
    assert rounded_gradient.dtype == dtype
    assert rounded_gradient.shape == outputs.shape
    np.testing.assert_allclose(rounded, value, rtol=1e-5, atol=float(np.finfo(dtype).eps))  # kl is a difference


def value(word: Loss, outputs: Any, targets: Any) -> float:
    return build_loss(word)(np.array(outputs, np.float64), np.array(targets))[0]


def gradient(word: Loss, outputs: Any, targets: Any) -> Array:
    return build_loss(word)(np.array(outputs, np.float64), np.array(targets))[1]


def test_cross_entropy_of_equal_numbers_is_the_logarithm_of_the_classes() -> None:
    assert value(CrossEntropy(), np.zeros((5, 10)), [0, 1, 2, 3, 9]) == pytest.approx(math.log(10), rel=1e-14)


def test_the_gradient_of_cross_entropy_is_the_probability_less_the_truth_over_the_batch() -> None:
    logits = np.log([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(gradient(CrossEntropy(), logits, [1, 2]), [[0.1, -0.35, 0.25], [0.05, 0.05, -0.1]])


def test_smoothing_divides_a_share_of_the_target_between_the_classes() -> None:
    logits = np.log([[0.2, 0.3, 0.5]])
    expected = -0.7 * math.log(0.5) - 0.1 * (math.log(0.2) + math.log(0.3) + math.log(0.5))
    assert value(CrossEntropy(smoothing=0.3), logits, [2]) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(gradient(CrossEntropy(smoothing=0.3), logits, [2]), [[0.1, 0.2, -0.3]])


def test_no_smoothing_is_bit_for_bit_the_loss_without_it() -> None:
    logits = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
    for word, targets in ((CrossEntropy, np.array([0, 1, 2, 0])), (BinaryCrossEntropy, (logits > 0).astype(np.int64))):
        assert "smoothing" not in in_short(word(smoothing=0)), "kept results and old digests stay valid"
        plain, none = (build_loss(one)(logits, targets) for one in (word(), word(smoothing=0)))
        assert plain[0] == none[0] and np.array_equal(plain[1], none[1])


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


def test_focal_counts_the_less_the_surer_the_network_is() -> None:
    logits = np.log([[0.9, 0.1], [0.1, 0.9]])
    expected = -(0.1**2 * math.log(0.9) + 0.9**2 * math.log(0.1)) / 2
    assert value(Focal(), logits, [0, 0]) == pytest.approx(expected, rel=1e-14)
    binary = [[math.log(9)], [-math.log(9)]]  # probabilities 0.9 and 0.1
    assert value(BinaryFocal(), binary, [1, 1]) == pytest.approx(expected, rel=1e-14)
    assert value(BinaryFocal(alpha=0.25), binary, [1, 1]) == pytest.approx(expected / 4, rel=1e-14)
    assert value(BinaryFocal(alpha=0.25), [[-math.log(9)]], [0]) == pytest.approx(-0.75 * 0.01 * math.log(0.9))


def test_focal_with_gamma_0_is_cross_entropy() -> None:
    random = np.random.default_rng(1)
    logits, classes, labels = random.normal(size=(4, 3)), random.integers(0, 3, 4), random.integers(0, 2, (4, 3))
    for focal, plain, targets in (
        (Focal(gamma=0), CrossEntropy(), classes),
        (BinaryFocal(gamma=0), BinaryCrossEntropy(), labels),
    ):
        assert value(focal, logits, targets) == pytest.approx(value(plain, logits, targets), rel=1e-14)
        np.testing.assert_allclose(gradient(focal, logits, targets), gradient(plain, logits, targets), atol=1e-15)


def test_focal_is_finite_where_the_network_is_sure() -> None:
    for gamma in (0.5, 2.0):
        for sure in (1e4, -1e4):
            for word, logits, target in (
                (Focal(gamma=gamma), [[sure, 0]], [0]),
                (BinaryFocal(gamma=gamma), [[sure]], [1]),
            ):
                assert np.isfinite(value(word, logits, target))
                assert np.isfinite(gradient(word, logits, target)).all()


def test_hinge_by_hand() -> None:
    scores = [[3.0, 2.5, 0.0]]  # of another class 0.5 is missing
    assert value(Hinge(), scores, [0]) == pytest.approx(0.5 / 3)
    assert value(Hinge(squared=True), scores, [0]) == pytest.approx(0.25 / 3)
    assert value(Hinge(margin=0.5), scores, [0]) == 0
    np.testing.assert_allclose(gradient(Hinge(), scores, [0]), [[-1 / 3, 1 / 3, 0]])
    assert value(BinaryHinge(), [[0.25], [-2.0]], [1, 0]) == 0.75 / 2
    assert value(BinaryHinge(squared=True), [[0.25], [-2.0]], [1, 0]) == 0.75**2 / 2
    np.testing.assert_array_equal(gradient(BinaryHinge(), [[0.25], [-2.0]], [1, 0]), [[-0.5], [0]])


def test_kl_is_zero_where_predictions_are_the_targets_and_cross_entropy_less_the_entropy_elsewhere() -> None:
    truth = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    assert value(Kl(), np.log(np.maximum(truth, 1e-300)), truth) == pytest.approx(0, abs=1e-15)
    assert value(Kl(), np.zeros((1, 3)), truth[:1]) == pytest.approx(math.log(3) + (truth[0] * np.log(truth[0])).sum())
    assert value(Kl(), [[1.0, 2.0, 3.0]], [2]) == pytest.approx(value(CrossEntropy(), [[1.0, 2.0, 3.0]], [2]))


def test_kl_refuses_what_is_no_distribution() -> None:
    with pytest.raises(TargetError, match="no probability below 0"):
        value(Kl(), [[0.0, 0.0]], [[-0.5, 1.5]])
    with pytest.raises(TargetError, match=r"sum to 1, and some sum to 0\.9"):
        value(Kl(), [[0.0, 0.0]], [[0.5, 0.4]])
    with pytest.raises(TargetError, match="sum to 1, and some sum to nan"):
        value(Kl(), [[0.0, 0.0]], [[0.5, np.nan]])


@pytest.mark.parametrize("word", [BinaryFocal(), BinaryHinge()])
def test_losses_of_sides_refuse_what_is_neither_yes_nor_no(word: Loss) -> None:
    with pytest.raises(TargetError, match=r"needs targets of 0 \(no\) or 1 \(yes\)"):
        value(word, [[0.0]], [0.5])


def test_mse_mae_and_huber_by_hand() -> None:
    outputs, targets = [[1.0, 5.0]], [[0.5, 2.0]]
    assert value(Mse(), outputs, targets) == (0.25 + 9) / 2
    assert value(Mae(), outputs, targets) == (0.5 + 3) / 2
    assert value(Huber(), outputs, targets) == (0.5 * 0.25 + (3 - 0.5)) / 2
    assert value(Huber(delta=2), outputs, targets) == (0.5 * 0.25 + 2 * (3 - 1)) / 2
    np.testing.assert_array_equal(gradient(Mse(), outputs, targets), [[0.5, 3]])
    np.testing.assert_array_equal(gradient(Mae(), outputs, targets), [[0.5, 0.5]])
    np.testing.assert_array_equal(gradient(Huber(delta=2), outputs, targets), [[0.25, 1]])


def test_quantile_by_hand() -> None:
    outputs, targets = [[1.0, 2.0, 4.0]], [3.0]
    expected = (0.1 * 2 + 0.5 * 1 + (1 - 0.9) * 1) / 3
    assert value(Quantile(at=(0.1, 0.5, 0.9)), outputs, targets) == pytest.approx(expected)
    np.testing.assert_allclose(
        gradient(Quantile(at=(0.1, 0.5, 0.9)), outputs, targets), [[-0.1 / 3, -0.5 / 3, 0.1 / 3]]
    )
    assert value(Quantile(), [[1.0], [2.0]], [3.0, 1.0]) == pytest.approx(value(Mae(), [[1.0], [2.0]], [3.0, 1.0]) / 2)
    two = value(Quantile(at=(0.1, 0.9)), [[1.0, 3.0, 10.0, 30.0]], [[2.0, 20.0]])
    assert two == pytest.approx((0.1 * 1 + 0.1 * 1 + 0.1 * 10 + 0.1 * 10) / 4), "quantiles of a target side by side"


def test_the_quantile_of_the_targets_has_the_least_loss() -> None:
    targets = np.sort(np.random.default_rng(1).normal(size=1001))
    losses = [value(Quantile(at=(0.9,)), np.full((1001, 1), guess), targets) for guess in targets]
    assert targets[int(np.argmin(losses))] == np.quantile(targets, 0.9)


@pytest.mark.parametrize("at", [(0.0,), (1.0,), (0.5, 0.5), (0.9, 0.1)])
def test_quantiles_are_between_0_and_1_and_rise(at: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="rising order"):
        Quantile(at=at)


def test_mse_on_classes_compares_with_ones_and_zeros() -> None:
    assert value(Mse(), [[0.0, 1.0, 0.0]], [2]) == pytest.approx(2 / 3)


def test_a_loss_over_one_output_never_compares_each_sample_with_every_target() -> None:
    assert value(Mse(), [[1.0], [2.0]], [1.0, 2.0]) == 0


def test_padding_has_neither_loss_nor_gradient() -> None:
    random = np.random.default_rng(1)
    logits, classes = random.normal(size=(2, 3, 4)), random.integers(0, 4, (2, 3))
    padded = np.pad(logits, ((0, 0), (0, 2), (0, 0)), constant_values=7.0)
    for word in (word for word in EVERY.values() if word.skips_padding):
        loss, gradient = build_loss(word)(padded, np.pad(classes, ((0, 0), (0, 2)), constant_values=-1))
        alone, alone_gradient = build_loss(word)(logits, classes)
        assert loss == pytest.approx(alone, rel=1e-14)
        np.testing.assert_allclose(gradient[:, :3], alone_gradient, rtol=1e-13)
        assert not gradient[:, 3:].any()


@settings(max_examples=40, deadline=None)
@given(
    line=st.sampled_from(sorted(EVERY)),
    shape=st.sampled_from([(4, 1), (3, 6), (2, 3, 4), (2, 2, 3)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=seeds,
)
def test_weights_multiply_the_terms_of_their_samples(line: str, shape: tuple[int, ...], dtype: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    word = EVERY[line]
    assume(shape[-1] % word.answers == 0)
    outputs = (distinct(random, shape) * 1.37).astype(dtype)
    targets = drawn_targets(word, shape, random)
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
