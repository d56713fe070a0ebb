"""First-layer weights as images: the right weights, on an honest scale."""

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nnspec.runtime.views import PictureError
from nnspec.runtime.views.weights import weights
from tests.runtime.views.pictures import overhang, size, texts, title

RANDOM = np.random.default_rng(5)


def tiles(figure: Figure) -> list[Any]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def caption(figure: Figure) -> str:
    return str(figure.axes[0].get_title("left"))


def scale(figure: Figure) -> tuple[float, float]:
    norm: Any = figure.axes[0].images[0].norm
    return norm.vmin, norm.vmax


def test_each_filter_of_a_convolution_is_a_tile_with_its_index() -> None:
    array = RANDOM.normal(size=(3, 3, 1, 8))
    figure = weights(array, title="mnist_cnn: conv1")
    assert title(figure) == "mnist_cnn: conv1"
    assert caption(figure) == "all 8 filters"
    assert len(tiles(figure)) == 8
    for index, tile in enumerate(tiles(figure)):
        np.testing.assert_array_equal(tile, array[:, :, 0, index])
    assert [text.get_text() for text in figure.axes[0].texts] == list("01234567")


def test_each_unit_of_a_dense_layer_is_the_image_it_is_multiplied_with() -> None:
    array = RANDOM.normal(size=(6 * 4, 10))
    for shape in ((6, 4), (6, 4, 1)):
        figure = weights(array, shape)
        assert caption(figure) == "all 10 units"
        np.testing.assert_array_equal(tiles(figure)[3], array[:, 3].reshape(6, 4))


def test_of_many_units_the_strongest_are_drawn_and_the_caption_says_so() -> None:
    array = RANDOM.normal(size=(4, 100)) * np.linspace(1, 50, 100)
    figure = weights(array, (2, 2))
    assert caption(figure) == "the 64 units with the largest norm, of 100"
    strongest = np.argsort(-np.linalg.norm(array, axis=0))[:64]
    assert [text.get_text() for text in figure.axes[0].texts] == [str(index) for index in strongest]
    np.testing.assert_array_equal(tiles(figure)[0], array[:, strongest[0]].reshape(2, 2))


def test_the_scale_is_symmetric_with_white_at_nothing() -> None:
    array = RANDOM.uniform(-0.1, 0.4, size=(3, 3, 1, 2))
    figure = weights(array)
    assert scale(figure) == (-np.abs(array).max(), np.abs(array).max())
    np.testing.assert_allclose(figure.axes[0].images[0].cmap(0.5), (1, 1, 1, 1), atol=0.04)
    bar = figure.axes[1]
    assert bar.get_ylabel() == "weight"
    assert bar.get_ylim() == scale(figure)


def test_one_huge_weight_does_not_pale_the_others_and_arrows_tell_of_it() -> None:
    array = RANDOM.uniform(-1, 1, size=(10, 10, 1, 4))
    calm = weights(array)
    array[0, 0, 0, 0] = 100
    figure = weights(array)
    assert scale(figure)[1] <= 1
    # The arrows of an extended bar are polygons that a plain bar has not.
    assert len(figure.axes[1].patches) > len(calm.axes[1].patches)


def test_three_channels_are_colours_with_grey_at_nothing() -> None:
    array = RANDOM.normal(size=(5, 5, 3, 2))
    array[0, 0, :, 0] = 0
    figure = weights(array)
    tile = tiles(figure)[0]
    assert tile.shape == (5, 5, 3)
    np.testing.assert_array_equal(tile[0, 0], 0.5)
    assert tile.min() >= 0
    assert tile.max() <= 1
    np.testing.assert_allclose((tile - 0.5) * 2 * figure.axes[1].get_ylim()[1], array[..., 0], atol=1e-12)
    assert figure.axes[1].get_ylabel() == "weight, each of red, green, blue"


def test_other_channels_have_a_row_each_up_to_a_limit_that_is_told() -> None:
    array = RANDOM.normal(size=(3, 3, 10, 5))
    figure = weights(array)
    assert caption(figure) == "all 5 filters; a row for each of 10 input channels, the first 8 drawn"
    assert len(tiles(figure)) == 8 * 5
    np.testing.assert_array_equal(tiles(figure)[7], array[:, :, 1, 2])
    assert "channel 7" in texts(figure)
    assert "channel 8" not in texts(figure)


def test_a_layer_without_an_image_is_its_matrix() -> None:
    array = RANDOM.normal(size=(4, 16))
    figure = weights(array)
    axes = figure.axes[0]
    np.testing.assert_array_equal(tiles(figure)[0], array)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("unit", "input")
    assert caption(figure) == "4 inputs to 16 units"
    large = weights(np.zeros((300, 7)))
    assert caption(large) == "300 inputs (the first 128 drawn) to 7 units"
    assert tiles(large)[0].shape == (128, 7)


def test_the_blocks_of_a_matrix_have_a_panel_each_on_one_scale() -> None:
    array = RANDOM.normal(size=(4, 15))
    figure = weights(array, blocks="rzn")
    panels = figure.axes[:3]
    for at, axes in enumerate(panels):
        np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), array[:, 5 * at : 5 * at + 5])
        assert axes.get_xlabel() == f"{'rzn'[at]}, unit"
    assert len({axes.images[0].norm.vmax for axes in panels}) == 1
    assert caption(figure) == "4 inputs to 5 units, a panel for each gate"


def test_a_filter_over_time_has_a_row_for_each_channel() -> None:
    array = RANDOM.normal(size=(5, 3, 8))
    figure = weights(array)
    assert caption(figure) == "all 8 filters; channels down, steps across"
    np.testing.assert_array_equal(tiles(figure)[2], array[:, :, 2].T)


def test_a_single_row_has_a_single_tick() -> None:
    figure = weights(RANDOM.normal(size=(1, 30)))
    assert [tick for tick in figure.axes[0].get_yticks() if -0.5 <= tick <= 0.5] == [0]


def test_weights_that_are_all_nothing_are_drawn_white() -> None:
    assert scale(weights(np.zeros((3, 3, 1, 2)))) == (-1, 1)


@pytest.mark.parametrize(
    "shape", [(3, 3, 1, 1), (3, 3, 1, 7), (3, 3, 1, 64), (5, 5, 3, 32), (2, 9, 4, 40), (11, 3, 1, 5), (5, 9, 64)]
)
def test_the_picture_fits_the_width_of_a_page_and_nothing_is_cut_off(shape: tuple[int, ...]) -> None:
    figure = weights(RANDOM.normal(size=shape))
    assert overhang(figure) <= 0
    assert size(figure)[0] <= 900


@pytest.mark.parametrize(
    ("array", "input_shape", "message"),
    [
        (np.zeros(5), None, r"first-layer weights are \(in, out\) .* these are \(5,\)"),
        (np.zeros((3, 3, 0, 2)), None, r"these are \(3, 3, 0, 2\)"),
        (np.zeros((784, 10)), (20, 20), "the layer has 784 inputs, and an image of 20x20 has another number"),
        (np.zeros((784, 10)), (784,), "the layer has 784 inputs, and an image of 784 has another number"),
        (np.full((4, 4), np.nan), None, "the network has diverged"),
    ],
)
def test_what_is_no_image_of_weights_is_refused(array: Any, input_shape: Any, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        weights(array, input_shape)


def test_pictures_that_are_compared_have_the_same_tiles_in_the_same_places_and_one_scale() -> None:
    random = np.random.default_rng(0)
    before, after = random.normal(size=(2, 16, 100))
    after *= np.linspace(0.5, 3, 100)
    pictures = [weights(one, (4, 4), beside=other) for one, other in ((before, after), (after, before))]
    names = [[text.get_text() for text in figure.axes[0].texts] for figure in pictures]
    assert names[0] == names[1] and len(names[0]) == 64
    assert len({image.norm.vmax for figure in pictures for image in figure.axes[0].images}) == 1
    matrices = [weights(one, beside=other) for one, other in ((before, after), (after, before))]
    assert len({figure.axes[0].images[0].norm.vmax for figure in matrices}) == 1
    with pytest.raises(PictureError, match="cannot be compared"):
        weights(before, beside=after[:5])
