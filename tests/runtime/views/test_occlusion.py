"""Occlusion maps beside their images: the right map at the right place, on one scale."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnspec.runtime.views import PictureError
from nnspec.runtime.views.occlusion import finding, occlusion, page_count
from tests.runtime.views.pictures import overhang, size, texts, title

RANDOM = np.random.default_rng(8)
LABELS = np.array([4, 1, 4, 4, 1, 4])
IMAGES = RANDOM.integers(0, 256, (6, 9, 7, 1)).astype(np.uint8)
MAPS = RANDOM.uniform(size=(6, 7, 5)).astype(np.float32)
WHOLE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])


def drawn(figure: Figure) -> list[Any]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def maps_of(figure: Figure) -> list[Any]:
    return [image for image in figure.axes[0].images if image.cmap.name == "magma"]


def test_each_class_is_a_row_of_images_beside_their_maps_and_the_average() -> None:
    figure = occlusion(IMAGES, MAPS, LABELS)
    expected = [
        IMAGES[1, ..., 0], MAPS[1], IMAGES[4, ..., 0], MAPS[4], MAPS[[1, 4]].mean(0),
        IMAGES[0, ..., 0], MAPS[0], IMAGES[2, ..., 0], MAPS[2], IMAGES[3, ..., 0], MAPS[3],
        IMAGES[5, ..., 0], MAPS[5], MAPS[[0, 2, 3, 5]].mean(0),
    ]  # fmt: skip
    assert len(drawn(figure)) == len(expected)
    for shown, meant in zip(drawn(figure), expected, strict=True):
        np.testing.assert_allclose(shown, meant, rtol=1e-6)


def test_images_beyond_those_of_a_row_are_on_the_next_row_and_in_the_average() -> None:
    figure = occlusion(IMAGES, MAPS, LABELS, ["a", "boat", "c", "d", "elk"], across=3)
    assert len(maps_of(figure)) == 2 + 1 + 4 + 1
    np.testing.assert_allclose(maps_of(figure)[-2].get_array(), MAPS[[0, 2, 3, 5]].mean(0), rtol=1e-6)
    np.testing.assert_allclose(maps_of(figure)[-1].get_array(), MAPS[5], rtol=1e-6)
    assert texts(figure).count("elk") == 1
    assert page_count(LABELS, 3) == 1
    assert page_count([0] * 41, 4) == 2


def test_the_name_of_the_file_is_over_its_image_and_the_kind_of_label_over_the_names() -> None:
    names = [f"picture{i}.png" for i in range(6)]
    words = texts(occlusion(IMAGES, MAPS, LABELS, captions=names, of_label="predicted class", across=1))
    assert set(names) <= set(words)
    assert "predicted\nclass" in words
    with pytest.raises(PictureError, match="6 images need as many captions, and there are 1"):
        occlusion(IMAGES, MAPS, LABELS, captions=["one.png"])


def test_drops_are_symmetric_about_0_and_the_bar_names_them() -> None:
    figure = occlusion(IMAGES, 8 * MAPS - 2, LABELS, probabilities=[0.999999] * 6, scale="drop")
    most = float(np.abs(8 * MAPS - 2).max())
    images: list[Any] = [image for image in figure.axes[0].images if image.cmap.name == "RdBu_r"]
    assert len(images) == 8
    assert {(round(i.norm.vmin, 5), round(i.norm.vmax, 5)) for i in images} == {(-round(most, 5), round(most, 5))}
    assert figure.axes[1].get_ylabel() == "drop of the log-odds"
    assert figure.axes[0].get_title("left").replace("\n", " ").startswith("drop of the log-odds of the class, ln(p")
    assert f"> 0.99 · {(8 * MAPS[0] - 2).max():.1f}" in texts(figure)


def test_a_few_outliers_do_not_stretch_the_scale_and_are_marked() -> None:
    maps = MAPS.copy()
    maps[0, 0, 0] = 100
    figure = occlusion(IMAGES, maps, LABELS, scale="drop")
    images: list[Any] = [image for image in figure.axes[0].images if image.cmap.name == "RdBu_r"]
    assert max(image.norm.vmax for image in images) < 2
    bar: Any = figure.axes[1]
    assert bar._colorbar.extend == "both"


def test_log_odds_have_their_own_range() -> None:
    figure = occlusion(IMAGES, 20 * MAPS - 5, LABELS, scale="log_odds")
    low, high = float((20 * MAPS - 5).min()), float((20 * MAPS - 5).max())
    scales = {(image.norm.vmin, image.norm.vmax) for image in maps_of(figure)}
    np.testing.assert_allclose(list(scales), [(low, high)], rtol=1e-6)
    assert figure.axes[1].get_ylabel() == "log-odds"
    with pytest.raises(PictureError, match="no scale is called 'logit': use probability, log_odds or drop"):
        occlusion(IMAGES, MAPS, LABELS, scale="logit")


def test_rows_bear_the_names_of_their_classes() -> None:
    named = texts(occlusion(IMAGES, MAPS, LABELS, ["a", "boat", "c", "d", "elk"]))
    assert "boat" in named
    assert "elk" in named
    assert "a" not in named
    assert {"1", "4"} <= set(texts(occlusion(IMAGES, MAPS, LABELS)))


def test_the_caption_names_window_baseline_and_steps() -> None:
    def caption(**windows: Any) -> str:
        shown = occlusion(IMAGES, windows.pop("maps", MAPS), LABELS, **windows).axes[0].get_title("left")
        return str(shown).replace("\n", " ")

    assert caption() == "probability of the class with a window of 3x3 set to 0, at every position"
    other = caption(maps=np.zeros((6, 4, 3)), window=2, stride=(2, 2), baseline="the mean pixels")
    assert other == "probability of the class with a window of 2x2 set to the mean pixels, in steps of 2x2"
    assert title(occlusion(IMAGES, MAPS, LABELS, title="Where mnist_cnn looks")) == "Where mnist_cnn looks"


def test_over_each_map_stands_what_the_probability_falls_from_and_to() -> None:
    words = texts(occlusion(IMAGES, MAPS, LABELS, probabilities=WHOLE))
    assert f"0.90 → {MAPS[0].min():.2f}" in words
    assert any(text.startswith("Over a map: the probability of the whole image") for text in words)
    alone = texts(occlusion(IMAGES, MAPS, LABELS))
    assert f"lowest {MAPS[0].min():.2f}" in alone
    assert any(text.startswith("Over a map: the lowest value with a window covered.") for text in alone)


def test_all_maps_share_a_scale_from_nothing_to_one() -> None:
    figure = occlusion(IMAGES, MAPS, LABELS)
    assert {(image.norm.vmin, image.norm.vmax) for image in maps_of(figure)} == {(0, 1)}
    assert figure.axes[1].get_ylabel() == "probability"
    assert figure.axes[1].get_ylim() == (0, 1)


def test_maps_that_lie_close_together_share_a_narrower_scale_and_it_is_told() -> None:
    figure = occlusion(IMAGES, 0.75 + MAPS / 4, LABELS)
    low, high = float((0.75 + MAPS / 4).min()), float((0.75 + MAPS / 4).max())
    scales = {(image.norm.vmin, image.norm.vmax) for image in maps_of(figure)}
    np.testing.assert_allclose(list(scales), [(low, high)], rtol=1e-6)
    assert any(f"Colours span {low:.2g} to {high:.2g} only." in text for text in texts(figure))


def test_a_value_stands_where_the_middle_of_its_window_stood() -> None:
    figure = occlusion(IMAGES, np.zeros((6, 3, 2)), LABELS, window=(3, 4), stride=(3, 2))
    image, answer = figure.axes[0].images[:2]
    left, right, bottom, top = image.get_extent()
    pixel = (right - left) / 7
    assert pixel == pytest.approx((bottom - top) / 9)
    frame = left + (right - left) + 0.05  # inches: the map's own place is beside its image
    map_left, map_right, map_bottom, map_top = answer.get_extent()
    # The first window covers rows 0 to 2 and columns 0 to 3: its middle is 1.5 pixels down and 2 to the right.
    cell = (map_bottom - map_top) / 3, (map_right - map_left) / 2
    assert (map_top + cell[0] / 2 - top) / pixel == pytest.approx(1.5)
    assert (map_left + cell[1] / 2 - frame) / pixel == pytest.approx(2)
    assert cell[0] / pixel == pytest.approx(3)
    assert cell[1] / pixel == pytest.approx(2)


def test_three_channels_are_colours_and_one_is_grey() -> None:
    red_green_blue = RANDOM.integers(0, 256, (6, 9, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(drawn(occlusion(red_green_blue, MAPS, LABELS))[0], red_green_blue[1])
    unscaled = RANDOM.normal(size=(6, 9, 7, 3))
    shown = drawn(occlusion(unscaled, MAPS, LABELS))[0]
    assert shown.min() >= 0
    assert shown.max() <= 1
    np.testing.assert_array_equal(drawn(occlusion(IMAGES[..., 0], MAPS, LABELS))[0], IMAGES[1, ..., 0])


@pytest.mark.parametrize("channels", [2, 4, 12])
def test_any_other_number_of_channels_is_drawn_channel_by_channel_and_it_is_said(channels: int) -> None:
    images = RANDOM.normal(size=(6, 9, 7, channels))
    figure = occlusion(images, MAPS, LABELS)
    shown, side = drawn(figure)[0], {2: 2, 4: 2, 12: 3}[channels]
    assert shown.shape == (9 * side, 7 * side)
    second, every = images[1, ..., 1], images[..., 1]
    np.testing.assert_allclose(shown[:9, 7:14], (second - every.min()) / np.ptp(every))
    cut = ", the first 9 drawn" if channels == 12 else ""
    notes = " ".join(texts(figure)).replace("\n", " ")
    assert f"An image has {channels} channels{cut}, drawn row by row in its place" in notes


def test_ten_classes_fit_on_a_page_and_the_caption_counts_the_pages() -> None:
    labels = np.arange(23)
    images, maps = np.zeros((23, 6, 6)), np.zeros((23, 4, 4))
    assert page_count(labels) == 3
    assert page_count([5, 5]) == 1
    last = occlusion(images, maps, labels, page_number=2)
    assert {"20", "21", "22"} <= set(texts(last))
    assert "19" not in texts(last)
    assert last.axes[0].get_title("left").replace("\n", " ").endswith("at every position (page 3 of 3)")
    width, height = size(occlusion(images, maps, labels))
    assert width <= 900
    assert height <= 1320


@pytest.mark.parametrize("shape", [(28, 28), (10, 60), (60, 10), (3, 3)])
@pytest.mark.parametrize("classes", [1, 3, 10])
def test_nothing_is_cut_off(shape: tuple[int, int], classes: int) -> None:
    labels = np.repeat(np.arange(classes), 3)
    images, maps = np.zeros((3 * classes, *shape, 1)), np.zeros((3 * classes, shape[0] - 2, shape[1] - 2))
    figure = occlusion(images, maps, labels, [f"class {i}" for i in range(classes)], np.ones(3 * classes))
    assert overhang(figure) <= 0
    assert size(figure)[1] <= 1320


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((6, 63))}, r"images must be \(image, height, width\[, channels\]\).* these are \(6, 63\)"),
        ({"images": np.zeros((0, 9, 7)), "labels": [], "maps": np.zeros((0, 7, 5))}, "one at least"),
        ({"labels": [1, 2]}, r"6 images need as many labels, whole numbers, and these are \(2,\)"),
        ({"window": (2, 2)}, r"6 images of 9x7 have maps of \(6, 8, 6\) .* and these maps are \(6, 7, 5\)"),
        ({"window": 8}, "a window of 8x8 does not fit into an image of 9x7"),
        ({"probabilities": [0.5]}, r"6 images need as many probabilities, and these are \(1,\)"),
        ({"classes": ["a", "b"]}, "label 4 has no name: there are 2 names"),
        ({"page_number": 1}, "page 1 is not among the 1 pages, counted from 0"),
        ({"across": 0}, "across must be 1 or more, not 0"),
    ],
)
def test_what_does_not_belong_together_is_refused(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"images": IMAGES, "maps": MAPS, "labels": LABELS} | change
    with pytest.raises(ValueError, match=message):
        occlusion(**arguments)
    assert issubclass(PictureError, ValueError)


def test_the_title_counts_the_images_of_which_one_window_is_decisive() -> None:
    maps = np.array([[[0.9, 0.4]], [[0.9, 0.6]]])
    said = finding("net", maps, [0.95, 0.95], (3, 3))
    assert said == "net: covering one window of 3x3 takes 1 of 2 images to a probability of 0.5 or less"
    assert finding("net", maps[1:], [0.95], (3, 3)).endswith("leaves the image above a probability of 0.5")
    assert finding("net", maps, [0.3, 0.2], (3, 3)) == "Where net looks"
