"""Occlusion against the loop that defines it, and against networks whose eyes we know."""

import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nnspec.runtime.explain.occlusion import OcclusionError, class_average, reference_occlusion

Array = NDArray[Any]


def linear_softmax(shape: tuple[int, ...], classes: int, seed: int = 0) -> Any:
    """A classifier that depends on every pixel: softmax of a random projection, in float64."""
    weight = np.random.default_rng(seed).normal(size=(int(np.prod(shape)), classes))

    def probabilities(batch: Array) -> Array:
        logits = batch.reshape(len(batch), -1).astype(np.float64) @ weight
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    return probabilities


def slow_occlude(probabilities: Any, images: Array, labels: Array, window: Any, stride: Any, baseline: Array) -> Array:
    """The definition: one window, one image, one question at a time."""
    count, height, width, _ = images.shape
    rows, columns = (height - window[0]) // stride[0] + 1, (width - window[1]) // stride[1] + 1
    maps = np.zeros((count, rows, columns), np.float32)
    fill = np.broadcast_to(baseline, images.shape[1:])
    for n in range(count):
        for row in range(rows):
            for column in range(columns):
                copy = images[n].copy()
                for i in range(row * stride[0], row * stride[0] + window[0]):
                    for j in range(column * stride[1], column * stride[1] + window[1]):
                        copy[i, j] = fill[i, j]
                maps[n, row, column] = probabilities(copy[None])[0, labels[n]]
    return maps


SIZES = (("count", 3), ("height", 7), ("width", 7), ("channels", 4))


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    count, height, width, channels = (draw(st.integers(0 if name == "count" else 1, most)) for name, most in SIZES)
    window = draw(st.integers(1, height)), draw(st.integers(1, width))
    stride = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    shape = draw(st.sampled_from([(), (channels,), (height, width, channels)]))
    return {
        "images": generator.normal(size=(count, height, width, channels)),
        "labels": generator.integers(0, 3, count),
        "window": window,
        "stride": stride,
        "baseline": generator.normal(size=shape),
        "batch_size": draw(st.integers(1, 40)),
    }


@settings(max_examples=60, deadline=None)
@given(questions())
def test_occlusion_is_the_slow_loop_for_any_shape_stride_baseline_and_batch(question: dict[str, Any]) -> None:
    network = linear_softmax(question["images"].shape[1:], 3)
    fast = reference_occlusion(network, **question)
    del question["batch_size"]
    slow = slow_occlude(network, **question)
    assert fast.shape == slow.shape
    assert fast.dtype == np.float32
    np.testing.assert_allclose(fast, slow, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(data=st.data(), window=st.tuples(st.integers(1, 4), st.integers(1, 4)), stride=st.integers(1, 3))
def test_a_network_that_looks_at_one_pixel_lights_exactly_the_windows_that_cover_it(
    data: st.DataObject, window: tuple[int, int], stride: int
) -> None:
    row, column = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 7))

    def eye(batch: Array) -> Array:
        seen = batch[:, row, column, 0]
        return np.stack([1 - seen, seen], axis=1)

    maps = reference_occlusion(eye, np.ones((1, 6, 8, 1)), [1], window=window, stride=stride)
    tops, lefts = np.arange(maps.shape[1]) * stride, np.arange(maps.shape[2]) * stride
    covers = np.outer(
        (tops <= row) & (row < tops + window[0]), (lefts <= column) & (column < lefts + window[1])
    )  # (row, column)
    np.testing.assert_array_equal(maps[0], np.where(covers, 0, 1))


def test_no_more_than_batch_size_occluded_images_exist_at_once() -> None:
    batches: list[weakref.ref[Array]] = []
    sizes: list[int] = []

    def watching(batch: Array) -> Array:
        assert all(earlier() is None for earlier in batches)
        batches.append(weakref.ref(batch))
        sizes.append(len(batch))
        return np.full((len(batch), 2), 0.5)

    reference_occlusion(watching, np.zeros((3, 5, 5, 1)), [0, 1, 1], batch_size=4)
    assert sizes == [4, 4, 4, 4, 4, 4, 3]


def test_the_images_given_stay_as_they_were() -> None:
    images = np.ones((2, 4, 4, 1), np.float32)
    reference_occlusion(linear_softmax((4, 4, 1), 2), images, [0, 1])
    np.testing.assert_array_equal(images, 1)


def test_images_without_a_channel_axis_are_images_of_one_channel() -> None:
    images = np.random.default_rng(1).normal(size=(2, 5, 4))
    network = linear_softmax((5, 4, 1), 3)
    baseline = np.arange(20.0).reshape(5, 4)
    np.testing.assert_array_equal(
        reference_occlusion(network, images, [0, 2], baseline=baseline),
        reference_occlusion(network, images[..., None], [0, 2], baseline=baseline[..., None]),
    )


def test_one_number_for_window_and_stride_stands_for_both_directions() -> None:
    images, network = np.random.default_rng(1).normal(size=(1, 7, 7, 2)), linear_softmax((7, 7, 2), 2)
    np.testing.assert_array_equal(
        reference_occlusion(network, images, [1], window=2, stride=3),
        reference_occlusion(network, images, [1], window=(2, 2), stride=(3, 3)),
    )


def test_a_fractional_baseline_is_not_rounded_to_the_whole_pixels_of_the_image() -> None:
    seen: list[Array] = []

    def keep(batch: Array) -> Array:
        seen.append(batch)
        return np.ones((len(batch), 1))

    reference_occlusion(keep, np.full((1, 2, 2, 1), 200, np.uint8), [0], window=1, baseline=33.25)
    assert seen[0].dtype == np.float32
    np.testing.assert_array_equal(seen[0][0, ..., 0], [[33.25, 200], [200, 200]])


def test_no_images_give_no_maps_and_ask_the_network_nothing() -> None:
    def silent(batch: Array) -> Array:
        raise AssertionError("the network was asked")

    assert reference_occlusion(silent, np.zeros((0, 6, 5, 3)), []).shape == (0, 4, 3)


IMAGES = np.zeros((2, 4, 6, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": (5, 3)}, "a window of 5x3 does not fit into an image of 4x6; use one of 4x3 or less"),
        ({"window": 7}, "a window of 7x7 does not fit into an image of 4x6; use one of 4x6 or less"),
        ({"window": 0}, "window must be 1 or more, not 0x0"),
        ({"window": (2, 2, 2)}, r"window must be one whole number, or two \(rows, columns\), not \(2, 2, 2\)"),
        ({"stride": (1, 0)}, "stride must be 1 or more, not 1x0"),
        ({"stride": 1.5}, "stride must be a whole number, not 1.5 x 1.5"),
        ({"batch_size": 0}, "batch_size must be 1 or more, not 0"),
        ({"labels": [0, 3]}, "label 3 is out of range: the network has 3 classes, 0 to 2"),
        ({"labels": [-1, 0]}, "label -1 is out of range: classes count from 0"),
        ({"labels": [0]}, r"2 images need labels of shape \(2,\), and these are of shape \(1,\)"),
        ({"labels": [0.0, 1.0]}, "labels must be whole numbers, the index of a class, and these are float64"),
        ({"images": np.zeros((2, 24))}, r"images must be numbers of shape .* and these are float64 \(2, 24\)"),
        ({"baseline": np.zeros(5)}, "the baseline must be a number, or numbers that broadcast to an image of 4x6x1"),
        ({"baseline": "mean"}, "the baseline must be a number, or numbers that broadcast"),
        ({"baseline": np.nan}, "the baseline must be finite"),
        (
            {"probabilities": lambda batch: batch.sum((1, 2, 3))},
            r"must return \(batch, classes\) for 2.* returned \(24,\)",
        ),
    ],
)
def test_what_cannot_be_asked_is_answered_in_plain_words(change: dict[str, Any], message: str) -> None:
    question = {"probabilities": linear_softmax((4, 6, 1), 3), "images": IMAGES, "labels": [0, 2], "window": 1} | change
    question |= {"batch_size": 24} if "batch_size" not in change else {}
    with pytest.raises(OcclusionError, match=message) as caught:
        reference_occlusion(**question)
    assert isinstance(caught.value, ValueError)


def test_the_average_of_a_class_is_the_mean_of_its_own_maps_alone() -> None:
    maps = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    averages = class_average(maps, [5, 1, 5, 1])
    assert list(averages) == [1, 5]
    np.testing.assert_array_equal(averages[5], (maps[0] + maps[2]) / 2)
    np.testing.assert_array_equal(averages[1], (maps[1] + maps[3]) / 2)
    assert averages[1].dtype == np.float32


def test_averages_ask_for_maps_and_one_label_each() -> None:
    with pytest.raises(OcclusionError, match=r"maps must be \(image, row, column\)"):
        class_average(np.zeros((2, 2)), [0, 1])
    with pytest.raises(OcclusionError, match=r"2 images need labels of shape \(2,\)"):
        class_average(np.zeros((2, 2, 2)), [0])
