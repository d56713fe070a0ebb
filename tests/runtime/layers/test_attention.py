"""Attention and positions: by hand, what is seen, and what does not fit."""

import numpy as np
import pytest

import nnspec
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.attention import Attention, Positions
from nnspec.spec_lang.vocabulary.shape import Misfit, Shape
from tests.support.strategies import Case

SHAPE = Shape((5, 4), sequence=True)


def test_steps_that_match_equally_are_averaged() -> None:
    """Where q and k are zeros each step is the mean of what it sees."""
    word = Attention(heads=2, bias=False)
    weight = np.zeros((4, 12))
    weight[:, 8:] = np.eye(4)
    arrays = {"input_weight": weight, "output_weight": np.eye(4)}
    x = np.random.default_rng(1).normal(size=(2, *SHAPE))
    y, _ = build(word, SHAPE, arrays)(x, Mode())
    np.testing.assert_allclose(y, np.broadcast_to(x.mean(1, keepdims=True), x.shape))
    causal, _ = build(Attention(heads=2, bias=False, causal=True), SHAPE, arrays)(x, Mode())
    np.testing.assert_allclose(causal, np.cumsum(x, 1) / np.arange(1, 6)[:, None])


def test_a_causal_step_does_not_change_with_later_ones_and_another_does() -> None:
    x = np.random.default_rng(1).normal(size=(1, *SHAPE))
    changed = x.copy()
    changed[:, 3:] += 1
    for causal in (True, False):
        word = Attention(heads=2, causal=causal)
        forward = build(word, SHAPE, Case("", word, SHAPE).arrays(np.random.default_rng(2)))
        same = np.array_equal(forward(x, Mode())[0][:, :3], forward(changed, Mode())[0][:, :3])
        assert same == causal


def test_a_sample_that_is_all_padding_gives_finite_numbers() -> None:
    word = Attention(heads=2)
    forward = build(word, SHAPE, Case("", word, SHAPE).arrays(np.random.default_rng(2)))
    y, backward = forward(np.ones((2, *SHAPE)), Mode(padding=np.array([5, 0])))
    d_x, gradients = backward(np.ones_like(y))
    assert all(np.isfinite(array).all() for array in (y, d_x, *gradients.values()))


def test_scores_too_large_for_exp_are_no_trouble() -> None:
    word = Attention(heads=1)
    arrays = {n: 1e3 * a for n, a in Case("", word, SHAPE).arrays(np.random.default_rng(2)).items()}
    y, _ = build(word, SHAPE, arrays)(np.random.default_rng(1).normal(size=(1, *SHAPE)), Mode())
    assert np.isfinite(y).all()


def test_an_odd_number_of_features_has_one_more_sine_than_cosines() -> None:
    shape = Shape((3, 5), sequence=True)
    y, _ = build(Positions(), shape, {})(np.zeros((1, *shape)), Mode())
    np.testing.assert_allclose(y[0, 0], [0, 1, 0, 1, 0])
    np.testing.assert_allclose(y[0, 2, 4], np.sin(2 / 10_000**0.8))


@pytest.mark.parametrize(
    ("word", "shape", "said"),
    [
        (Attention(heads=3), SHAPE, "3 heads cannot share 4 numbers"),
        (Attention(heads=2), Shape((7,)), "attention reads a sequence"),
        (Positions(), Shape((4, 4, 3)), "positions reads a sequence"),
    ],
)
def test_what_does_not_fit_is_told(word: Attention | Positions, shape: Shape, said: str) -> None:
    with pytest.raises(Misfit, match=said) as caught:
        word.output_shape(shape)
    assert caught.value.help


def test_a_network_whose_steps_see_too_many_others_is_refused_before_it_trains() -> None:
    with pytest.raises(nnspec.SpecError, match="takes at least"):
        nnspec.check("input 200000x8 sequence\nattention 2 causal -> dense 1")
