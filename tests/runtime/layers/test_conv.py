"""The convolution against the loops that define it."""

import numpy as np
from hypothesis import given, settings

from nnspec.runtime.arrays import Array
from nnspec.runtime.layers import Mode, build
from nnspec.spec_lang.vocabulary.layers.conv import Conv
from nnspec.spec_lang.vocabulary.shape import Shape
from nnspec.spec_lang.vocabulary.spatial import window_extent
from tests.support.strategies import Case, batches, convolutions, each_axis, layer, seeds


def slow_conv(word: Conv, x: Array, arrays: dict[str, Array]) -> Array:
    """Every sum written out: y[n,i,j,f] = Σ x[n, i·s + u·d − before, j·t + v·e − before, c] · w[u,v,c,f] + b[f]."""
    batch, height, width, channels = x.shape
    weight, (tall, wide) = arrays["weight"], word.window
    down, right = each_axis(word.pad)
    (s, t), (d, e) = each_axis(word.stride), each_axis(word.dilation)
    rows, columns = window_extent(height, tall, s, down, d), window_extent(width, wide, t, right, e)
    y = np.zeros((batch, rows.places, columns.places, word.filters))
    for n, i, j, f in np.ndindex(y.shape):
        group = f // (word.filters // word.groups)
        for u, v, c in np.ndindex(tall, wide, channels // word.groups):
            row = i * s + u * d - rows.before
            column = j * t + v * e - columns.before
            if 0 <= row < height and 0 <= column < width:
                y[n, i, j, f] += x[n, row, column, group * (channels // word.groups) + c] * weight[u, v, c, f]
        y[n, i, j, f] += arrays["bias"][f] if word.bias else 0
    return y


@settings(max_examples=60, deadline=None)
@given(case=convolutions(), batch=batches, seed=seeds)
def test_a_convolution_is_the_slow_loop_for_any_window_stride_padding_dilation_and_groups(
    case: Case, batch: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    arrays, x = case.arrays(random), random.normal(size=(batch, *case.shape))
    assert isinstance(case.word, Conv)
    y, _ = build(case.word, case.shape, arrays)(x, Mode())
    np.testing.assert_allclose(y, slow_conv(case.word, x, arrays), rtol=1e-10, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(case=convolutions(), batch=batches, seed=seeds)
def test_the_gradients_of_a_convolution_give_back_its_value_as_it_is_linear_in_each_of_its_arrays(
    case: Case, batch: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    arrays, x = case.arrays(random), random.normal(size=(batch, *case.shape))
    y, backward = build(case.word, case.shape, arrays)(x, Mode())
    d_y = random.normal(size=y.shape)
    d_x, gradients = backward(d_y)
    without_bias = y - arrays["bias"] if "bias" in arrays else y
    value = (without_bias * d_y).sum()
    np.testing.assert_allclose((d_x * x).sum(), value, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((gradients["weight"] * arrays["weight"]).sum(), value, rtol=1e-9, atol=1e-9)
    if "bias" in arrays:
        np.testing.assert_allclose(gradients["bias"], d_y.sum(axis=(0, 1, 2)), rtol=1e-12, atol=1e-12)


def test_a_window_of_ones_adds_up_what_it_looks_at() -> None:
    forward = build(layer("conv 2x2 x1 bias=no"), Shape((3, 3, 1)), {"weight": np.ones((2, 2, 1, 1))})
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    y, backward = forward(x, Mode())
    np.testing.assert_array_equal(y[0, :, :, 0], [[0 + 1 + 3 + 4, 1 + 2 + 4 + 5], [3 + 4 + 6 + 7, 4 + 5 + 7 + 8]])
    d_x, gradients = backward(np.ones_like(y))
    np.testing.assert_array_equal(d_x[0, :, :, 0], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    np.testing.assert_array_equal(gradients["weight"][:, :, 0, 0], [[0 + 1 + 3 + 4, 1 + 2 + 4 + 5], [20, 24]])


def test_an_image_without_a_channel_axis_is_one_of_one_channel() -> None:
    word = layer("conv 3x3 x2")
    random = np.random.default_rng(1)
    arrays, x = (
        {"weight": random.normal(size=(3, 3, 1, 2)), "bias": random.normal(size=2)},
        random.normal(size=(2, 5, 4)),
    )
    flat, flat_backward = build(word, Shape((5, 4)), arrays)(x, Mode())
    full, full_backward = build(word, Shape((5, 4, 1)), arrays)(x[..., None], Mode())
    np.testing.assert_array_equal(flat, full)
    np.testing.assert_array_equal(flat_backward(flat)[0], full_backward(full)[0][..., 0])


def test_groups_do_not_see_each_other() -> None:
    word = layer("conv 1x1 x4 groups=2 bias=no")
    x = np.zeros((1, 1, 1, 6))
    x[..., 4] = 1
    y, _ = build(word, Shape((1, 1, 6)), {"weight": np.ones((1, 1, 3, 4))})(x, Mode())
    np.testing.assert_array_equal(y.ravel(), [0, 0, 1, 1])


def test_with_padding_same_and_stride_one_the_image_keeps_its_size_and_a_centred_one_copies_it() -> None:
    weight = np.zeros((3, 3, 1, 1))
    weight[1, 1] = 1
    x = np.random.default_rng(1).normal(size=(2, 4, 5, 1))
    y, _ = build(layer("conv 3x3 x1 pad=same bias=no"), Shape((4, 5, 1)), {"weight": weight})(x, Mode())
    np.testing.assert_array_equal(y, x)
