"""What is drawn of images."""

import numpy as np
import pytest

from nnspec.runtime.views._sheet import shades
from nnspec.runtime.views.augment import augment

PHOTOS = np.random.default_rng(0).integers(40, 230, (3, 5, 4, 3))


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8"])
def test_photos_keep_their_colours_in_any_dtype(dtype: str) -> None:
    shown = shades(PHOTOS.astype(dtype))
    assert shown.pixels.dtype == np.uint8 and shown.note == ""
    np.testing.assert_array_equal(shown.pixels, PHOTOS)


def test_numbers_that_are_no_bytes_are_stretched_and_it_is_said() -> None:
    for samples in (PHOTOS + 0.5, PHOTOS - 100, PHOTOS * 2):
        shown = shades(samples)
        assert shown.pixels.min() == 0 and shown.pixels.max() == 1 and shown.note.startswith("Colours span")


def test_variations_of_photos_have_the_colours_of_the_photos() -> None:
    (axes,) = augment(PHOTOS.astype("u1"), PHOTOS[:, None] + 0.25).axes
    original, changed = (np.asarray(image.get_array()) for image in axes.images[:2])
    np.testing.assert_array_equal(original, PHOTOS[0])
    np.testing.assert_array_equal(changed, PHOTOS[0])
    assert "Colours span" not in axes.get_title("left")
