"""Affine maps of images against the definition of bilinear interpolation, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation.places import identities
from nnspec.runtime.data.augmentation.warp import AT_ONCE, Warp, place_type, warp_bytes
from tests.support.spec_texts import cases

FILLS = ("edge", "reflect", "zeros")
PADDED = {"edge": "edge", "reflect": "reflect", "zeros": "constant"}
SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 4))


def mapped(images: Array, matrices: Array, fill: str, most: int | None = None) -> Array:
    """What a warp makes of images, in float64."""
    out = np.full(images.shape, np.nan)
    warp = Warp(most or len(images), images.shape[1:], np.dtype(np.float64), fill)
    warp(images, matrices, out)
    return out


def defined(image: Array, matrix: Array, fill: str) -> Array:
    """The definition: each pixel is the mean of the four around its place, by their nearness."""
    height, width, channels = image.shape
    margin = 40
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), PADDED[fill])  # type: ignore[call-overload]
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    answer = np.zeros((height, width, channels))
    for row in range(height):
        for column in range(width):
            place = (matrix @ [row - middle[0], column - middle[1], 1])[:2] + middle + margin
            first = np.floor(place).astype(int)
            share = place - first
            for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
                weight = (share[0] if down else 1 - share[0]) * (share[1] if right else 1 - share[1])
                answer[row, column] += weight * padded[first[0] + down, first[1] + right]
    return answer


@pytest.mark.parametrize("fill", FILLS)
@given(size=SIZES, seed=st.integers(0, 2**32))
@cases(30)
def test_a_map_is_the_definition_of_bilinear_interpolation(fill: str, size: tuple[int, int, int], seed: int) -> None:
    random = np.random.default_rng(seed)
    images = random.normal(size=(3, *size))
    matrices = identities(3)
    matrices[:, :2] += random.uniform(-1, 1, (3, 2, 3)) * (0.7, 0.7, 6.0)
    expected = [defined(image, matrix, fill) for image, matrix in zip(images, matrices, strict=True)]
    np.testing.assert_allclose(mapped(images, matrices, fill), expected, atol=1e-12)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_identity_changes_no_bit(fill: str, dtype: type) -> None:
    images: Array = np.random.default_rng(1).integers(0, 256, (5, 6, 9, 2)).astype(dtype)
    out = np.empty(images.shape, np.float32)
    Warp(5, (6, 9, 2), np.dtype(np.float32), fill)(images, identities(5), out)
    np.testing.assert_array_equal(out, images)


@pytest.mark.parametrize("fill", FILLS)
def test_a_whole_shift_is_the_padded_image_cut_elsewhere(fill: str) -> None:
    images = np.random.default_rng(2).normal(size=(1, 5, 6, 1))
    matrices = identities(1)
    matrices[0, :2, 2] = (-2, 3)  # two rows down, three columns to the left
    padded = np.pad(images[0, ..., 0], 4, PADDED[fill])  # type: ignore[call-overload]
    np.testing.assert_allclose(mapped(images, matrices, fill)[0, ..., 0], padded[2:7, 7:13], atol=1e-12)


@pytest.mark.parametrize("fill", FILLS)
def test_images_are_mapped_alike_however_many_there_is_room_for(fill: str) -> None:
    random = np.random.default_rng(3)
    images, matrices = random.normal(size=(7, 4, 5, 2)), identities(7)
    matrices[:, :2] += random.normal(size=(7, 2, 3))
    whole = mapped(images, matrices, fill)
    for most in (1, 2, 3, 7):
        np.testing.assert_array_equal(mapped(images, matrices, fill, most), whole)


def test_what_was_there_before_leaves_no_trace() -> None:
    random = np.random.default_rng(4)
    warp, matrices = Warp(4, (5, 5, 1), np.dtype(np.float32)), identities(2)
    matrices[:, :2] += random.normal(size=(2, 2, 3))
    images = random.normal(size=(2, 5, 5, 1)).astype(np.float32)
    first, second = np.empty_like(images), np.empty_like(images)
    warp(images, matrices, first)
    warp(random.normal(size=(4, 5, 5, 1)).astype(np.float32) * 1e30, identities(4), np.empty((4, 5, 5, 1), np.float32))
    warp(images, matrices, second)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("size", [(28, 28, 1), (5, 300, 3), (400, 400, 2)])
@pytest.mark.parametrize("most", [1, 64, 1000])
def test_the_memory_of_a_map_is_known_before_it_is_made(size: tuple[int, int, int], most: int) -> None:
    warp = Warp(most, size, np.dtype(np.float32))
    buffers = warp._source, warp._index, *warp._places
    assert sum(array.nbytes for array in buffers) == warp_bytes(most, size, np.dtype(np.float32))
    assert warp.samples == 1 or warp.samples * size[0] * size[1] <= AT_ONCE


def test_places_of_an_image_too_large_for_float32_are_float64() -> None:
    assert place_type(4000 * 4000, np.dtype(np.float32)) == np.float32
    assert place_type(5000 * 5000, np.dtype(np.float32)) == np.float64
