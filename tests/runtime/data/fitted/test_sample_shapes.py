"""Shapes that mean the same as (batch, *shape), and those that do not."""

import numpy as np
import pytest

from nnspec.runtime.data.fitted.sample_shapes import as_samples
from nnspec.runtime.errors import DataError


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ((5, 28, 28, 1), (28, 28, 1)),
        ((5, 28, 28), (28, 28, 1)),
        ((5, 784), (28, 28, 1)),
        ((5, 28, 28, 1), (28, 28)),
        ((5, 28, 28), (784,)),
        ((5, 28, 28, 1), (784,)),
        ((5, 10), (10, 1)),
        ((5, 10, 1), (10,)),
        ((5,), (1,)),
        ((5, 1), (1,)),
        ((5, 6, 3), (6, 3)),
    ],
)
def test_a_batch_in_another_shape_of_the_same_meaning_is_taken_in_order(
    given: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    samples = np.arange(np.prod(given)).reshape(given)
    taken = as_samples(samples, shape)
    assert taken.shape == (5, *shape)
    assert np.array_equal(taken.ravel(), samples.ravel())
    assert np.shares_memory(taken, samples)


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ((28, 28, 1), (28, 28, 1)),
        ((28, 28), (28, 28, 1)),
        ((784,), (28, 28, 1)),
        ((32, 32, 3), (32, 32, 3)),
        ((4,), (4,)),
        ((10,), (10, 1)),
        ((6, 3), (6, 3)),
        ((), (1,)),
    ],
)
def test_one_sample_is_a_batch_of_one(given: tuple[int, ...], shape: tuple[int, ...]) -> None:
    samples = np.arange(np.prod(given)).reshape(given)
    taken = as_samples(samples, shape)
    assert taken.shape == (1, *shape)
    assert np.array_equal(taken.ravel(), samples.ravel())


@pytest.mark.parametrize(
    ("given", "shape", "call"),
    [
        ((5, 1, 28, 28), (28, 28, 1), "x.transpose(0, 2, 3, 1)"),
        ((5, 3, 32, 30), (32, 30, 3), "x.transpose(0, 2, 3, 1)"),
        ((3, 32, 30), (32, 30, 3), "x.transpose(1, 2, 0)[None]"),
        ((5, 2880), (32, 30, 3), "x.reshape(-1, 32, 30, 3)"),
        ((5, 2880), (32, 30, 3), "x.reshape(-1, 3, 32, 30).transpose(0, 2, 3, 1)"),
        ((5, 18), (6, 3), "x.reshape(-1, 6, 3)"),
    ],
)
def test_an_ambiguous_order_is_refused_with_the_call_that_converts_it(
    given: tuple[int, ...], shape: tuple[int, ...], call: str
) -> None:
    samples = np.zeros(given)
    with pytest.raises(DataError) as error:
        as_samples(samples, shape)
    assert call in str(error.value)
    converted = eval(call, {"x": samples})
    assert as_samples(converted, shape).shape[1:] == shape


@pytest.mark.parametrize(
    ("given", "shape", "said"),
    [
        ((4, 1), (4,), "samples of 1 features were given, and the network takes 4"),
        ((2, 2), (4,), "samples of 2 features were given, and the network takes 4"),
        ((2, 17), (4,), "samples of 17 features were given, and the network takes 4"),
        ((784, 1), (28, 28, 1), "samples of 1 were given, and the network takes 28x28x1"),
        ((2, 32, 32, 1), (28, 28, 1), "samples of 32x32x1 were given, and the network takes 28x28x1"),
        ((2, 28, 28, 3), (28, 28, 1), "samples of 28x28x3 were given"),
        ((), (4,), "a single number was given, and the network takes samples of 4"),
    ],
)
def test_other_shapes_are_refused_with_both(given: tuple[int, ...], shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        as_samples(np.zeros(given), shape)


def test_samples_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="samples must be numbers"):
        as_samples([["a"]], (1,))
