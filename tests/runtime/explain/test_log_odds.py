"""The log-odds of a class, and the gradient that maps begin with."""

import numpy as np
import pytest

from nnspec.runtime.explain.incremental import incremental_occlusion, occlude
from nnspec.runtime.explain.log_odds import class_log_odds, log_odds, log_odds_gradient
from nnspec.runtime.explain.occlusion import OcclusionError
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.infer.evaluation import class_probabilities
from nnspec.spec_lang.vocabulary.layers.activation import Sigmoid, Softmax
from tests.runtime.explain.test_incremental import network, question

HEADS = [(Softmax(), 4), (Softmax(), 2), (Sigmoid(), 1), (Sigmoid(), 3), (None, 3), (None, 1)]


@pytest.mark.parametrize(("head", "outputs"), HEADS)
def test_the_gradient_is_that_of_the_log_odds(head: object, outputs: int) -> None:
    z = np.random.default_rng(0).uniform(0.1, 0.9, (5, outputs))
    labels = np.arange(5) % max(outputs, 2)
    for row in range(5):

        def score(x: np.ndarray, row: int = row) -> float:
            return float(log_odds(x[None], head)[0, labels[row]])  # type: ignore[arg-type]

        gradient_check(score, z[row], log_odds_gradient(z[row : row + 1], labels[row : row + 1], head)[0])  # type: ignore[arg-type]


def test_log_odds_are_those_of_the_probability_and_go_on_where_it_is_1() -> None:
    made = network("conv 3x3 x2 relu -> dense 3 softmax", (6, 6, 1))
    images = np.random.default_rng(1).normal(size=(4, 6, 6, 1))
    p = class_probabilities(made.predict(images))
    np.testing.assert_allclose(class_log_odds(made, images), np.log(p / (1 - p)), rtol=1e-9)
    made.set_parameters({"dense1/weight": 1000 * made.parameters["dense1/weight"]})
    assert made.predict(images).max() == 1 and np.isfinite(class_log_odds(made, images)).all()


@pytest.mark.parametrize(
    "text",
    [
        "conv 3x3 x2 relu -> maxpool 2 -> dense 3 softmax",
        "conv 3x3 x2 relu -> dense 5 relu -> dense 3 softmax",
        "conv 3x3 x2 relu -> dense 1 sigmoid",
        "conv 3x3 x2 -> globalavgpool -> dense 3 softmax",
        "conv 5x5 x2 pad=same -> conv 5x5 x2 pad=same -> dense 4 tanh -> dense 3 softmax",
        "dense 3 softmax",
    ],
)
def test_maps_in_log_odds_are_those_of_the_probabilities(text: str) -> None:
    made = network(text, (12, 12, 1))
    asked = question(made, count=3)
    arguments = asked.images, asked.labels, 3, 1, asked.fill
    p = occlude(made, *arguments).astype(np.float64)
    exact = (p > 0.001) & (p < 0.999)  # float32 has too few digits beyond
    assert exact.mean() > 0.2
    expected = np.log(p / (1 - p), where=exact, out=np.zeros_like(p))
    logs = occlude(made, *arguments, scale="log_odds")
    np.testing.assert_allclose(logs[exact], expected[exact], rtol=1e-3, atol=1e-4)
    whole = class_log_odds(made, asked.images)[np.arange(3), asked.labels]
    drop = occlude(made, *arguments, scale="drop")
    np.testing.assert_allclose(whole[:, None, None] - drop, logs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("share", [0.01, np.inf])
def test_maps_in_log_odds_do_not_depend_on_where_the_patches_end(share: float) -> None:
    made = network("conv 3x3 x2 relu -> conv 3x3 x2 -> dense 3 softmax", (9, 9, 1))
    asked = question(made)
    maps = incremental_occlusion(made, asked, share, in_log_odds=True)
    defined = occlude(made, asked.images, asked.labels, 3, 1, asked.fill, scale="log_odds")
    if maps is not None:
        np.testing.assert_allclose(maps, defined, rtol=1e-5, atol=1e-5)


def test_another_scale_is_refused() -> None:
    made = network("dense 3 softmax", (4, 4, 1))
    with pytest.raises(OcclusionError, match="no scale is called 'logit': use probability, log_odds or drop"):
        occlude(made, np.zeros((1, 4, 4, 1)), [0], scale="logit")
