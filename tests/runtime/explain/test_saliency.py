"""Maps by several methods, against finite differences and what their papers prove."""

import numpy as np
import pytest

from nnspec.runtime.data import Preprocessing
from nnspec.runtime.explain.deletion import RANDOM, deletion_curves
from nnspec.runtime.explain.saliency import (
    METHODS,
    WORDS,
    Question,
    SaliencyError,
    grad_cam_layer,
    input_gradient,
    integrated_gradients,
    maps_by,
    methods_for,
    saliency,
)
from nnspec.runtime.explain.sanity import cascade, randomized, rank_correlation
from nnspec.runtime.gradient_check import gradient_check
from nnspec.runtime.infer.network import Network
from nnspec.spec_lang.check.examination import check_source
from nnspec.spec_lang.source import Source
from nnspec.spec_lang.vocabulary.shape import Shape
from tests.runtime.explain.test_incremental import network

NETWORKS = [
    "conv 3x3 x3 relu -> maxpool 2 -> dense 3 softmax",
    "conv 3x3 x3 pad=same -> batchnorm -> gelu -> avgpool 2 -> dense 4 tanh -> dropout 0.5 -> dense 3 softmax",
    "(conv 1x1 x2 sigmoid * conv 3x3 x2 pad=same) -> (skip + conv 3x3 x2 pad=same) -> globalavgpool -> dense 2 softmax",
    "conv 3x3 x3 relu -> dense 1 sigmoid",
    "layernorm -> dense 5 silu -> dense 3 softmax",
]


def asked(text: str, shape: tuple[int, ...] = (6, 5, 2), count: int = 3, **options: object) -> Question:
    """A question about random images, in float64."""
    random = np.random.default_rng(2)
    made = network(text, shape)
    labels = random.integers(0, len(made.classes or "ab"), count)
    baseline = random.normal(size=shape)
    return Question.of(made, random.normal(size=(count, *shape)), labels, baseline, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", NETWORKS)
def test_the_gradient_is_that_of_the_log_odds_with_respect_to_the_raw_pixels(text: str) -> None:
    question = asked(text)
    gradients = input_gradient(question)
    for place in range(len(question.images)):

        def score(image: np.ndarray, place: int = place) -> float:
            return float(question.log_odds(image[None], question.labels[place : place + 1])[0])

        gradient_check(score, question.images[place], gradients[place])
    np.testing.assert_array_equal(saliency(question, "gradient"), np.abs(gradients).max(-1).astype("f4"))


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [
        ("dense 5 silu -> dense 3 softmax", 1e-9),
        ("conv 3x3 x3 pad=same -> batchnorm -> gelu -> avgpool 2 -> dense 4 tanh -> dense 3 softmax", 1e-9),
        ("conv 3x3 x3 relu -> dense 1 sigmoid", 5e-3),  # the gradient jumps on the way, and quadrature is less exact
        ("conv 3x3 x3 relu -> maxpool 2 -> dense 3 softmax", 5e-3),
    ],
)
def test_integrated_gradients_add_up_to_the_difference_of_the_log_odds(text: str, tolerance: float) -> None:
    """Completeness: Sundararajan et al. 2017, proposition 1."""
    question = asked(text, steps=512)
    total = integrated_gradients(question).sum(axis=(1, 2, 3))
    absent = np.repeat(question.fill[None], len(question.images), 0)
    difference = question.log_odds(question.images) - question.log_odds(absent)
    np.testing.assert_allclose(total, difference, atol=tolerance * np.abs(difference).max())


def test_of_a_linear_network_gradient_times_input_is_the_integrated_gradient_and_a_pixels_occlusion() -> None:
    question = asked("dense 1 sigmoid", window=1, steps=3)
    for name in ("gradient_input", "occlusion"):
        np.testing.assert_allclose(saliency(question, name), saliency(question, "integrated"), rtol=1e-4, atol=1e-4)


def test_grad_cam_is_what_its_equations_say() -> None:
    question = asked("conv 3x3 x3 relu -> dense 3 softmax", shape=(7, 7, 2))
    name = grad_cam_layer(question.network)
    assert name == "conv1/relu"
    values, slopes = question.gradients(question.seen, question.labels, name)
    small = np.maximum(np.einsum("nc,nhwc->nhw", slopes.mean((1, 2)), values), 0)
    drawn = saliency(question, "grad_cam")
    assert drawn.shape == (3, 7, 7) and (drawn >= 0).all()
    np.testing.assert_allclose(drawn.max(), small.max(), rtol=0.35)
    np.testing.assert_allclose(drawn[:, 3, 3], small[:, 2, 2], rtol=1e-5)  # the centres coincide


def test_the_gradient_of_an_inner_node_is_that_of_what_follows() -> None:
    question = asked("conv 3x3 x3 relu -> dense 3 softmax", count=1)
    values, slopes = question.gradients(question.seen, question.labels, "conv1/relu")
    weight, bias = (question.network.parameters[f"dense1/{name}"] for name in ("weight", "bias"))

    def score(hidden: np.ndarray) -> float:
        z = hidden.reshape(-1) @ weight + bias
        label = question.labels[0]
        return float(z[label] - np.log(np.exp(np.delete(z, label)).sum()))

    gradient_check(score, values[0], slopes[0])


def test_a_network_without_an_image_inside_has_no_grad_cam_and_says_so() -> None:
    question = asked("dense 4 relu -> dense 3 softmax")
    assert methods_for(question.network) == [name for name in METHODS if name != "grad_cam"]
    with pytest.raises(SaliencyError, match="no layer whose output is an image"):
        saliency(question, "grad_cam")
    with pytest.raises(SaliencyError, match="no method is called 'lime': use occlusion, gradient"):
        saliency(question, "lime")
    assert set(WORDS) == set(METHODS)


def test_images_without_an_axis_of_channels_have_maps_too() -> None:
    spec = check_source(Source("a test", "dense 3 softmax"), input_shape=Shape((4, 5)))
    scale = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    made = Network(spec, Preprocessing("zscore", (4, 5), np.zeros(5), scale, None, None, "classification"), "float64")
    made.initialize(1)
    question = Question.of(made, np.ones((2, 4, 5)), [0, 1])
    gradients = input_gradient(question)
    gradient_check(
        lambda image: float(question.log_odds(image[None], question.labels[:1])[0]), question.images[0], gradients[0]
    )


def test_a_map_that_knows_what_the_network_needs_falls_faster_and_rises_faster_than_a_random_order() -> None:
    made = network("dense 2 softmax", (6, 6, 1))
    weight = np.zeros((36, 2))
    shift, scale = float(made.preprocessing.shift[0]), float(made.preprocessing.scale[0])
    weight[:6, 1] = 2 * scale / (5 - shift)  # only the first row counts: each of its pixels is worth 2
    made.set_parameters({"dense1/weight": weight, "dense1/bias": np.array([6.0, 0.0])})
    images = np.full((2, 6, 6, 1), 5.0)
    question = Question.of(made, images, [1, 1], baseline=shift)
    curves = deletion_curves(question, maps_by(question, ["integrated"]))
    good, random = curves["integrated"], curves[RANDOM]
    assert good.deletion_area < 0.2 < random.deletion_area
    assert good.insertion_area > 0.8 > random.insertion_area
    whole = made.predict(question.samples(question.images))[:, 1]
    np.testing.assert_allclose(good.deletion[:, 0], whole)
    np.testing.assert_allclose(good.insertion[:, -1], whole)
    np.testing.assert_allclose(good.deletion[:, -1], good.insertion[:, 0])
    assert good.shares[0] == 0 and good.shares[-1] == 1


def test_layers_become_random_from_the_last_to_the_first_in_copies() -> None:
    question = asked("conv 3x3 x3 relu -> dense 4 relu -> dense 3 softmax")
    before = question.network.parameters
    made = cascade(question.network, 0)
    assert [name for name, _ in made] == ["dense2", "dense1", "conv1"]
    changed = [
        {name.split("/")[0] for name, v in each.parameters.items() if not np.array_equal(v, before[name])}
        for _, each in made
    ]
    assert changed == [{"dense2"}, {"dense2", "dense1"}, {"dense2", "dense1", "conv1"}]
    for name, values in question.network.parameters.items():
        np.testing.assert_array_equal(values, before[name])


def test_random_weights_destroy_the_maps_of_a_trained_network() -> None:
    """Adebayo et al. 2018: a map that survives random weights does not depend on what was learnt."""
    from nnspec import api

    settings = {"train.epochs": 3, "optimizer.lr": 0.01}
    run = api.train("conv 5x5 x6 relu -> maxpool 2 -> dense 10 softmax", settings=settings, data="mnist_sample")
    split = run.data.validation
    assert split is not None
    question = Question.of(run.network, split.inputs[:8], split.targets[:8], steps=16)
    found = randomized(question, ["gradient", "gradient_input", "integrated", "occlusion"])
    for name, each in found.items():
        assert each.correlation[0].mean() == pytest.approx(1), name
        assert each.correlation[-1].mean() < 0.4, name
    # An edge detector does survive: it never asks the network.
    edges = np.abs(np.diff(question.images[..., 0], axis=1, append=0))
    assert rank_correlation(edges[0], edges[0]) == pytest.approx(1)


def test_equal_numbers_share_their_rank_and_a_constant_map_has_no_correlation() -> None:
    assert rank_correlation(np.array([0, 0, 1, 2]), np.array([5, 5, 6, 9])) == pytest.approx(1)
    assert rank_correlation(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1)
    assert rank_correlation(np.zeros(4), np.arange(4)) == 0
