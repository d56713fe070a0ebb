"""Maps of image networks with each layer of the language, found through the registry: nothing here names one."""

from typing import Any

import numpy as np
import pytest

from nnspec.runtime.explain.incremental import occlude
from nnspec.runtime.explain.saliency import SaliencyError, grad_cam_layer, input_gradient, saliency
from nnspec.runtime.gradient_check import gradient_check
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.report.errors import SpecError
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.registry import layers
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.explain.test_incremental import ALWAYS, assert_equal, defined, network, question, stack
from tests.runtime.explain.test_saliency import asked
from tests.support.strategies import MORE_EXAMPLES

SHAPE = (8, 7, 4)
FORMS = (
    "{} -> dense 3 softmax",
    "conv 3x3 x4 pad=same -> {} -> conv 2x2 x3 -> dense 3 softmax",
    "conv 2x2 x4 -> {} -> maxpool 2 -> dense 3 softmax",
    "conv 3x3 x4 relu -> flatten -> {} -> dense 3 softmax",
    "(conv 1x1 x4 + skip) -> {} -> dense 3 softmax",
)
"""A layer first, between windows, before a pool, over a flattened image, and after a branch."""


def sound(text: str) -> bool:
    """Whether a text is a network for the shape, and a classifier."""
    try:
        spec = check_source(Source("a test", text), input_shape=Shape(SHAPE))
    except SpecError:
        return False
    return spec.output_shape == (3,)


def networks(word: str) -> list[str]:
    """Every network of the forms with an example of a layer."""
    texts = [*(layers()[word].examples or (word,)), *(text for text in MORE_EXAMPLES if text.split()[0] == word)]
    return [made for text in texts for form in FORMS if sound(made := form.format(text))]


CASES = {word: networks(word) for word in sorted(layers())}
NETWORKS = [text for texts in CASES.values() for text in texts]
FIRST = [text for text in NETWORKS if text.count("->") == 1]


def test_every_layer_that_takes_images_or_rows_of_numbers_has_a_network_here() -> None:
    """Those without take sequences or symbols, or a fixed number of them."""
    without = [layers()[word] for word, texts in CASES.items() if not texts]
    assert len(CASES) - len(without) > 25
    for cls in without:
        texts = cls.examples or (cls.word,)
        assert not any(sound(f"{text} -> flatten -> dense 3 softmax") for text in texts), cls.word


@pytest.mark.parametrize(
    ("text", "change"),
    [*((text, {}) for text in NETWORKS), *((text, {"window": (2, 3), "stride": (3, 2)}) for text in FIRST)],
)
def test_occlusion_is_each_window_covered_and_the_whole_predicted(text: str, change: dict[str, Any]) -> None:
    made = network(text, SHAPE)
    request = question(made, **change)
    maps = occlude(made, request.images, request.labels, request.window, request.stride, request.fill)
    np.testing.assert_allclose(maps, defined(made, request), rtol=0, atol=1e-6)
    if stack(made, request) is not None:
        assert_equal(made, request, ALWAYS)


@pytest.mark.parametrize("text", FIRST)
def test_the_gradient_is_the_slope_of_the_log_odds_along_the_pixels(text: str) -> None:
    """Along random directions, as images have many pixels."""
    asks = asked(text, SHAPE, count=1)
    directions = np.random.default_rng(6).normal(size=(4, *SHAPE))

    def score(along: np.ndarray) -> float:
        return float(asks.log_odds(asks.images + np.tensordot(along, directions, axes=1), asks.labels)[0])

    slopes = np.tensordot(directions, input_gradient(asks)[0], axes=len(SHAPE))
    gradient_check(score, np.zeros(len(directions)), slopes, text)


@pytest.mark.parametrize("text", FIRST)
def test_grad_cam_is_its_equations_at_the_layer_before_the_classes(text: str) -> None:
    asks = asked(text, SHAPE, count=2)
    try:
        name = grad_cam_layer(asks.network)
    except SaliencyError:
        assert all(len(node.output_shape) < 3 or node.output_shape[:2] == (1, 1) for node in asks.network.spec.nodes)
        return
    values, slopes = asks.gradients(asks.seen, asks.labels, name)
    weight, bias = (asks.network.parameters[f"dense1/{part}"] for part in ("weight", "bias"))

    def scores(hidden: np.ndarray) -> np.ndarray:
        z = hidden.reshape(len(asks.labels), -1) @ weight + bias
        rows = np.arange(len(z))
        others = np.exp(z)
        others[rows, asks.labels] = 0
        return np.asarray(z[rows, asks.labels] - np.log(others.sum(axis=1)))

    np.testing.assert_allclose(scores(values), asks.log_odds(asks.images), rtol=1e-9)
    directions = np.random.default_rng(7).normal(size=(4, *values.shape))
    along = np.tensordot(directions, slopes, axes=slopes.ndim)
    gradient_check(
        lambda t: float(scores(values + np.tensordot(t, directions, axes=1)).sum()), np.zeros(4), along, text
    )
    small = np.maximum(np.einsum("nc,nhwc->nhw", slopes.mean((1, 2)), values), 0)
    drawn = saliency(asks, "grad_cam")
    assert drawn.shape == (2, *SHAPE[:2]) and (drawn >= 0).all()
    assert drawn.max() <= small.max() * (1 + 1e-6)
    if small.shape == drawn.shape:
        np.testing.assert_allclose(drawn, small, rtol=1e-5, atol=1e-6)
