"""What augmentation makes of images: by how much, how often, and by which numbers."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.arrays import Array
from nnspec.runtime.data.augmentation import PIXELS, PLACES, Images, changes_place
from nnspec.runtime.data.augmentation.augmenter import (
    LEAST,
    Augmenter,
    augmentation_bytes,
    augmented_type,
    variations,
)
from nnspec.runtime.data.augmentation.places import flip, identities, rotate, shift, zoom
from nnspec.runtime.data.augmentation.streams import augmentation_streams
from nnspec.runtime.data.fitted.preprocessing import Preprocessing
from nnspec.spec_lang.vocabulary.augment import (
    Augment,
    Augmentation,
    Cutout,
    Flip,
    Geometric,
    Noise,
    Pixelwise,
    Rotate,
    Shift,
    Zoom,
)
from nnspec.spec_lang.vocabulary.registry import words
from tests.support.throwaway import throwaway_words

SIZE = (9, 8, 2)
IMAGES = np.random.default_rng(1).integers(0, 256, (40, *SIZE)).astype(np.uint8)
EVERY = Augment(shift=2, rotate=20, zoom=0.2, flip="both", cutout=3, noise=0.1)
KNOWN = Images(9, 8, 2, np.zeros(2), 255.0)


def prepared(images: Array = IMAGES, normalize: Any = "zscore") -> Preprocessing:
    return Preprocessing.fit(images, normalize, "classification")


def augmenter(augment: Augment, images: Array = IMAGES, batch: int = 40, seed: int = 5, **kinds: Any) -> Augmenter:
    randoms = augmentation_streams(augment, seed)
    return Augmenter(augment, randoms, prepared(images, **kinds), images.shape[1:], images.dtype, batch)


def changed(augment: Augment, images: Array = IMAGES, **kinds: Any) -> Array:
    """Every image once, augmented."""
    made = augmenter(augment, images, **kinds)
    out = np.full(images.shape, np.nan, made.dtype)
    made(images, out)
    return out


def test_every_augmentation_is_computed() -> None:
    assert {*PLACES, *PIXELS} == set(words("augmentation").values())
    assert all(issubclass(cls, Geometric | Pixelwise) for cls in words("augmentation").values())


@pytest.mark.parametrize("word", words("augmentation"))
def test_an_augmentation_written_alone_changes_images_and_one_of_nothing_does_not(word: str) -> None:
    cls = words("augmentation")[word]
    assert issubclass(cls, Augmentation)
    usual = cls()
    assert (changed(Augment(**{word: usual.amount})) != IMAGES).any()
    if not isinstance(usual.amount, str):
        np.testing.assert_array_equal(changed(Augment(**{word: 0})), IMAGES)


def test_equal_seeds_give_equal_images_and_other_seeds_others() -> None:
    np.testing.assert_array_equal(changed(EVERY, seed=3), changed(EVERY, seed=3))
    assert (changed(EVERY, seed=3) != changed(EVERY, seed=4)).any()


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_images_do_not_depend_on_how_they_are_divided_into_batches(batch: int) -> None:
    images = np.concatenate([IMAGES] * 3)
    whole = changed(EVERY, images, batch=len(images))
    made, out = augmenter(EVERY, images, batch=batch), np.empty_like(whole)
    for start in range(0, len(images), 7):
        part = slice(start, start + 7)
        made(images[part], out[part])
    np.testing.assert_array_equal(out, whole)
    np.testing.assert_array_equal(changed(EVERY, images, batch=batch), whole)
    assert len(images) > LEAST


def test_each_augmentation_draws_from_a_stream_of_its_own() -> None:
    with_cutout = changed(Augment(shift=3, cutout=4), normalize="none")
    alone = changed(Augment(shift=3), normalize="none")
    erased = (with_cutout == 0).all(axis=-1)
    np.testing.assert_array_equal(with_cutout[~erased], alone[~erased])
    assert 0 < erased.mean() <= 16 / 72 + 0.01


def test_the_order_in_which_options_are_written_does_not_matter() -> None:
    assert Augment(noise=0.1, shift=2) == Augment(shift=2, noise=0.1)


def uniform(samples: int, numbers: int) -> Array:
    return np.random.default_rng(7).uniform(-1, 1, (samples, numbers))


def test_a_shift_is_uniform_up_to_its_pixels_along_both_axes() -> None:
    moved = shift(Shift(pixels=3), KNOWN, uniform(20_000, 2))[:, :2, 2]
    assert 2.99 < np.abs(moved).max() <= 3
    np.testing.assert_allclose(moved.mean(axis=0), 0, atol=0.05)
    np.testing.assert_allclose(moved.std(axis=0), 3 / np.sqrt(3), rtol=0.02)


def test_a_rotation_is_uniform_up_to_its_degrees_and_keeps_lengths() -> None:
    matrices = rotate(Rotate(degrees=30), KNOWN, uniform(20_000, 1))
    angles = np.degrees(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]))
    assert 29.9 < np.abs(angles).max() <= 30 + 1e-9
    np.testing.assert_allclose(angles.std(), 30 / np.sqrt(3), rtol=0.02)
    np.testing.assert_allclose(np.linalg.det(matrices), 1)


def test_a_zoom_enlarges_and_shrinks_uniformly() -> None:
    factors = 1 / zoom(Zoom(share=0.25), KNOWN, uniform(20_000, 1))[:, 0, 0]
    np.testing.assert_allclose([factors.min(), factors.mean(), factors.max()], [0.75, 1, 1.25], atol=0.005)


@pytest.mark.parametrize(("axis", "mirrored"), [("horizontal", (0, 0.5)), ("vertical", (0.5, 0)), ("both", (0.5, 0.5))])
def test_half_of_the_images_are_flipped_along_each_axis_that_is_named(axis: Any, mirrored: tuple[float, float]) -> None:
    matrices = flip(Flip(axis=axis), KNOWN, uniform(20_000, 2))
    shares = (matrices[:, (0, 1), (0, 1)] < 0).mean(axis=0)
    np.testing.assert_allclose(shares, mirrored, atol=0.01)


def test_a_flipped_image_is_its_mirror_image_to_the_bit() -> None:
    flipped = changed(Augment(flip="horizontal"))
    for image, answer in zip(IMAGES, flipped, strict=True):
        assert (answer == image).all() or (answer == image[:, ::-1]).all()


def test_noise_has_the_deviation_of_its_share_of_the_range_and_is_not_clipped() -> None:
    images = np.full((200, 10, 10, 1), 50, np.uint8)
    images[0, 0, 0] = 0
    images[0, 0, 1] = 200
    added = changed(Augment(noise=0.1), images) - images
    np.testing.assert_allclose(added.std(), 20, rtol=0.02)
    np.testing.assert_allclose(added.mean(), 0, atol=0.5)
    assert (images + added).min() < 0


@pytest.mark.parametrize("normalize", ["zscore", "minmax", "unit", "none"])
def test_an_erased_square_is_what_the_network_sees_as_zero(normalize: str) -> None:
    images = np.random.default_rng(3).integers(10, 256, (300, 12, 12, 3)).astype(np.uint8)
    images[0, 0, 0] = 10
    out = changed(Augment(cutout=5), images, normalize=normalize)
    seen = prepared(images, normalize).apply(out, np.float32)
    erased = (out != images).any(axis=-1)
    np.testing.assert_array_equal(seen[erased], 0)
    area = erased.reshape(300, -1).sum(axis=1)
    assert area.max() <= 25 and 15 < area.mean() < 25  # squares at the border are cut
    np.testing.assert_array_equal(out[~erased], images[~erased])


@pytest.mark.parametrize(
    ("raw", "answer"),
    [(np.uint8, np.float32), (np.int16, np.float32), (np.float32, np.float32), (np.int64, np.float64),
     (np.float64, np.float64), (np.float16, np.float32)],
)  # fmt: skip
def test_augmented_samples_hold_every_raw_number(raw: type, answer: type) -> None:
    assert augmented_type(np.dtype(raw)) == answer


@pytest.mark.parametrize("augment", [EVERY, Augment(noise=1), Augment(flip="both"), Augment(shift=0)])
@pytest.mark.parametrize("batch", [1, 40])
def test_its_memory_is_known_beforehand_and_does_not_grow(augment: Augment, batch: int) -> None:
    made, out = augmenter(augment, batch=batch), np.empty((batch, *SIZE), np.float32)
    held = [made.raw(batch), made._room, *((w._source, w._index, *w._places) if (w := made._warp) else ())]
    assert sum(array.nbytes for array in held if array is not None) == augmentation_bytes(
        augment, SIZE, np.dtype(np.uint8), batch
    )
    tracemalloc.start()
    try:
        for _ in range(60):  # NumPy keeps small blocks for the next call
            made(IMAGES[:batch], out)
        before = held_by_arrays()
        for _ in range(60):
            made(IMAGES[:batch], out)
        assert held_by_arrays() <= before
    finally:
        tracemalloc.stop()


def held_by_arrays() -> int:
    """The bytes of all arrays that were made since tracing began."""
    arrays = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)


def test_variations_of_an_image_differ_and_are_of_it() -> None:
    made, _ = variations(Augment(shift=1), prepared(), IMAGES[:3], 4, 0)
    assert made.shape == (3, 4, *SIZE)
    assert len({variation.tobytes() for variation in made[0]}) == 4
    np.testing.assert_array_equal(made, variations(Augment(shift=1), prepared(), IMAGES[:3], 4, 0)[0])


def test_targets_that_are_images_move_with_them() -> None:
    images = IMAGES[:3].astype(np.float32)
    made, moved = variations(Augment(flip="both"), prepared(), images, 6, 0, images.copy())
    np.testing.assert_array_equal(made, moved)


def test_a_new_augmentation_is_a_class_and_a_function() -> None:
    with throwaway_words():

        class Shear(Geometric):
            """Shear the image."""

            word = "shear"
            slope: float = 0.5

        @changes_place(Shear)
        def shear(word: Shear, images: Images, drawn: Array) -> Array:
            matrices = identities(len(drawn))
            matrices[:, 0, 1] = word.slope * drawn[:, 0]
            return matrices

        augment = Augment(shear=0.3, flip="both")
        assert augment.argument("shear") == 0.3 and "shear" in Augment.fields()
        assert (changed(augment) != changed(Augment(flip="both"))).any()
    assert "shear" not in Augment.fields()


def test_cutout_and_noise_alone_do_not_interpolate() -> None:
    assert augmenter(Augment(cutout=2, noise=0.1))._warp is None
    assert isinstance(Augment(cutout=2).changes[0], Cutout) and isinstance(Augment(noise=1).changes[0], Noise)
