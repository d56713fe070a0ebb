"""Windows over images: reading them and adding back are each other's transpose."""

import numpy as np
from hypothesis import given, settings

from nnspec.runtime.layers._windows import Windows
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import Case, batches, convolutions, layer, seeds


@settings(max_examples=60, deadline=None)
@given(case=convolutions(), batch=batches, seed=seeds)
def test_fold_is_the_transpose_of_unfold(case: Case, batch: int, seed: int) -> None:
    assert isinstance(case.word, Conv)
    windows = Windows.of(case.word, case.shape)
    random = np.random.default_rng(seed)
    x = random.normal(size=(batch, *case.shape))
    unfolded = windows.unfold(x)
    other = random.normal(size=unfolded.shape)
    np.testing.assert_allclose((unfolded * other).sum(), (x * windows.fold(other)).sum(), rtol=1e-10, atol=1e-10)


def test_unfolding_copies_nothing_where_nothing_is_padded() -> None:
    word = layer("conv 3x3 x1")
    assert isinstance(word, Conv)
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    unfolded = Windows.of(word, Shape((5, 5, 1))).unfold(x)
    assert np.shares_memory(unfolded, x)
    np.testing.assert_array_equal(unfolded[0, 1, 2, :, :, 0], x[0, 1:4, 2:5, 0])
