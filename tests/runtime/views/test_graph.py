"""The picture of a network."""

import itertools
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

from nnspec import api
from nnspec.runtime.views import PICTURES, PictureError
from tests.runtime.views.pictures import overhang, texts, title

SPECS = Path(__file__).parents[3] / "specs"
LINE = "input 28x28x1 -> conv 3x3 x8 -> maxpool 2 -> dense 10 softmax"
WILD = """
block unit(w) = (conv 3x3 x$w pad=same relu | (skip + repeat 4 (conv 1x1 x16 l2=0.001) -> leaky_relu slope=0.2))
input 28x28x1
conv 3x3 x16 pad=same -> (skip + skip + batchnorm)
  -> a_very_long_name_for_a_group: (repeat 3 (conv 3x3 x16 pad=same -> batchnorm -> relu))
  -> repeat 2 (unit 8 -> conv 1x1 x16) -> globalavgpool
  -> (dense 4 + dense 4 relu -> dense 4 + (dense 4 | dense 5) -> dense 4) -> dense 10 softmax
"""


def words(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text on the sheet with its place in inches."""
    figure.draw_without_rendering()
    found = [text for text in figure.findobj(Text) if text.get_text() and not isinstance(text, Annotation)]
    scale = figure.dpi_scale_trans.inverted()
    return [(text.get_text(), text.get_window_extent().transformed(scale)) for text in found]


@pytest.mark.parametrize(
    "spec",
    [LINE, WILD, SPECS / "mnist_resnet.nnspec", SPECS / "mnist_inception.nnspec"],
    ids=["line", "wild", "residual", "inception"],
)
def test_nothing_overlaps_and_all_fits_on_the_page(spec: str | Path) -> None:
    figure = PICTURES["graph"](api.check(spec))
    assert overhang(figure) <= 0
    placed = words(figure)
    assert len(placed) > 5
    for (first, one), (second, other) in itertools.combinations(placed, 2):
        assert not one.overlaps(other), (first, second)
    scale = figure.dpi_scale_trans.inverted()
    boxes = [patch.get_window_extent().transformed(scale) for patch in figure.findobj(FancyBboxPatch)]
    for one, other in itertools.combinations(boxes, 2):  # beside each other, or one inside the other
        shared = Bbox.intersection(one, other)
        inside = shared is not None and any(_same(shared, box) for box in (one, other))
        assert shared is None or shared.width * shared.height == 0 or inside
    for text, place in placed:
        edges = [box for box in boxes if box.overlaps(place)]
        assert all(_same(Bbox.intersection(box, place), place) for box in edges), f"{text} crosses the edge of a box"


def _same(one: Bbox | None, other: Bbox) -> bool:
    return one is not None and abs(one.get_points() - other.get_points()).max() < 1e-6


def test_layers_shapes_and_weights_are_told() -> None:
    figure = PICTURES["graph"](api.check(LINE))
    assert title(figure) == "network: 3 layers, 13,610 parameters"
    assert {"conv 3x3 x8", "conv1 · 80 parameters", "28x28x1", "26x26x8", "13x13x8", "10"} <= set(texts(figure))


def test_branches_and_repeats_are_told_and_joints_are_no_layers() -> None:
    figure = PICTURES["graph"](api.check("input 8\nrepeat 3 (dense 8 + skip)"))
    assert title(figure) == "network: 3 layers, 216 parameters"
    assert {"×3", "skip", "+ add"} <= set(texts(figure))


def test_a_long_network_has_columns_and_a_page_of_bounded_height() -> None:
    text = "input 8 -> " + " -> ".join(f"dense {units}" for units in range(2, 60))
    width, height = PICTURES["graph"](api.check(text)).get_size_inches()
    assert height < 12 < 2 * width


def test_a_network_that_no_picture_can_show_is_refused() -> None:
    text = "input 8 -> " + " -> ".join(f"dense {2 + units % 7 + units // 9}" for units in range(302))
    with pytest.raises(PictureError, match=r"the network has 302 layers .* a picture shows 300 at most"):
        PICTURES["graph"](api.check(text))
    with pytest.raises(PictureError, match="shape of a sample is not known"):
        PICTURES["graph"](api.check("dense 3"))
