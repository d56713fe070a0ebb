"""Feature maps, calibration, saliency sheets, deletion curves and sanity sheets: what a reader can read from them."""

from typing import Any

import numpy as np
import pytest

from nnspec.runtime.explain.deletion import RANDOM, Curves
from nnspec.runtime.explain.layer_values import LayerValues
from nnspec.runtime.explain.sanity import Randomized
from nnspec.runtime.infer.calibration import calibration as calibrated
from nnspec.runtime.views import STYLES, PictureError, in_style
from nnspec.runtime.views.calibration import calibration
from nnspec.runtime.views.deletion import deletion
from nnspec.runtime.views.features import features
from nnspec.runtime.views.saliency import saliency
from nnspec.runtime.views.sanity import sanity
from tests.runtime.views.pictures import overhang, texts, title

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("style", STYLES)
def test_each_layer_is_a_row_of_its_channels_on_its_own_scale(style: str) -> None:
    layers = [
        LayerValues("input", "input", RNG.normal(size=(8, 6, 3))),
        LayerValues("conv1", "conv1/relu", RNG.uniform(size=(7, 5, 24))),
        LayerValues("rnn1", "rnn1", RNG.normal(size=(9, 4))),
        LayerValues("output", "softmax", np.array([0.1, 0.9])),
    ]
    with in_style(style):
        figure = features(layers, "Features", ["cat", "dog"])
    images: list[Any] = list(figure.axes[0].images)
    assert len(images) == 3 + 10 + 1 + 1
    words = texts(figure)
    assert {"10 of 24 channels, the most varied", "steps across, channels down", "cat", "dog"} <= set(words)
    assert "2 · 0 to 0.9" in words
    assert overhang(figure) <= 0
    spread = layers[1].values.reshape(-1, 24).std(axis=0)
    chosen = np.sort(np.argsort(-spread)[:10])
    np.testing.assert_array_equal(np.asarray(images[3].get_array()), layers[1].values[..., chosen[0]])


def test_no_layers_and_too_many_are_refused() -> None:
    for layers in ([], [LayerValues("a", "a", np.zeros(3))] * 41):
        with pytest.raises(PictureError, match="1 to 40 layers are drawn"):
            features(layers)


def test_a_reliability_diagram_says_whether_the_network_is_too_sure() -> None:
    p = np.tile([0.95, 0.05], (100, 1))
    figure = calibration(calibrated(p, np.arange(100) % 2), "net on data")
    assert title(figure).startswith("net on data: too sure\nexpected calibration error 45.0 %, of 100 samples")
    fair = calibration(calibrated(np.tile([0.5001, 0.4999], (100, 1)), np.arange(100) % 2))
    assert "about as sure as it is right" in title(fair)
    assert overhang(figure) <= 0


def test_maps_stand_beside_their_images_each_method_on_its_scale() -> None:
    images, maps = (
        RNG.uniform(size=(3, 6, 5, 3)),
        {"gradient": RNG.uniform(size=(3, 6, 5)), "grad_cam": 9 * RNG.normal(size=(3, 6, 5))},
    )
    figure = saliency(
        images, maps, ["cat", "dog", "a long name of a class"], ["a.png", "b.png", "c.png"], of_label="predicted class"
    )
    shown: list[Any] = [image for image in figure.axes[0].images if image.cmap.name == "RdBu_r"]
    np.testing.assert_array_equal(np.asarray(shown[0].get_array()), maps["gradient"][0])
    np.testing.assert_array_equal(np.asarray(shown[1].get_array()), maps["grad_cam"][0])
    assert len({image.norm.vmax for image in shown}) == 2 and all(i.norm.vmin == -i.norm.vmax for i in shown)
    assert {"a.png", "cat", "predicted\nclass"} <= set(texts(figure))
    assert overhang(figure) <= 0
    with pytest.raises(PictureError, match=r"gradient must have maps of \(3, 6, 5\)"):
        saliency(images, {"gradient": np.zeros((3, 5, 5))}, ["a", "b", "c"])
    with pytest.raises(PictureError, match="1 to 10 images"):
        saliency(np.zeros((11, 4, 4)), {"gradient": np.zeros((11, 4, 4))}, ["a"] * 11)


def test_the_curves_name_the_map_to_trust_and_their_areas() -> None:
    shares = np.linspace(0, 1, 5)
    good = Curves(shares, np.tile([1.0, 0, 0, 0, 0], (2, 1)), np.tile([0.0, 1, 1, 1, 1], (2, 1)))
    poor = Curves(shares, np.ones((2, 5)), np.zeros((2, 5)))
    figure = deletion({"integrated": good, "gradient": poor, RANDOM: poor}, "Which to trust")
    assert title(figure) == "Which to trust: best is integrated (2 images)"
    assert {"integrated 0.125", "integrated 0.875", "random order 1.000"} <= set(texts(figure))
    assert overhang(figure) <= 0
    with pytest.raises(PictureError, match="no method"):
        deletion({RANDOM: poor})


def test_a_sanity_sheet_names_the_maps_that_stay_alike() -> None:
    maps, alike = RNG.normal(size=(3, 2, 6, 5)), np.array([[1.0, 1], [0.9, 0.9], [0.8, 0.7]])
    other = np.array([[1.0, 1], [0.1, 0], [0, 0]])
    found = {
        "grad_cam": Randomized(("dense1", "conv1"), maps, alike, alike),
        "gradient": Randomized(("dense1", "conv1"), maps, other, other),
    }
    figure = sanity(RNG.uniform(size=(6, 5, 1)), found)
    assert "with random weights the maps of grad cam stay alike" in title(figure).replace("\n", " ")
    assert {"trained", "random from\ndense1", "0.75", "0.00"} <= set(texts(figure))
    assert overhang(figure) <= 0
    assert "destroy every map" in title(sanity(np.zeros((6, 5)), {"gradient": found["gradient"]}))
    with pytest.raises(PictureError, match="no method"):
        sanity(np.zeros((6, 5)), {})
