"""All scales of an occlusion from one computation."""

import numpy as np
import pytest

from nnspec.runtime.explain import scales
from nnspec.runtime.explain.incremental import occlude
from nnspec.runtime.explain.log_odds import probability_of
from nnspec.runtime.explain.scales import occlude_by_scale, overturned
from tests.runtime.explain.test_incremental import network, question


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("conv 3x3 x2 relu -> maxpool 2 -> dense 3 softmax", (9, 8, 3)),
        ("conv 3x3 x2 relu -> dense 1 sigmoid", (9, 8, 1)),
        ("dense 4 tanh -> dense 3 softmax", (6, 5, 1)),
        ("dense 3 softmax -> dropout 0.5", (6, 5, 1)),
    ],
)
def test_each_scale_is_what_its_own_occlusion_gives(text: str, shape: tuple[int, int, int]) -> None:
    made = network(text, shape)
    asked = question(made, count=3)
    arguments = asked.images, asked.labels, (2, 3), 2, asked.fill
    found = occlude_by_scale(made, *arguments)
    assert set(found) == {"probability", "log_odds", "drop"}
    for scale, maps in found.items():
        assert maps.dtype == np.float32
        np.testing.assert_allclose(maps, occlude(made, *arguments, scale=scale), rtol=2e-5, atol=1e-5)


def test_the_occluded_images_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(scales, "occlude", lambda *given: calls.append(given) or occlude(*given))
    made = network("dense 3 softmax", (4, 4, 1))
    occlude_by_scale(made, np.zeros((2, 4, 4, 1)), [0, 1])
    assert len(calls) == 1


def test_no_images_have_no_maps() -> None:
    found = occlude_by_scale(network("dense 3 softmax", (4, 4, 1)), np.zeros((0, 4, 4, 1)), np.zeros(0, int))
    assert {maps.shape for maps in found.values()} == {(0, 2, 2)}


def test_the_probability_of_any_log_odds_is_a_number() -> None:
    x = np.array([-1e4, -100, -1, 0, 1, 100, 1e4])
    p = probability_of(x)
    assert p[0] == 0 and p[3] == 0.5 and p[-1] == 1
    np.testing.assert_allclose(p[1:3], np.exp(x[1:3]) / (1 + np.exp(x[1:3])), rtol=1e-12)


def test_an_image_is_overturned_where_one_window_takes_it_below_a_half() -> None:
    maps = np.array([[[0.9, 0.4]], [[0.9, 0.6]], [[0.1, 0.2]]])
    assert overturned(maps, np.array([0.95, 0.95, 0.3])) == (1, 2)
