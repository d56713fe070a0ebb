"""Images beside their variations."""

import numpy as np
import pytest

from nnspec.runtime.views import PictureError
from nnspec.runtime.views.augment import augment
from tests.runtime.views.pictures import overhang, title

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize(("images", "variations"), [(1, 1), (5, 8), (3, 20)])
def test_every_image_is_drawn_beside_its_variations(channels: int, images: int, variations: int) -> None:
    raw = RANDOM.integers(0, 256, (images, 9, 12, channels)).astype(np.uint8)
    changed = RANDOM.normal(100, 300, (images, variations, 9, 12, channels)).astype(np.float32)
    figure = augment(raw, changed, [f"class {i}" for i in range(images)], "augment noise=1", "of these")
    (axes,) = figure.axes
    assert title(figure) == "of these" and axes.get_title("left").startswith("augment noise=1")
    assert len(axes.images) == images * (variations + 1)
    assert overhang(figure) <= 0


def test_what_is_drawn_is_the_numbers_within_the_range_of_the_images() -> None:
    raw = np.array([0, 100, 50, 200], np.float32).reshape(1, 2, 2, 1)
    figure = augment(raw, np.stack([raw - 30, raw + 30], axis=1))
    original, darker, lighter = (np.asarray(image.get_array()) for image in figure.axes[0].images)
    np.testing.assert_array_equal(original, raw[0, ..., 0])
    np.testing.assert_array_equal(darker, np.maximum(raw[0, ..., 0] - 30, 0))
    np.testing.assert_array_equal(lighter, np.minimum(raw[0, ..., 0] + 30, 200))


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_targets_that_are_images_are_drawn_below_them(channels: int | None) -> None:
    raw = RANDOM.normal(size=(2, 6, 8, 1))
    deep = () if channels is None else (channels,)
    targets = RANDOM.integers(0, 3, (2, 6, 8, *deep))
    moved = np.stack([targets, np.roll(targets, 1, axis=2), targets], axis=1)
    figure = augment(raw, np.stack([raw] * 3, axis=1), ["a", "b"], targets=(targets, moved))
    drawn = figure.axes[0].images
    assert len(drawn) == 2 * 2 * 4 and overhang(figure) <= 0
    rows = {round(float(image.get_extent()[3]), 3) for image in drawn}
    assert len(rows) == 4
    if channels is None:
        np.testing.assert_array_equal(drawn[4].get_array(), targets[0])
        np.testing.assert_array_equal(drawn[6].get_array(), moved[0, 1])
    with pytest.raises(PictureError, match="targets are"):
        augment(raw, np.stack([raw] * 3, axis=1), targets=(targets, moved[:1]))


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    images = np.zeros((2, 4, 4, 1))
    with pytest.raises(PictureError, match="variations"):
        augment(images, np.zeros((2, 3, 4, 5, 1)))
    with pytest.raises(PictureError, match="variations"):
        augment(images[0], np.zeros((2, 4, 4, 1)))
    with pytest.raises(PictureError, match="2 images need as many names"):
        augment(images, np.zeros((2, 3, 4, 4, 1)), ["one"])
