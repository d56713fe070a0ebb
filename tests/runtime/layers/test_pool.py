"""Pools against the loops that define them, and what their gradients reach."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from hypothesis import given, settings

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.pool import AvgPool, MaxPool, Pool
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.support.strategies import Case, batches, distinct, each_axis, layer, pools, seeds


def slow_pool(word: Pool, x: Array, summary: Callable[[list[float], int], float]) -> Array:
    """One window at a time: `summary` of the numbers that it sees, and of how many places of the padding it covers."""
    time = x.ndim == 3
    x = x[:, :, None] if time else x
    batch, height, width, channels = x.shape
    down, right = (word.pad, 0) if time else each_axis(word.pad)
    tall, wide = (word.window[0], 1) if time else word.pair()
    (s, t), (d, e) = each_axis(word.stride or (tall, wide)), each_axis(word.dilation)
    rows, columns = slow_axis(height, tall, s, down, d, word), slow_axis(width, wide, t, right, e, word)
    y = np.zeros((batch, len(rows), len(columns), channels))
    for n, (i, (top, low)), (j, (left, high)), c in product(
        range(batch), enumerate(rows), enumerate(columns), range(channels)
    ):
        places = [(top + u * d, left + v * e) for u in range(tall) for v in range(wide)]
        seen = [x[n, r, q, c] for r, q in places if 0 <= r < height and 0 <= q < width]
        framed = sum(low[0] <= r < low[1] and high[0] <= q < high[1] for r, q in places)
        y[n, i, j, c] = summary(seen, framed - len(seen))
    return y[:, :, 0] if time else y


Bounds = tuple[int, int]


def slow_axis(length: int, cells: int, stride: int, pad: Any, dilation: int, word: Pool) -> list[tuple[int, Bounds]]:
    """The first cell of each window along an axis, and where the axis begins and ends with its padding."""
    reach = dilation * (cells - 1) + 1
    if pad == "same":
        total = max((-(-length // stride) - 1) * stride + reach - length, 0)
        pad = (total // 2, total - total // 2)
    elif pad == "valid":
        pad = (0, 0)
    before, after = pad if isinstance(pad, tuple) else (pad, pad)
    starts, start = [], -before
    while start + reach <= length + after:
        starts.append(start)
        start += stride
    if word.ceil_mode and start < length and (not starts or start - stride + reach < length + after):
        starts.append(start)
    if word.ceil_mode and starts[-1] >= length:
        starts.pop()
    return [(start, (-before, length + after)) for start in starts]


@settings(max_examples=80, deadline=None)
@given(case=pools(MaxPool), batch=batches, seed=seeds)
def test_maxpool_is_the_slow_loop_with_padding_that_never_wins(case: Case, batch: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(-5, 1, (batch, *case.shape))
    y, _ = build(case.word, case.shape, {})(x, Mode())
    assert isinstance(case.word, Pool)
    np.testing.assert_array_equal(y, slow_pool(case.word, x, lambda seen, padding: max(seen)))


@settings(max_examples=80, deadline=None)
@given(case=pools(AvgPool), batch=batches, seed=seeds)
def test_avgpool_is_the_slow_loop_with_zeros_of_the_padding_counted_or_not(case: Case, batch: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(3, 1, (batch, *case.shape))
    y, _ = build(case.word, case.shape, {})(x, Mode())
    word = case.word
    assert isinstance(word, AvgPool)

    def mean(seen: list[float], padding: int) -> float:
        return sum(seen) / (len(seen) + (padding if word.count_include_pad else 0))

    np.testing.assert_allclose(y, slow_pool(word, x, mean), rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(case=pools(MaxPool) | pools(AvgPool), batch=batches, seed=seeds)
def test_the_gradient_of_a_pool_gives_back_its_value_as_twice_the_image_gives_twice_the_numbers(
    case: Case, batch: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = distinct(random, (batch, *case.shape))
    y, backward = build(case.word, case.shape, {})(x, Mode())
    d_y = random.normal(size=y.shape)
    np.testing.assert_allclose((backward(d_y)[0] * x).sum(), (y * d_y).sum(), rtol=1e-9, atol=1e-9)


def test_maxpool_sends_the_gradient_to_the_winner_alone() -> None:
    x = np.array([[1.0, 5, 2, 0], [3, 4, 7, 6]]).reshape(1, 2, 4, 1)
    y, backward = build(layer("maxpool 2"), Shape((2, 4, 1)), {})(x, Mode())
    np.testing.assert_array_equal(y.ravel(), [5, 7])
    np.testing.assert_array_equal(
        backward(np.array([10.0, 20]).reshape(1, 1, 2, 1))[0][0, :, :, 0], [[0, 10, 0, 0], [0, 0, 20, 0]]
    )


def test_of_equals_the_first_wins_the_whole_gradient() -> None:
    y, backward = build(layer("maxpool 2"), Shape((2, 2, 1)), {})(np.full((1, 2, 2, 1), 3.0), Mode())
    np.testing.assert_array_equal(backward(np.ones_like(y))[0][0, :, :, 0], [[1, 0], [0, 0]])
    y, backward = build(layer("globalmaxpool"), Shape((2, 2, 1)), {})(np.full((1, 2, 2, 1), 3.0), Mode())
    np.testing.assert_array_equal(backward(np.ones_like(y))[0][0, :, :, 0], [[1, 0], [0, 0]])


def test_where_windows_overlap_a_pixel_that_wins_twice_is_paid_twice() -> None:
    x = np.array([[0.0, 9, 1]]).reshape(1, 1, 3, 1)
    y, backward = build(layer("maxpool 1x2 stride=1"), Shape((1, 3, 1)), {})(x, Mode())
    np.testing.assert_array_equal(y.ravel(), [9, 9])
    np.testing.assert_array_equal(backward(np.array([1.0, 10]).reshape(1, 1, 2, 1))[0].ravel(), [0, 11, 0])


def test_pixels_that_no_window_reaches_have_no_gradient() -> None:
    y, backward = build(layer("avgpool 2"), Shape((3, 3, 1)), {})(np.ones((1, 3, 3, 1)), Mode())
    np.testing.assert_array_equal(
        backward(np.ones_like(y))[0][0, :, :, 0], [[0.25, 0.25, 0], [0.25, 0.25, 0], [0, 0, 0]]
    )


def test_an_image_without_a_channel_axis_is_pooled_as_one_of_one_channel() -> None:
    x = np.arange(16.0).reshape(1, 4, 4)
    y, backward = build(layer("maxpool 2"), Shape((4, 4)), {})(x, Mode())
    np.testing.assert_array_equal(y[..., 0], [[[5, 7], [13, 15]]])
    assert backward(y)[0].shape == x.shape


def test_global_pools_sum_up_each_channel_of_an_image_or_a_sequence() -> None:
    x = np.array([[[1.0, 8], [3, 2], [5, 5]]])  # (batch, time, features)
    steps = Shape((3, 2), sequence=True)
    np.testing.assert_array_equal(build(layer("globalavgpool"), steps, {})(x, Mode())[0], [[3, 5]])
    np.testing.assert_array_equal(build(layer("globalmaxpool"), steps, {})(x, Mode())[0], [[5, 8]])
    image = x.reshape(1, 3, 1, 2)
    np.testing.assert_array_equal(build(layer("globalavgpool"), Shape((3, 1, 2)), {})(image, Mode())[0], [[3, 5]])
